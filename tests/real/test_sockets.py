"""The real CoreDNS beside our server, both over sockets: what the wire adds."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from kubehop.dns.message import Reply
from tests.real.asking import Ask, Said, difference, exchange, joined, said
from tests.real.corefiles import COREFILES
from tests.real.generated import OWN_ADDRESS, fixture, generated
from tests.real.network import Network, filled
from tests.real.questions import questions
from tests.real.selecting import Json
from tests.real.serve import OurServer, served
from tests.real.test_coredns import LOCAL

OURS = ("127.0.0.54", 5353)
BIG = ("big.demo.svc.cluster.local.", "_http._tcp.big.demo.svc.cluster.local.", "many.example.net.")


def _compared(network: Network, ours: OurServer, ask: Ask) -> str:
    real = joined(network.ask(ask))
    mine = joined(exchange(ask, OURS, ours.inside))
    return f"{ask}: {found}" if (found := _differ(real, mine)) else ""


def _differ(real: Reply, mine: Reply) -> str:
    """Which records are cut away depends on their order, which is none; how many does not."""
    if not real.truncated:
        return difference(_folded(said(real)), _folded(said(mine)))
    return difference(_counts(real), _counts(mine))


def _folded(found: Said) -> Said:
    """Owners stay as they are spelt; a name in data may point to the question's spelling."""

    def fold(lines: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(
            f"{owner} {rest.lower()}" for owner, _, rest in (s.partition(" ") for s in lines)
        )

    parts = fold(found.answer), fold(found.authority), fold(found.additional)
    return Said(found.rcode, found.authoritative, found.recursive, found.truncated, *parts)


def _counts(reply: Reply) -> Said:
    found = said(reply)
    counts = [(str(len(part)),) for part in (found.answer, found.authority, found.additional)]
    return Said(found.rcode, found.authoritative, found.recursive, found.truncated, *counts)


@pytest.fixture(scope="module", params=["fixture", "generated"])
def objects(request: pytest.FixtureRequest) -> list[Json]:
    return fixture() if request.param == "fixture" else generated(0)


@pytest.fixture(scope="module")
def ours(
    objects: list[Json], network: Network, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OurServer]:
    """Our server with a cluster that the real one serves too."""
    folder = tmp_path_factory.mktemp("ours")
    with network.api(objects) as api:
        corefile = filled(COREFILES["verified"], api)
        own = (OWN_ADDRESS,)
        with (
            network.coredns(corefile),
            served(objects, corefile, network.inside, folder, OURS, own) as server,
        ):
            yield server


@pytest.mark.parametrize("payload", [0, 512, 1232, 4096])
def test_same_replies_of_any_size(
    network: Network, ours: OurServer, objects: list[Json], payload: int
) -> None:
    random = Random(payload)
    names = [Ask(name, kind, payload=payload) for name in BIG for kind in ("A", "SRV", "AAAA")]
    asks = [replace(ask, payload=payload) for ask in questions(objects, LOCAL, payload, 150)]
    over_tcp = [replace(ask, transport="tcp") for ask in random.sample([*asks, *names], 30)]
    found = [_compared(network, ours, ask) for ask in (*names, *asks, *over_tcp)]
    assert [line for line in found if line] == []


def test_same_replies_a_second_time(network: Network, ours: OurServer, objects: list[Json]) -> None:
    """What our server keeps is the same for another spelling, and for another client."""
    asks = questions(objects, LOCAL, 7, 100)
    again = [replace(ask, name=ask.name.swapcase()) for ask in asks]
    found = [_compared(network, ours, ask) for ask in (*asks, *asks, *again)]
    assert [line for line in found if line] == []
