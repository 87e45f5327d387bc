"""The server with a real plugin chain: a Corefile over a cluster's objects."""

import time
from dataclasses import replace

import dns.message
import dns.rcode
import msgspec
import pytest

from kubehop.dns.chain import Serving
from kubehop.dns.corefile import parse
from kubehop.dns.zone import ZoneData
from kubehop.dnsserver import Listen, Server
from kubehop.model.changes import Change
from kubehop.model.node import Namespace
from tests.clusters import behind, cluster, endpoint, service
from tests.dnsserver.chains import LOOPBACK, addresses, udp
from tests.dnsserver.upstreams import FakeUpstream

WEB = "web.default.svc.cluster.local."
DB = "db.default.svc.cluster.local."
DEFAULT = msgspec.convert({"metadata": {"name": "default"}}, Namespace)


def served(*plugins: str) -> Server:
    """A Service with a cluster IP and one without, behind `kubernetes` and these plugins."""
    web, db = service("web"), service("db", clusterIP="None")
    slices = behind(db, endpoint("10.42.0.1"), endpoint("10.42.0.2"))
    objects = replace(cluster(web, db, *slices), namespaces=(DEFAULT,))
    lines = "\n".join(("kubernetes cluster.local {", "ttl 30", "}", *plugins))
    corefile = parse(f".:53 {{\n{lines}\n}}\n")
    return Server(Serving(corefile, ZoneData.of(objects), serial=1), [LOOPBACK])


def chain_calls(server: Server, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that get as far as the chain from now on."""
    (responder,) = server._responders.values()
    seen: list[str] = []
    answer = responder.chain.answer

    def counted(asked, now):  # type: ignore[no-untyped-def]
        seen.append(asked.question.name)
        return answer(asked, now)

    monkeypatch.setattr(responder.chain, "answer", counted)
    return seen


def test_a_changed_service_is_answered_anew_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with served() as server:
        seen = chain_calls(server, monkeypatch)
        for _ in range(2):
            assert addresses(udp(server, WEB)) == ["10.43.0.1"]
            assert len(addresses(udp(server, DB))) == 2
            assert udp(server, "www.example.com.default.svc.cluster.local.").rcode() == 3
        assert len(seen) == 3
        server.apply(Change(put=(service("web", clusterIP="10.43.0.9"),)))
        assert addresses(udp(server, WEB)) == ["10.43.0.9"]
        udp(server, DB)
        udp(server, "www.example.com.default.svc.cluster.local.")
        assert len(seen) == 4
        new = service("new", clusterIP="10.43.0.10")
        assert udp(server, "new.default.svc.cluster.local.").rcode() == dns.rcode.NXDOMAIN
        server.apply(Change(put=(new,)))
        assert addresses(udp(server, "new.default.svc.cluster.local.")) == ["10.43.0.10"]
        server.apply(Change(gone=(("Service", "default", "web"),)))
        assert udp(server, WEB).rcode() == dns.rcode.NXDOMAIN


def test_the_serial_is_the_time_of_the_last_change() -> None:
    def serial(server: Server) -> int:
        return int(udp(server, "cluster.local.", "SOA").answer[0][0].serial)

    with served() as server:
        assert serial(server) == serial(server) == 1
        before = int(time.time())
        server.apply(Change(put=(service("web", clusterIP="10.43.0.9"),)))
        assert before <= serial(server) <= time.time()


def test_addresses_take_turns_if_the_corefile_says_so() -> None:
    for plugins, expected in (((), 1), (("loadbalance",), 2)):
        with served(*plugins) as server:
            assert len({addresses(udp(server, DB))[0] for _ in range(64)}) == expected


def test_what_a_cache_repeats_needs_no_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    with served("cache 30") as server:
        seen = chain_calls(server, monkeypatch)
        started = time.monotonic()
        ttls = []
        while time.monotonic() - started < 1.5:
            ttls.append(udp(server, WEB).answer[0].ttl)
        assert len(ttls) > 20
        assert len(seen) < 6, "once a second, and again when it is too late for that"
    assert sorted(ttls, reverse=True) == ttls
    assert set(ttls) == {30, 29}


def test_a_cached_reply_from_outside_is_authoritative_from_the_second_time_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answers(query: bytes, _: str) -> list[bytes]:
        reply = dns.message.make_response(dns.message.from_wire(query))
        name = reply.question[0].name
        reply.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "192.0.2.1"))
        return [reply.to_wire()]

    with FakeUpstream(answers) as upstream:
        with served("cache 30", f"forward . {upstream.address}") as server:
            seen = chain_calls(server, monkeypatch)
            flags = [bool(udp(server, "www.example.com.").flags & dns.flags.AA) for _ in range(10)]
        assert flags == [False] + [True] * 9
        assert len(upstream.queries) == 1
        assert len(seen) < 6


def test_each_port_has_its_server_blocks() -> None:
    text = ".:53 {\nkubernetes cluster.local\n}\n.:5353 {\nkubernetes other.local\n}\n"
    data = ZoneData.of(replace(cluster(service("web")), namespaces=(DEFAULT,)))
    places = [Listen("127.0.0.1", 0, serves=53), Listen("127.0.0.1", 0, serves=5353)]
    with Server(Serving(parse(text), data), places) as server:
        assert addresses(udp(server, WEB)) == ["10.43.0.1"]
        assert udp(server, WEB, listener=1).rcode() == dns.rcode.SERVFAIL
        reply = udp(server, "web.default.svc.other.local.", listener=1)
        assert addresses(reply) == ["10.43.0.1"]
