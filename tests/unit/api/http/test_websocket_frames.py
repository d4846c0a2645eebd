"""Packets of the event socket: those that pages send are passed on, all others are refused."""

import json
from typing import Any

import pytest

from portal_app.api.http.websocket_frames import DEEPEST, LARGEST, LONGEST_PATH, Frames, Refused, UnknownHandler

PLACE = {"pathname": "/orders/[order_id]", "asPath": "/orders/7?next=%2F#top", "query": {"order_id": "7"}}
EVENT = {"name": "state.page.load", "payload": {"town": "梅田", "n": 1.5}, "router_data": PLACE}


def unjoined() -> Frames:
    return Frames(has_handler={"state.page.load", "a"}.__contains__)


def joined() -> Frames:
    frames = unjoined()
    frames.checked("40/_event,")
    return frames


def call(*parts: Any) -> str:
    return f"42/_event,{json.dumps(parts)}"


def event(**changes: Any) -> str:
    return call("event", EVENT | changes)


def passed_on(text: str) -> dict[str, Any]:
    checked = joined().checked(text)
    assert checked is not None and checked.startswith('42/_event,["event",')
    kept: dict[str, Any] = json.loads(checked.removeprefix("42/_event,"))[1]
    return kept


def code_of(text: str | None, frames: Frames | None = None) -> int:
    with pytest.raises(Refused) as refused:
        (frames or joined()).checked(text)
    return refused.value.code


def test_an_event_of_a_page_is_passed_on_as_it_is() -> None:
    assert passed_on(event()) == EVENT


def test_the_state_a_page_sends_when_it_joins_is_passed_on() -> None:
    brought = {"event": EVENT, "state_schema": "a1b2"}
    checked = unjoined().checked(f"40/_event,{json.dumps(brought)}")
    assert checked is not None and json.loads(checked.removeprefix("40/_event,")) == brought


def test_an_event_that_nothing_handles_is_not_passed_on() -> None:
    frames = joined()
    with pytest.raises(UnknownHandler):
        frames.checked(event(name="state.page.removed_by_a_release"))
    # A tab of an old page is not an attack: known events still pass.
    assert frames.checked(event()) is not None


def test_a_first_event_that_nothing_handles_is_left_out_as_a_page_joins() -> None:
    brought = {"event": EVENT | {"name": "state.removed_page.load"}, "state_schema": "a1b2"}
    checked = unjoined().checked(f"40/_event,{json.dumps(brought)}")
    assert checked is not None and json.loads(checked.removeprefix("40/_event,")) == {"state_schema": "a1b2"}


@pytest.mark.parametrize("text", ["3", "1", "41/_event,"])
def test_the_transports_own_packets_are_passed_on(text: str) -> None:
    assert joined().checked(text) == text


@pytest.mark.parametrize("name", ["connect", "disconnect", "connect_error", "ping", "*", "trigger_event", 7, None, []])
def test_no_other_event_of_socket_io_is_passed_on(name: Any) -> None:
    assert code_of(call(name, {"QUERY_STRING": "token=evil", "asgi.scope": {"headers": []}})) == 1008


@pytest.mark.parametrize(
    "text",
    [
        "", "2", "2probe", "5", "6", "4", "40", "40/", "40/admin,", "40/_event", "40/_event?x,", "42[]", "42/_event",
        '42["event",{"name":"a"}]', '42/admin,["event",{"name":"a"}]', '42/_event,7["event",{"name":"a"}]',
        '43/_event,7["a"]', "44/_event,", '451-/_event,["connect",{"_placeholder":true,"num":0}]', "461-/_event,7[]",
        '421-/_event,["event",{"name":"a"}]', "41/_event,{}", "41", "bAAAA", '42/_event,["event",{"name":"a"}] ]',
    ],
)  # fmt: skip
def test_no_other_packet_is_passed_on(text: str) -> None:
    assert code_of(text) == 1008


def test_a_binary_packet_is_refused() -> None:
    assert code_of(None) == 1003


@pytest.mark.parametrize(
    "text",
    [
        '["event"]', '["event",7]', '["event","{}"]', '["event",{}]', '["event",{"name":7}]', '["event",[]]', "{}", "",
        '["event",{"name":"a"},1]', '["event",NaN]', '["event",{"name":', '["event",{"name":"a","payload":[1]}]',
        '["event",{"name":"a","payload":null}]', '["event",{"name":"a","router_data":[]}]', "1" * 5000,
        '["event",{"name":"a","payload":{"x":1e999}}]', '["event",{"name":"a","payload":{"x":Infinity}}]',
        f'["event",{{"name":"{"a" * 301}"}}]',
    ],
)  # fmt: skip
def test_a_malformed_event_is_refused(text: str) -> None:
    assert code_of(f"42/_event,{text}") == 1008


def test_a_tab_joins_once_and_before_anything_else() -> None:
    assert code_of("40/_event,") == 1008
    assert code_of(event(), unjoined()) == 1008
    assert code_of("41/_event,", unjoined()) == 1008


@pytest.mark.parametrize("brought", ["[]", "7", '"x"', '{"event":7}', '{"event":{"name":"a","payload":[]}}', "{"])
def test_a_tab_with_malformed_join_data_does_not_join(brought: str) -> None:
    assert code_of(f"40/_event,{brought}", unjoined()) == 1008


def test_browser_error_reports_are_dropped() -> None:
    assert joined().checked(call("client_error", {"message": "x"})) is None


def test_the_largest_message_is_passed_on_and_a_larger_one_is_not() -> None:
    around = len(event(payload={"text": ""}))
    assert passed_on(event(payload={"text": "x" * (LARGEST - around)}))
    assert code_of(event(payload={"text": "x" * (LARGEST - around + 1)})) == 1009
    assert code_of(f'42/_event,["event",{{"name":"a","payload":{{"x":"{"梅" * (LARGEST // 2)}"}}}}]') == 1009


def test_unknown_members_of_an_event_or_a_place_are_dropped() -> None:
    headers = {"cookie": "portal-access=x"}
    kept = passed_on(event(token="x", router_data=PLACE | {"headers": headers, "ip": "1.2.3.4", "junk": "x" * 9000}))
    assert kept == EVENT


def test_a_place_is_cut_to_what_an_address_may_have() -> None:
    long = "x" * 5_000
    place = {"pathname": long, "asPath": long, "query": {"id": "7", "long": long, "n": 7, long: "", "next": "/a"}}
    kept = passed_on(event(router_data=place))["router_data"]
    assert len(kept["pathname"]) == len(kept["asPath"]) == LONGEST_PATH
    assert kept["query"] == {"id": "7", "next": "/a"}


def test_a_place_that_is_not_text_is_dropped() -> None:
    assert passed_on(event(router_data={"pathname": 7, "asPath": [], "query": 7}))["router_data"] == {}


def test_nested_deeper_than_any_page_sends_is_refused() -> None:
    def nested(depth: int) -> str:
        return f'42/_event,["event",{{"name":"a","payload":{{"x":{"[" * depth}{"]" * depth}}}}}]'

    assert joined().checked(nested(DEEPEST - 10))
    assert code_of(nested(DEEPEST + 1)) == 1008
    assert code_of(nested(15_000)) == 1008


def test_brackets_inside_a_text_do_not_count_as_nesting() -> None:
    assert passed_on(event(payload={"text": "[{" * 2_000}))["payload"] == {"text": "[{" * 2_000}


def test_text_that_is_no_unicode_reaches_the_page_as_it_came() -> None:
    assert passed_on(event(payload={"text": "\ud800"}))["payload"] == {"text": "\ud800"}
