"""Messages from clients: what is answered, refused, and met with silence."""

import struct

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.dns.wire.query import Query, Refusal, parse

NAME = b"\3web\7default\3svc\7cluster\5local\0"
A_IN = b"\0\1\0\1"
OPT_1232 = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"


def message(
    question: bytes = NAME + A_IN,
    rest: bytes = b"",
    *,
    flags: int = 0x0100,
    counts: tuple[int, int, int, int] = (1, 0, 0, 0),
) -> bytes:
    return struct.pack("!6H", 0x1234, flags, *counts) + question + rest


def with_opt(opt: bytes) -> bytes:
    return message(rest=opt, counts=(1, 0, 0, 1))


def accepted(octets: bytes) -> Query:
    query = parse(octets)
    assert isinstance(query, Query)
    return query


def refused(octets: bytes) -> dns.message.Message:
    refusal = parse(octets)
    assert isinstance(refusal, Refusal), refusal
    reply = dns.message.from_wire(refusal.octets)
    assert reply.id == 0x1234
    assert reply.flags & dns.flags.QR
    assert reply.rcode() == refusal.rcode
    return reply


def test_a_plain_query() -> None:
    query = accepted(message())
    assert query.question.name == "web.default.svc.cluster.local."
    assert query.question.type == "A"
    assert (query.octets, query.edns, query.limit) == (NAME + A_IN, None, 512)


def test_the_key_has_no_case_and_the_question_keeps_it() -> None:
    query = accepted(message(NAME.replace(b"web", b"wEb") + b"\0\x41\0\1"))
    assert query.question.name == "wEb.default.svc.cluster.local."
    assert query.question.type == "HTTPS"  # type 65: an "A" among the octets, which stays
    assert query.key == NAME + b"\0\x41\0\1"


def test_edns_is_read_and_its_record_is_ready_for_the_reply() -> None:
    cookie = dns.edns.GenericOption(dns.edns.OptionType.COOKIE, b"12345678")
    subnet = dns.edns.ECSOption("192.0.2.0")
    asked = dns.message.make_query(
        "web.", "A", use_edns=0, payload=1232, want_dnssec=True, options=[cookie, subnet]
    )
    query = accepted(asked.to_wire())
    assert query.edns
    assert (query.edns.payload, query.edns.dnssec_ok, query.limit) == (1232, True, 1232)
    echo = dns.message.from_wire(message(NAME + A_IN, query.edns.echo, counts=(1, 0, 0, 1)))
    assert echo.payload == 1232
    assert [option.otype for option in echo.options] == [10], "the subnet is not repeated"


def test_small_payloads_count_as_512() -> None:
    query = accepted(message(rest=b"\0\0\x29\0\x10\0\0\0\0\0\0", counts=(1, 0, 0, 1)))
    assert query.limit == 512


@pytest.mark.parametrize(
    "octets",
    [b"", b"\x12", message()[:11], message(flags=0x8100), message(flags=0xFFFF)],
    ids=["empty", "one", "short", "reply", "ones"],
)
def test_silence(octets: bytes) -> None:
    assert parse(octets) is None


REFUSED: list[tuple[str, bytes, int, int]] = [  # why, message, rcode, questions in the reply
    ("opcode STATUS", message(flags=0x1100), 4, 0),
    ("opcode UPDATE", message(flags=0x2900), 4, 0),
    ("no question", message(counts=(0, 0, 0, 0)), 1, 0),
    ("two questions", message(NAME + A_IN + NAME + A_IN, counts=(2, 0, 0, 0)), 1, 0),
    ("two answers", message(counts=(1, 2, 0, 0)), 1, 0),
    ("two authority records", message(counts=(1, 0, 2, 0)), 1, 0),
    ("three additional records", message(counts=(1, 0, 0, 3)), 1, 0),
    ("nothing but a header", message(b""), 2, 0),
    ("a name without end", message(b"\3web"), 1, 0),
    ("no type", message(NAME), 1, 0),
    ("label type 0x40", message(b"\x41" + b"a" * 65 + b"\0" + A_IN), 1, 0),
    ("label type 0x80", message(b"\x80\0" + A_IN), 1, 0),
    ("a pointer to itself", message(b"\xc0\x0c" + A_IN), 1, 0),
    ("two pointers in a circle", message(b"\xc0\x0e\xc0\x0c" + A_IN), 1, 0),
    ("a pointer past the end", message(b"\xff\xff" + A_IN), 1, 0),
    ("half a pointer", message(b"\xc0"), 1, 0),
    ("a growing circle", message(b"\1a\xc0\x0c" + A_IN), 1, 0),
    ("256 octets of name", message(b"\1a" * 127 + b"\1a\0" + A_IN), 1, 0),
    ("an option that overruns", with_opt(OPT_1232[:-1] + b"\4\0\x0a\0\7"), 1, 1),
    ("a record that overruns", with_opt(OPT_1232[:-2] + b"\0\4"), 1, 1),
    ("half a record", with_opt(OPT_1232[:7]), 1, 1),
    ("class CHAOS", message(NAME + b"\0\1\0\3"), 5, 1),
    ("EDNS version 1", with_opt(b"\0\0\x29\2\0\0\1\0\0\0\0"), 16, 1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("octets", "rcode", "questions"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_refusals(octets: bytes, rcode: int, questions: int) -> None:
    reply = refused(octets)
    assert (reply.rcode(), len(reply.question)) == (rcode, questions)


def test_a_refusal_repeats_flags_and_edns() -> None:
    reply = refused(message(NAME + b"\0\1\0\3", OPT_1232, flags=0x0110, counts=(1, 0, 0, 1)))
    assert reply.flags & 0x7FF0 == 0x0110
    assert reply.payload == 1232
    assert refused(message(flags=0x1000)).opcode() == dns.opcode.STATUS


def test_octets_after_the_last_record_are_no_error() -> None:
    assert accepted(message(rest=b"junk")).octets == NAME + A_IN


def test_counts_may_promise_more_than_there_is() -> None:
    assert accepted(message(counts=(1, 1, 1, 2))).edns is None


def test_the_last_of_two_opt_records_counts() -> None:
    larger = OPT_1232.replace(b"\x04\xd0", b"\x10\0")
    query = accepted(message(rest=OPT_1232 + larger, counts=(1, 0, 0, 2)))
    assert query.limit == 4096


def test_an_opt_record_elsewhere_is_no_edns() -> None:
    assert accepted(message(rest=OPT_1232, counts=(1, 1, 0, 0))).edns is None


def test_a_name_by_pointers_is_put_together() -> None:
    # The type and class follow the first pointer; the rest of the name lies behind them.
    octets = message(b"\3web\xc0\x16" + A_IN + b"\3svc\0")
    assert accepted(octets).octets == b"\3web\3svc\0" + A_IN


@given(st.binary(max_size=300))
def test_any_octets_are_read(octets: bytes) -> None:
    parse(octets)


@given(st.integers(0, 0xFFFF), st.tuples(*[st.integers(0, 3)] * 4), st.binary(max_size=80))
def test_any_octets_after_a_header_are_read(
    flags: int, counts: tuple[int, int, int, int], rest: bytes
) -> None:
    found = parse(message(rest, flags=flags, counts=counts))
    if isinstance(found, Refusal):
        assert dns.message.from_wire(found.octets).rcode() == found.rcode


@given(st.data())
def test_a_query_that_dnspython_writes_is_read_alike(data: st.DataObject) -> None:
    labels = data.draw(st.lists(st.binary(min_size=1, max_size=63), max_size=3))
    name = dns.name.Name([*labels, b""])
    asked = dns.message.make_query(name, data.draw(st.sampled_from(["A", "SRV", "TYPE65280"])))
    query = accepted(asked.to_wire())
    assert dns.name.from_text(query.question.name) == name
    assert query.question.type == dns.rdatatype.to_text(asked.question[0].rdtype)
