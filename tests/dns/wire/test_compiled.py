"""Answers on the wire, with dnspython as the judge."""

from dataclasses import replace
from typing import Literal

import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.dns.message import Question, Rcode, Record, Reply
from kubehop.dns.wire import query, reply
from kubehop.dns.wire.compiled import MAX_MESSAGE, compiled, fit, fitted
from kubehop.dns.wire.errors import WireError

NAME = "big.demo.svc.cluster.local."
SOA = Record(
    "cluster.local.",
    30,
    "SOA",
    "ns.dns.cluster.local. hostmaster.cluster.local. 1767225600 7200 1800 86400 30",
)
NXDOMAIN = Reply(Rcode.NXDOMAIN, authority=(SOA,), authoritative=True)


def addresses(count: int, name: str = NAME) -> Reply:
    records = tuple(Record(name, 30, "A", f"10.42.9.{n}") for n in range(1, count + 1))
    return Reply(Rcode.NOERROR, records, authoritative=True)


def asked(name: str = NAME, type: str = "A", payload: int = 0, flags: int = 0x0100) -> query.Query:
    edns = {"use_edns": 0, "payload": payload} if payload else {"use_edns": False}
    message = dns.message.make_query(name, type, **edns)
    message.flags = dns.flags.Flag(flags)
    found = query.parse(message.to_wire())
    assert isinstance(found, query.Query)
    return found


def sent(
    subject: Reply, to: query.Query, transport: Literal["udp", "tcp"] = "udp"
) -> dns.message.Message:
    """What dnspython reads of the reply to a query."""
    answer = compiled(to.question.name, to.octets[-4:], subject)
    octets = fitted(answer, to, to.limit if transport == "udp" else MAX_MESSAGE)
    assert len(octets) <= (to.limit if transport == "udp" else MAX_MESSAGE)
    return dns.message.from_wire(octets)


def texts(rrsets: list[dns.rrset.RRset]) -> list[str]:
    return [
        f"{rrset.name} {rrset.ttl} IN {dns.rdatatype.to_text(rrset.rdtype)} {rdata}"
        for rrset in rrsets
        for rdata in rrset
    ]


RECORDS = [
    Record(NAME, 30, "A", "10.43.0.1"),
    Record(NAME, 30, "AAAA", "fd00:43::1"),
    Record(NAME, 5, "CNAME", "example.com."),
    Record(NAME, 5, "PTR", "whoami.default.svc.cluster.local."),
    Record(NAME, 5, "NS", "kube-dns.kube-system.svc.cluster.local."),
    Record(NAME, 5, "MX", "10 mail.example.com."),
    Record(NAME, 5, "SRV", f"0 100 5432 a.{NAME}"),
    Record(NAME, 28800, "TXT", '"1.1.0"'),
    Record(NAME, 5, "TXT", '"two words" "a \\"quote\\" and \\\\" "\\009\\255"'),
    Record(NAME, 5, "HINFO", '"cpu" "os"'),
    Record(NAME, 5, "CAA", '0 issue "ca.example.net"'),
    Record(NAME, 5, "HTTPS", '1 . alpn="h2"'),
    Record(NAME, 5, "TYPE65280", "\\# 3 010203"),
    Record(r"a\.b\032c.\200.", 5, "CNAME", r"d\.e."),
    SOA,
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: f"{record.type} {record.data}")
def test_every_type_is_written_and_read(record: Record) -> None:
    subject = Reply(Rcode.NOERROR, (record,))
    message = compiled(NAME, b"\0\1\0\1", subject)
    received = reply.parse(b"\0\7" + message)
    assert received == reply.Received(
        b"\0\7", Question(NAME, "A"), replace(subject, size=len(message) + 2)
    )
    read = dns.message.from_wire(b"\0\7" + message, one_rr_per_rrset=True)
    (rrset,) = read.answer
    expected = dns.rdata.from_text("IN", record.type, record.data)
    assert rrset[0] == expected
    assert rrset.name == dns.name.from_text(record.name)
    again = reply.parse(read.to_wire())
    assert again.reply.answer == (record,)


@pytest.mark.parametrize(
    ("type", "data"),
    [
        ("A", "fd00::1"),
        ("A", "10.0.0"),
        ("AAAA", "10.0.0.1"),
        ("SRV", "0 0 80"),
        ("SRV", "0 0 65536 a."),
        ("SRV", "0 0 -1 a."),
        ("CNAME", "a..b."),
        ("CNAME", "a" * 64 + "."),
        ("CNAME", "a." * 128),
        ("CNAME", "å."),
        ("CNAME", r"\999."),
        ("TXT", '"' + "x" * 256 + '"'),
        ("TXT", ""),
        ("CAA", "nonsense"),
        ("NONSENSE", "x"),
    ],
)
def test_what_cannot_be_written_is_one_error(type: str, data: str) -> None:
    with pytest.raises(WireError):
        compiled(NAME, b"\0\1\0\1", Reply(Rcode.NOERROR, (Record(NAME, 5, type, data),)))


# What CoreDNS 1.13.2 was seen to send of 100 addresses, and of their SRV records with glue.


@pytest.mark.parametrize(
    ("payload", "transport", "count", "truncated"),
    [
        (0, "udp", 29, True),
        (100, "udp", 28, True),
        (512, "udp", 28, True),
        (1232, "udp", 73, True),
        (4096, "udp", 100, False),
        (0, "tcp", 100, False),
    ],
)
def test_as_many_records_as_fit(
    payload: int, transport: Literal["udp", "tcp"], count: int, truncated: bool
) -> None:
    to = asked(payload=payload)
    message = sent(addresses(100), to, transport)
    assert len(message.answer[0]) == count
    assert bool(message.flags & dns.flags.TC) == truncated
    predicted = fit(to.question, addresses(100), payload=payload, transport=transport)
    assert (len(predicted.answer), predicted.truncated) == (count, truncated)
    assert message.edns == (0 if payload else -1)
    assert message.payload == payload


def test_glue_goes_first_and_the_targets_are_whole() -> None:
    srv = tuple(Record(NAME, 30, "SRV", f"0 1 80 10-42-9-{n}.{NAME}") for n in range(1, 101))
    glue = tuple(Record(f"10-42-9-{n}.{NAME}", 30, "A", f"10.42.9.{n}") for n in range(1, 101))
    whole = Reply(Rcode.NOERROR, srv, additional=glue)
    shown = fit(Question(NAME, "SRV"), whole)
    assert (shown.answer, shown.additional, shown.truncated) == (srv[:8], (), True)
    some = fit(Question(NAME, "SRV"), whole, payload=6000)
    assert (len(some.answer), some.truncated) == (100, True)
    assert 0 < len(some.additional) < 100
    assert fit(Question(NAME, "SRV"), whole, transport="tcp").additional == glue


def test_the_size_is_that_of_the_message() -> None:
    for payload in (0, 512, 1232, 4096):
        to = asked(payload=payload)
        octets = fitted(compiled(NAME, to.octets[-4:], addresses(60)), to, to.limit)
        assert fit(to.question, addresses(60), payload=payload).size == len(octets)


def test_64_kib_are_not_exceeded() -> None:
    whole = Reply(
        Rcode.NOERROR,
        tuple(Record(NAME, 5, "A", f"10.{n >> 8}.{n & 255}.1") for n in range(9000)),
    )
    to = asked()
    message = sent(whole, to, "tcp")
    assert message.flags & dns.flags.TC
    assert len(message.answer[0]) == (MAX_MESSAGE - 12 - len(to.octets)) // 16


def test_spelling_flags_and_id_are_those_of_the_query() -> None:
    answer = compiled(NAME, b"\0\1\0\1", NXDOMAIN)
    to = asked("bIg.dEmo.svc.CLUSTER.local.", flags=0x0010)
    message = dns.message.from_wire(fitted(answer, to, to.limit))
    assert message.id == int.from_bytes(to.id, "big")
    assert dns.flags.to_text(message.flags) == "QR AA CD"
    assert str(message.question[0].name) == "bIg.dEmo.svc.CLUSTER.local."
    # The owner points to the question, as CoreDNS cuts it from the question.
    assert str(message.authority[0].name) == "CLUSTER.local."
    assert message.rcode() == dns.rcode.NXDOMAIN


# Any reply


labels = st.text("abcXYZ-_09", min_size=1, max_size=12)
full_names = st.lists(labels, max_size=5).map(lambda parts: ".".join([*parts, ""]) or ".")
data = st.one_of(
    st.tuples(st.just("A"), st.ip_addresses(v=4).map(str)),
    st.tuples(st.just("AAAA"), st.ip_addresses(v=6).map(str)),
    st.tuples(st.just("CNAME"), full_names),
    st.tuples(st.just("SRV"), full_names.map(lambda target: f"0 33 443 {target}")),
    st.tuples(st.just("TXT"), st.text('ab \\"\x01', max_size=9).map(lambda _: '"x y"')),
)
records = st.builds(
    lambda name, ttl, typed: Record(name, ttl, *typed), full_names, st.integers(0, 2**31 - 1), data
)
sections = st.lists(records, max_size=12).map(tuple)
replies = st.builds(
    Reply,
    st.sampled_from(Rcode),
    sections,
    sections,
    sections,
    authoritative=st.booleans(),
    recursive=st.booleans(),
)


@given(full_names, replies, st.sampled_from([0, 512, 700, 4096]))
def test_any_reply_arrives_as_far_as_it_fits(name: str, subject: Reply, payload: int) -> None:
    to = asked(name, "A", payload)
    octets = fitted(compiled(name, to.octets[-4:], subject), to, to.limit)
    assert len(octets) <= to.limit
    received = reply.parse(octets)
    assert received == reply.Received(
        to.id, to.question, fit(to.question, subject, payload=payload)
    )
    whole = (subject.answer, subject.authority, subject.additional)
    found = (received.reply.answer, received.reply.authority, received.reply.additional)
    assert all(full[: len(part)] == part for full, part in zip(whole, found, strict=True))
    assert received.reply.truncated == (found != whole)
    message = dns.message.from_wire(octets, one_rr_per_rrset=True)
    assert list(map(len, (message.answer, message.authority, message.additional))) == list(
        map(len, found)
    )


@given(st.binary(max_size=400))
def test_octets_that_are_no_reply_are_one_error(octets: bytes) -> None:
    try:
        reply.parse(octets)
    except WireError:
        return


@given(replies, st.data())
def test_a_damaged_reply_is_read_or_refused(subject: Reply, data: st.DataObject) -> None:
    octets = bytearray(b"\0\1" + compiled(NAME, b"\0\1\0\1", subject))
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        reply.parse(bytes(octets))
    except WireError:
        return
