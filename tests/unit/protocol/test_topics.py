"""Topics: what is built is understood again, and nothing else is (MQTT-1). The vectors hold the foreign ones."""

import pytest

from loadcenter.protocol.topics import RETAINED, Down, TopicError, Up, UpTopic, down, parse_up, up


@pytest.mark.parametrize("leaf", Up)
def test_a_topic_that_was_built_is_parsed_to_what_it_names(leaf):
    assert parse_up("loadcenter", up("loadcenter", "rack-1", leaf)) == UpTopic("rack-1", leaf)


def test_a_root_may_hold_slashes():
    assert parse_up("site/a", "site/a/v1/p/up/event") == UpTopic("p", Up.EVENT)


def test_topics_of_the_control_center_are_no_topics_of_a_device():
    with pytest.raises(TopicError, match=r"expected loadcenter/v1/<pdu_id>/up/<leaf>"):
        parse_up("loadcenter", down("loadcenter", "rack-1", Down.COMMAND))


def test_a_wrong_name_is_told_with_the_right_form():
    with pytest.raises(TopicError, match=r"'Rack' is not a PDU name: use 1 to 32 of"):
        parse_up("loadcenter", "loadcenter/v1/Rack/up/state")


def test_filters_are_built_with_wildcards():
    assert up("loadcenter", "+", "telemetry") == "loadcenter/v1/+/up/telemetry"
    assert down("loadcenter", "rack-1", "#") == "loadcenter/v1/rack-1/down/#"


def test_a_command_is_never_retained():
    """MQTT-42."""
    assert Down.COMMAND not in RETAINED
