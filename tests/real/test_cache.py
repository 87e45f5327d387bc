"""A cache as time goes by: what is stale, and what takes its place."""

import time

from kubehop.dns.message import Question, Rcode, Record, Reply
from tests.real.asking import Ask, difference, said
from tests.real.mixing import answered
from tests.real.nameserver import nameserver
from tests.real.network import Network
from tests.real.ours import serving

WORLD = ("127.0.0.14", 5300)
ZONES = {"now.test.": "serve_stale 1h", "asks.test.": "serve_stale 1h verify", "none.test.": ""}
COREFILE = "".join(
    f"{zone}:53 {{\nforward . {WORLD[0]}:{WORLD[1]}\n"
    f"cache {{\nsuccess 99 1 0\ndenial 99 1 0\nservfail 1s\n{stale}\n}}\n}}\n"
    for zone, stale in ZONES.items()
)
STALE_SECONDS = 2.05
"""So long after it came a reply that is kept for a second is stale: 1 - 2 is less than 0."""
SAYS = ("192.0.2.1", Rcode.SERVFAIL, "192.0.2.2")


def test_stale_answers(network: Network) -> None:
    says: list[str | Rcode] = [SAYS[0]]

    def answers(question: Question) -> Reply:
        match says[-1]:
            case Rcode() as rcode:
                return Reply(rcode, authority=(soa(),), recursive=True)
            case address:
                record = Record(question.name, 300, "A", address)
                return Reply(Rcode.NOERROR, (record,), recursive=True)

    ours, found = serving([], COREFILE, ()), []
    with nameserver(WORLD, answers, network.inside), network.coredns(COREFILE):
        for now in SAYS:
            time.sleep(STALE_SECONDS if len(says) > 1 else 0)
            says.append(now)
            for zone in (*ZONES, *ZONES):
                ask = Ask(f"x.{zone}", "A")
                (real,) = network.ask(ask)
                mine = answered(ours, ask, time.monotonic(), lambda wish: answers(wish.question))
                time.sleep(0.02)  # what is asked behind the answer
                found.append(f"{now} {zone}: {difference(said(real), said(mine))}")
    assert [line for line in found if not line.endswith(": ")] == []


def soa() -> Record:
    return Record(".", 60, "SOA", "a. b. 1 2 3 4 60")
