import pytest

from loadcenter.adapters.mqtt.embedded import explain_end


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("Unable to listen: bind: address already in use", "port 1883 on 127.0.0.1 is taken"),
        ("listen tcp: bind: cannot assign requested address", "no address 127.0.0.1"),
        ("Unable to listen: bind: permission denied", "a port above 1023"),
        ("write: no space left on device", "make room"),
        ("open store: permission denied", "correct the rights"),
        ("it was killed by signal 9", "the broker ended: it was killed by signal 9"),
    ],
)
def test_an_end_is_explained_with_what_to_do(said, advice):
    assert advice in explain_end(said, "127.0.0.1", 1883)
