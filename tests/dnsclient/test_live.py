"""Machines against a real server on loopback: what comes back, and what is not listened to."""

import socket

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from kubehop.dns.lookup.protocol import Ask, Machine, Outcome, Query, Silence, Status, Transport
from kubehop.dns.message import Kind, Question, Reply
from kubehop.dnsclient.live import ask
from tests.dnsclient.server import Handler, serving


def once(transport: Transport = Transport.UDP, until: float = 0.3, payload: int = 0) -> Machine:
    """One query; found if a reply comes."""
    question = Question("whoami.default.svc.cluster.local.", "A")
    heard = yield Ask((Query(question, "10.43.0.10", "test", transport, payload),), until)
    return Outcome(Status.FOUND if heard.reply else Status.TRY_AGAIN)


def answer(query: dns.message.Message, address: str = "10.43.5.5") -> dns.message.Message:
    reply = dns.message.make_response(query)
    reply.answer.append(dns.rrset.from_text(query.question[0].name, 30, "IN", "A", address))
    return reply


def good(query: dns.message.Message, transport: str) -> list[bytes]:
    octets = answer(query).to_wire()
    return [octets] if transport == "udp" else [len(octets).to_bytes(2, "big") + octets]


def in_pieces(query: dns.message.Message, transport: str) -> list[bytes]:
    (octets,) = good(query, transport)
    return [bytes((octet,)) for octet in octets]


def forged_first(query: dns.message.Message, transport: str) -> list[bytes]:
    wrong_id = answer(query, "6.6.6.6")
    wrong_id.id = query.id ^ 1
    other = dns.message.make_query("other.", "A", id=query.id)
    return [b"x", wrong_id.to_wire(), answer(other, "6.6.6.6").to_wire(), *good(query, transport)]


def silent(query: dns.message.Message, transport: str) -> list[bytes]:
    return []


# what the server does -> transport, what the machine hears
CASES: list[tuple[Handler, Transport, object]] = [
    (good, Transport.UDP, Kind.ANSWER),
    (good, Transport.TCP, Kind.ANSWER),
    (in_pieces, Transport.TCP, Kind.ANSWER),
    (forged_first, Transport.UDP, Kind.ANSWER),
    (silent, Transport.UDP, Silence.SILENT),
    (silent, Transport.TCP, Silence.UNREACHABLE),  # the connection is closed
]


@pytest.mark.parametrize(("handler", "transport", "expected"), CASES)
def test_what_is_heard(handler: Handler, transport: Transport, expected: object) -> None:
    with serving(handler) as server:
        lookup = ask(once(transport), lambda _: server.endpoint)
    (step,) = lookup.steps
    result = step.result
    assert (result.kind if isinstance(result, Reply) else result) == expected
    if isinstance(result, Reply):
        assert [record.data for record in result.answer] == ["10.43.5.5"]
    assert lookup.seconds >= (0.3 if expected is Silence.SILENT else 0)
    assert server.log == [("whoami.default.svc.cluster.local.", "A", transport.value)]


@pytest.mark.parametrize("transport", list(Transport))
def test_a_closed_port_is_unreachable_at_once(transport: Transport) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        endpoint = taken.getsockname()
    lookup = ask(once(transport, until=5), lambda _: endpoint)
    assert lookup.steps[0].result is Silence.UNREACHABLE
    assert lookup.seconds < 2


def test_edns_is_sent_as_the_machine_wants() -> None:
    seen = []

    def look(query: dns.message.Message, transport: str) -> list[bytes]:
        seen.append((query.edns, query.payload, bool(query.flags & dns.flags.RD)))
        return good(query, transport)

    with serving(look) as server:
        ask(once(payload=1232), lambda _: server.endpoint)
        ask(once(), lambda _: server.endpoint)
    assert seen == [(0, 1232, True), (-1, 0, True)]


def test_patience_ends_what_waits_for_ever() -> None:
    with serving(silent) as server:
        lookup = ask(once(until=float("inf")), lambda _: server.endpoint, patience=0.2)
    assert lookup.outcome.status is Status.HANGS
