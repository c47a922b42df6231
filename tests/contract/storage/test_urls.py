import pytest

from loadcenter.adapters.storage.engine import DatabaseUrlError, open_engines


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "cannot be read"),
        ("no url", "cannot be read"),
        ("mysql://me:s3cret@host:port/db", "cannot be read"),
        ("postgresql://me:s3cret@host/db", "'postgresql://' is not a database that Loadcenter knows"),
        ("mysql+pymysql://me:s3cret@host/db", "is not a database that Loadcenter knows"),
        ("mysql://me:s3cret@host", "not complete"),
        ("mysql://host/db", "not complete"),
        ("mysql://me:s3cret@host/db?ssl=1", "no options"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite://folder/file.db", "names no file"),
        (
            "sqlite:////no/such/folder/file.db",
            "folder /no/such/folder of the database does not exist: create it",
        ),
    ],
)
def test_a_url_of_another_form_is_refused_and_says_what_fits(url: str, says: str) -> None:
    with pytest.raises(DatabaseUrlError, match=says) as caught:
        open_engines(url)
    assert "s3cret" not in str(caught.value)
    assert (
        "sqlite:///" in str(caught.value) or "mysql://" in str(caught.value) or "folder" in str(caught.value)
    )


def test_a_place_is_named_without_user_and_password() -> None:
    assert open_engines("mysql://me:s3cret@host/db").place == "host:3306/db"
    assert open_engines("mysql://me:s3cret@host:3307/db").place == "host:3307/db"
