"""Packets that mean no good: the server answers everybody else."""

import socket

import pytest

from kubehop.dnsserver import Server, table
from tests.dnsserver.chains import LOOPBACK, Names, addresses, question, udp
from tests.dnsserver.mutations import MUTATIONS, WEB, attack, mutated


def test_damaged_packets_lose_no_valid_answer() -> None:
    found = attack(50_000, seed=1)
    assert found.asked > 1000
    assert found.answered == found.asked


def test_packets_are_damaged_in_many_ways_and_reproducibly() -> None:
    packets = list(mutated(1000, seed=2))
    assert len(set(packets)) > 900
    assert packets == list(mutated(1000, seed=2))
    assert len(MUTATIONS) == 8


def test_a_flood_of_distinct_names_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names({WEB: ["10.43.0.1"]})
    with Server(names, [LOOPBACK]) as server:
        (responder,) = server._responders.values()
        monkeypatch.setattr(responder, "table", table.Table(100, 100))
        template = question("n00000.cluster.local.").to_wire()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(("127.0.0.1", server.ports[0]))
            for number in range(5000):
                sock.send(template.replace(b"n00000", b"n%05d" % number))
                if number % 50 == 0:
                    assert addresses(udp(server, WEB)) == ["10.43.0.1"]
        assert sum(names.seen.values()) > 4000
        assert len(responder.table) <= 200
        assert len(responder.table.replies) <= 200 * table.MOST_REPLIES
    assert names.seen[WEB, "A"] == 1, "what has records is not pushed out by what has none"
