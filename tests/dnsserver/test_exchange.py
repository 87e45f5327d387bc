"""Queries that go on to upstream servers, through real sockets."""

import socket
import time
from collections.abc import Callable

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from kubehop.dnsserver import Server
from tests.dnsserver.chains import LOOPBACK, Names, addresses, tcp, udp
from tests.dnsserver.upstreams import Behaviour, FakeUpstream

NAME = "www.example.com."


def answer(
    query: bytes,
    address: str = "192.0.2.1",
    change: Callable[[dns.message.Message], None] | None = None,
) -> bytes:
    reply = dns.message.make_response(dns.message.from_wire(query), recursion_available=True)
    reply.answer.append(dns.rrset.from_text(reply.question[0].name, 60, "IN", "A", address))
    if change:
        change(reply)
    return reply.to_wire()


def always(query: bytes, transport: str) -> list[bytes]:
    return [answer(query)]


def never(query: bytes, transport: str) -> list[bytes]:
    return []


def asked_of(
    behaviour: Behaviour, transport: str = "udp", **wish: object
) -> tuple[FakeUpstream, dns.message.Message]:
    with FakeUpstream(behaviour) as upstream:
        chain = Names({}, upstream.address, **({"transport": transport} | wish))
        with Server(chain, [LOOPBACK]) as server:
            return upstream, udp(server, NAME)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_reply_is_passed_on(transport: str) -> None:
    upstream, reply = asked_of(always, transport)
    assert addresses(reply) == ["192.0.2.1"]
    assert dns.flags.to_text(reply.flags) == "QR RD RA"
    ((seen, query),) = upstream.queries
    assert seen == transport
    message = dns.message.from_wire(query)
    assert (str(message.question[0].name), dns.flags.to_text(message.flags)) == (NAME, "RD")


def test_edns_and_flags_go_with_the_question() -> None:
    upstream, _ = asked_of(always, payload=1232, dnssec_ok=True, checking_disabled=True)
    message = dns.message.from_wire(upstream.queries[0][1])
    assert (message.payload, bool(message.ednsflags & dns.flags.DO)) == (1232, True)
    assert dns.flags.to_text(message.flags) == "RD CD"


def other_id(reply: dns.message.Message) -> None:
    reply.id ^= 1


def other_question(reply: dns.message.Message) -> None:
    reply.question[0].name = dns.name.from_text("evil.example.com.")


def no_question(reply: dns.message.Message) -> None:
    reply.question.clear()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("change", [other_id, other_question, no_question])
def test_only_the_reply_to_the_question_counts(
    change: Callable[[dns.message.Message], None], transport: str
) -> None:
    def behaviour(query: bytes, _: str) -> list[bytes]:
        false = answer(query, "203.0.113.66", change)
        return [false, b"junk", query, false[:20], answer(query)]

    _, reply = asked_of(behaviour, transport)
    assert addresses(reply) == ["192.0.2.1"]


def test_only_the_server_that_was_asked_can_answer() -> None:
    # The stranger outlives the upstream, whose thread speaks through it.
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
        FakeUpstream(never) as upstream,
    ):

        def behaviour(query: bytes, _: str) -> list[bytes]:
            stranger.sendto(answer(query), ("127.0.0.1", upstream.sources[-1]))
            return []

        upstream.behaviour = behaviour
        chain = Names({}, upstream.address, read=0.6, timeout=0.5)
        with Server(chain, [LOOPBACK]) as server:
            assert udp(server, NAME).rcode() == dns.rcode.SERVFAIL


def test_every_query_has_a_port_and_an_id_of_its_own() -> None:
    with FakeUpstream(always) as upstream:
        with Server(Names({}, upstream.address), [LOOPBACK]) as server:
            for _ in range(30):
                udp(server, NAME)
        assert len(set(upstream.sources)) > 25
        assert len({query[:2] for _, query in upstream.queries}) > 25


def truncating(query: bytes, transport: str) -> list[bytes]:
    def cut(reply: dns.message.Message) -> None:
        reply.answer.clear()
        reply.flags |= dns.flags.TC

    return [answer(query, change=cut if transport == "udp" else None)]


def test_a_truncated_reply_is_passed_on_as_it_is() -> None:
    upstream, reply = asked_of(truncating)
    assert reply.flags & dns.flags.TC
    assert [transport for transport, _ in upstream.queries] == ["udp"]


def test_a_truncated_reply_is_asked_for_over_tcp() -> None:
    upstream, reply = asked_of(truncating, prefer_udp=True)
    assert addresses(reply) == ["192.0.2.1"]
    assert [transport for transport, _ in upstream.queries] == ["udp", "tcp"]


def test_a_silent_server_is_left_for_another() -> None:
    with FakeUpstream(never) as silent, FakeUpstream(always) as other:
        wish = {"policy": "sequential", "read": 0.2}
        chain = Names({}, silent.address, other.address, **wish)
        with Server(chain, [LOOPBACK]) as server:
            started = time.monotonic()
            assert addresses(udp(server, NAME)) == ["192.0.2.1"]
            assert 0.15 < time.monotonic() - started < 2


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_nobody_there_is_servfail_in_time(transport: str) -> None:
    closed = FakeUpstream(never)
    closed.udp.close()
    closed.tcp.close()
    chain = Names({}, closed.address, transport=transport, timeout=0.3)
    with Server(chain, [LOOPBACK]) as server:
        started = time.monotonic()
        assert udp(server, NAME).rcode() == dns.rcode.SERVFAIL
        assert time.monotonic() - started < 2


def test_others_are_answered_while_upstreams_are_silent() -> None:
    with FakeUpstream(never) as silent:
        chain = Names({"web.cluster.local.": ["10.43.0.1"]}, silent.address, read=30, timeout=30)
        with Server(chain, [LOOPBACK]) as server:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            for n in range(1200):
                query = dns.message.make_query(f"n{n}.example.com.", "A")
                sock.sendto(query.to_wire(), ("127.0.0.1", server.ports[0]))
                if n % 50 == 0:
                    assert addresses(udp(server, "web.cluster.local.")) == ["10.43.0.1"]
            assert addresses(tcp(server, "web.cluster.local.")) == ["10.43.0.1"]
            (responder,) = server._responders.values()
            assert 0 < responder.waiting <= 1000
            sock.close()


def test_a_server_that_failed_is_asked_until_it_speaks() -> None:
    with FakeUpstream(never) as upstream:
        chain = Names({}, upstream.address, read=0.1, timeout=0.1, health_check=0.05)
        with Server(chain, [LOOPBACK]) as server:
            assert udp(server, NAME).rcode() == dns.rcode.SERVFAIL
            state = server._forwarder.known[upstream.address]
            assert state.probing
            upstream.behaviour = always
            deadline = time.monotonic() + 5
            while state.probing and time.monotonic() < deadline:
                time.sleep(0.02)
            assert (state.probing, state.fails) == (False, 0)
            probe = dns.message.from_wire(upstream.queries[-1][1])
            assert str(probe.question[0]) == ". IN NS"
