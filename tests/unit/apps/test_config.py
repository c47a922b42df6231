"""The configuration: every key checked, every error says what to write, no password is shown."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from loadcenter.apps.config import DEFAULT_DATA, Config, ConfigError, describe, load_config

DOCS = Path(__file__).resolve().parents[3] / "docs" / "configuration.md"


def load(tmp_path: Path, text: str, env: dict[str, str] | None = None) -> Config:
    path = tmp_path / "loadcenter.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, env or {})


# ---- where values come from ---------------------------------------------------------------------------------------------------


def test_without_anything_the_defaults_hold() -> None:
    config = load_config(None, {})
    assert config == Config()
    assert config.folder == Path(DEFAULT_DATA).expanduser()
    assert config.database_url == f"sqlite:///{config.folder / 'loadcenter.db'}"


def test_an_empty_file_is_a_valid_one(tmp_path: Path) -> None:
    assert load(tmp_path, "") == Config()


def test_the_environment_goes_before_the_file_and_the_command_line_before_both(tmp_path: Path) -> None:
    path = tmp_path / "loadcenter.toml"
    path.write_text('port = 1000\nhost = "192.0.2.1"\nroot = "file"\n', encoding="utf-8")
    env = {"LOADCENTER_PORT": "2000", "LOADCENTER_HOST": "192.0.2.2"}
    config = load_config(path, env, port=3000, host=None)
    assert (config.port, config.host, config.root) == (3000, "192.0.2.2", "file")


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False)])
def test_a_truth_in_the_environment(text: str, *, value: bool) -> None:
    assert load_config(None, {"LOADCENTER_PLAIN": text}).plain is value


def test_a_database_is_named_by_its_url(tmp_path: Path) -> None:
    url = "mysql://loadcenter:secret@db.example/loadcenter"
    assert load(tmp_path, f'database = "{url}"').database_url == url


# ---- what is refused -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("prot = 8080", r"unknown key 'prot'; known are .*port"),
        ("[web]\nport = 8080", "unknown key 'web'"),
        ('port = "8080"', "'port' is '8080': write a whole number"),
        ("port = 80.5", "write a whole number"),
        ("port = true", "write a whole number"),
        ("plain = 1", "'plain' is 1: write true or false"),
        ('plain = "true"', "write true or false"),
        ("host = 127", "'host' is 127: write a text in quotes"),
        ("port = -1", "'port' is -1: give 1 to 65535, or 0"),
        ("mqtt_port = 65536", "'mqtt_port' is 65536"),
        ('log_level = "loud"', "write one of debug, info, warning, error"),
        ('root = ""', "'root' is ''"),
        ('root = "a/b"', "'root' is 'a/b': write one word"),
        ('root = "+"', "'root'"),
        ('root = "#"', "'root'"),
        (f'root = "{"x" * 33}"', "'root'"),
        ('mqtt_certificate = "a.pem"', "belong together"),
        ('mqtt_key = "a.key"', "belong together"),
        ("port = ", "is not valid TOML"),
        ("port 8080", "is not valid TOML"),
        ("port = 1\nport = 2", "is not valid TOML"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named_with_what_to_write(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load(tmp_path, text)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("LOADCENTER_PORT", "many", "LOADCENTER_PORT is 'many': write a number"),
        ("LOADCENTER_PORT", "", "write a number"),
        ("LOADCENTER_PORT", "-1", "write a number"),
        ("LOADCENTER_PORT", "٣", "write a number"),
        ("LOADCENTER_PLAIN", "yes", "LOADCENTER_PLAIN is 'yes': write true or false"),
        ("LOADCENTER_LOG_LEVEL", "INFO", "write one of"),
    ],
)
def test_the_environment_is_checked_likewise(name: str, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_config(None, {name: text})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml does not exist: write it"):
        load_config(tmp_path / "nowhere.toml", {})


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path, {})
    (tmp_path / "latin.toml").write_bytes(b'host = "k\xfcche"')
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "latin.toml", {})


# ---- showing it ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        (
            "database",
            "mysql://loadcenter:s3cret@db.example:3306/lc",
            "mysql://loadcenter:***@db.example:3306/lc",
        ),
        ("database", "mysql://loadcenter:s3c@ret@db.example/lc", "mysql://loadcenter:***@db.example/lc"),
        ("database", "sqlite:///file.db", "sqlite:///file.db"),
        ("broker", "mqtts://center:s3cret@broker.example:8883", "mqtts://center:***@broker.example:8883"),
        ("broker", "", ""),
        ("mqtt_password", "s3cret", "***"),
        ("host", "192.0.2.1", "192.0.2.1"),
    ],
)
def test_passwords_are_hidden(key: str, value: str, shown: str) -> None:
    rows = {name: text for name, text, _ in describe(load_config(None, {}, **{key: value}))}
    assert rows[key] == shown
    assert "s3c" not in str(rows)


def test_an_error_about_a_secret_does_not_show_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, 'mqtt_password = ["s3cret"]')
    assert "s3cret" not in str(error.value)


def test_every_key_is_described() -> None:
    rows = describe(Config())
    assert [name for name, _, _ in rows] == [one.name for one in fields(Config)]
    assert all(help_ for _, _, help_ in rows)


# ---- docs/configuration.md ------------------------------------------------------------------------------------------------------------


def test_docs_list_every_key_with_its_default_and_meaning() -> None:
    def shown(value: str | int | bool) -> str:
        match value:
            case bool():
                return f"`{str(value).lower()}`"
            case int():
                return f"`{value}`"
            case str():
                return f'`"{value}"`'

    wanted = [(f"`{name}`", shown(value), help_) for name, value, help_ in describe(Config())]
    page = DOCS.read_text(encoding="utf-8")
    assert re.findall(r"^\| (`\w+`) \| (`[^`]*`) \| (.+) \|$", page, re.MULTILINE) == wanted


def test_the_examples_of_the_docs_can_be_loaded(tmp_path: Path) -> None:
    examples = re.findall(r"^```toml\n(.*?)^```", DOCS.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(examples) >= 2
    for text in examples:
        load(tmp_path, text)
