"""Queries over UDP, with dnspython as the client."""

import socket
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import pytest

from kubehop.dnsserver import Listen, Server
from tests.dnsserver.chains import LOOPBACK, Names, addresses, question, udp

WEB = "web.default.svc.cluster.local."
BIG = "big.demo.svc.cluster.local."


@pytest.fixture
def names() -> Names:
    return Names(
        {
            WEB: ["10.43.0.1"],
            BIG: [f"10.42.9.{n}" for n in range(1, 101)],
        }
    )


@pytest.fixture
def server(names: Names) -> Iterator[Server]:
    with Server(names, [LOOPBACK]) as running:
        yield running


def test_an_answer_and_again_from_the_table(server: Server, names: Names) -> None:
    for _ in range(3):
        reply = udp(server, WEB)
        assert addresses(reply) == ["10.43.0.1"]
        assert dns.flags.to_text(reply.flags) == "QR AA RD"
    assert names.seen[WEB, "A"] == 1


def test_what_does_not_exist_is_answered_from_the_table_too(server: Server, names: Names) -> None:
    for _ in range(3):
        reply = udp(server, "web.cluster.local.")
        assert reply.rcode() == dns.rcode.NXDOMAIN
        assert str(reply.authority[0].name) == "cluster.local."
    assert names.seen["web.cluster.local.", "A"] == 1


def test_no_data_of_that_type(server: Server) -> None:
    reply = udp(server, WEB, "AAAA")
    assert (reply.rcode(), reply.answer) == (dns.rcode.NOERROR, [])


def test_the_spelling_is_the_clients(server: Server, names: Names) -> None:
    udp(server, WEB)
    reply = udp(server, "wEB.default.svc.CLUSTER.local.")
    assert str(reply.question[0].name) == "wEB.default.svc.CLUSTER.local."
    assert str(reply.answer[0].name) == "wEB.default.svc.CLUSTER.local."
    missing = udp(server, "nO.CLUSTER.local.")
    assert str(missing.authority[0].name) == "CLUSTER.local."
    assert names.seen.total() == 2


def test_edns_comes_back_only_if_it_was_there(server: Server) -> None:
    for _ in range(2):
        assert udp(server, WEB).edns == -1
        reply = udp(server, WEB, payload=1232)
        assert (reply.edns, reply.payload) == (0, 1232)


@pytest.mark.parametrize(("payload", "count"), [(0, 29), (1232, 73), (4096, 100)])
def test_as_much_as_fits(server: Server, payload: int, count: int) -> None:
    for _ in range(2):
        reply = dns.message.from_wire(raw(server, question(BIG, payload=payload).to_wire()))
        assert len(addresses(reply)) == count
        assert bool(reply.flags & dns.flags.TC) == (count < 100)


@pytest.mark.parametrize("turning", [True, False])
def test_with_loadbalance_every_address_comes_first_now_and_then(turning: bool) -> None:
    names = Names({BIG: ["10.42.0.1", "10.42.0.2"]})
    with Server(names.with_loadbalance() if turning else names, [LOOPBACK]) as server:
        first = {addresses(udp(server, BIG))[0] for _ in range(64)}
    assert first == ({"10.42.0.1", "10.42.0.2"} if turning else {"10.42.0.1"})


def test_malformed_queries_are_refused_and_replies_ignored(server: Server) -> None:
    query = question(WEB).to_wire()
    assert raw(server, query[:-1])[3] & 15 == dns.rcode.FORMERR
    assert raw(server, query[:2] + b"\x28\0" + query[4:])[3] & 15 == dns.rcode.NOTIMP
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", server.ports[0]))
        sock.settimeout(5)
        sock.send(query[:2] + b"\x81\0" + query[4:])
        sock.send(query[:9])
        sock.send(b"")
        sock.send(query)
        assert sock.recv(512)[3] & 15 == dns.rcode.NOERROR, "the first that gets a reply"


def test_a_fault_in_the_chain_is_servfail_and_no_end(server: Server) -> None:
    assert udp(server, "fault.cluster.local.").rcode() == dns.rcode.SERVFAIL
    assert addresses(udp(server, WEB)) == ["10.43.0.1"]


def raw(server: Server, octets: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", server.ports[0]))
        sock.settimeout(5)
        sock.send(octets)
        return sock.recv(65535)


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_the_reply_comes_from_the_address_that_was_asked(names: Names, address: str) -> None:
    host = "127.9.9.9" if address == "0.0.0.0" else "::1"
    with Server(names, [Listen(address, 0)]) as server:
        for _ in range(2):  # dnspython takes no reply from elsewhere
            assert addresses(udp(server, WEB, host=host)) == ["10.43.0.1"]
    assert names.clients == {"127.0.0.1" if address == "0.0.0.0" else "::1"}


def test_ipv6(names: Names) -> None:
    with Server(names, [Listen("::1", 0)]) as server:
        assert addresses(udp(server, WEB, host="::1")) == ["10.43.0.1"]
    assert names.clients == {"::1"}
