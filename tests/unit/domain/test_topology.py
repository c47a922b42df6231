import pytest

from loadcenter.domain.topology import (
    MAX_OUTLETS,
    OutletId,
    Source,
    TopologyError,
    check_pdu_id,
    parse_outlet_id,
)


def test_each_source_is_the_other_of_the_other():
    assert Source.MAIN.other is Source.BACKUP
    assert all(source.other.other is source for source in Source)


@pytest.mark.parametrize("name", ["a", "rack-1", "0", "x" * 32])
def test_a_valid_name_comes_back_unchanged(name):
    assert check_pdu_id(name) == name


@pytest.mark.parametrize(
    "name", ["", "Rack", "rack_1", "rack/1", "x" * 33, "räck", "rack 1", "rack-1\n", "+", "#"]
)
def test_a_name_that_could_not_be_a_topic_is_refused(name):
    with pytest.raises(TopologyError, match="1 to 32"):
        check_pdu_id(name)


def test_an_outlet_reads_as_it_is_written():
    outlet = OutletId("rack-1", 3)
    assert str(outlet) == "rack-1/3"
    assert parse_outlet_id(str(outlet)) == outlet
    assert parse_outlet_id(f"rack-1/{MAX_OUTLETS}").outlet == MAX_OUTLETS


@pytest.mark.parametrize(
    "text", ["rack-1", "rack-1/", "rack-1/0", "rack-1/49", "rack-1/-1", "rack-1/x", "R/1", "r/²"]
)
def test_what_is_not_an_outlet_says_what_would_be(text):
    with pytest.raises(TopologyError, match=r"rack-1/3|PDU name"):
        parse_outlet_id(text)
