"""Real clients with nameservers that are silent, gone or wrong: all is as predicted."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from kubehop.dns.lookup.protocol import Query, Silence
from kubehop.dns.message import Question, Rcode, Reply
from kubehop.dns.names import folded, within
from tests.real.asking import Ask
from tests.real.clients import CLIENTS
from tests.real.generated import fixture
from tests.real.lookups import Pod, fitted
from tests.real.nameserver import Log, Seen, nameserver
from tests.real.namespace import namespace
from tests.real.ours import answered, serving
from tests.real.pods import (
    DEAD_ADDRESS,
    DNS_ADDRESS,
    HURRIED,
    POD_ADDRESS,
    SILENT_ADDRESS,
    files,
    pod,
)
from tests.real.test_clients import COREFILE

Fault = Callable[[Question, Reply], Reply | None]
"""What comes instead of the reply to a question; None is silence."""

NXDOMAIN, SERVFAIL, REFUSED = (
    Reply(rcode, recursive=True) for rcode in (Rcode.NXDOMAIN, Rcode.SERVFAIL, Rcode.REFUSED)
)
FAULTS: dict[str, Fault] = {
    "outside is silent": lambda q, reply: (_inside(q) and reply) or None,
    "outside fails": lambda q, reply: reply if _inside(q) else SERVFAIL,
    "AAAA is silent": lambda q, reply: None if q.type == "AAAA" else reply,
    "AAAA is denied": lambda q, reply: NXDOMAIN if q.type == "AAAA" else reply,
    "AAAA fails": lambda q, reply: SERVFAIL if q.type == "AAAA" else reply,
    "all is refused": lambda q, reply: REFUSED,
    "all is silent": lambda q, reply: None,
    "none": lambda q, reply: reply,
}
SERVERS = {
    "one": (DNS_ADDRESS,),
    "first is silent": (SILENT_ADDRESS, DNS_ADDRESS),
    "first is gone": (DEAD_ADDRESS, DNS_ADDRESS),
}
CASES = [(fault, "one") for fault in FAULTS] + [("none", servers) for servers in SERVERS]
NAMES = ("whoami", "example.com", "nosuch.")
LONGEST = 5.0
"""Seconds: lookups that are predicted to take longer are left out."""
AT_ONCE = 20


def _inside(question: Question) -> bool:
    return within(folded(question.name), "cluster.local.")


@contextmanager
def _pod(folder: Path, programs: Path, fault: Fault) -> Iterator[Pod]:
    """A pod of its own for each case, so that all can wait at the same time."""
    chain, log = serving(fixture(), COREFILE, (DNS_ADDRESS,)), Log()

    def reply(question: Question) -> Reply | None:
        whole = answered(chain, Ask(question.name, question.type, "tcp"))
        return fault(question, whole)

    def answer(query: Query) -> Reply | Silence:
        if query.server == DEAD_ADDRESS:
            return Silence.UNREACHABLE
        found = None if query.server == SILENT_ADDRESS else reply(query.question)
        return fitted(query, found) if found else Silence.SILENT

    addresses = [DNS_ADDRESS, SILENT_ADDRESS, DEAD_ADDRESS]
    with (
        namespace(folder, addresses, source=POD_ADDRESS) as inside,
        nameserver((DNS_ADDRESS, 53), reply, inside, log),
        nameserver((SILENT_ADDRESS, 53), lambda question: None, inside, log),
    ):
        yield Pod(inside, programs, answer, lambda: _settled(log))


def _settled(log: Log) -> list[Seen]:
    """What was seen, once a server that nobody waits for has had the time to see it."""
    time.sleep(0.05)
    return log.taken()


def test_lookups_under_faults_are_as_predicted(tmp_path: Path) -> None:
    for client in CLIENTS.values():
        client.command(tmp_path)  # compiled once

    def run(case: tuple[int, tuple[str, str, str]]) -> list[str]:
        index, (client, fault, servers) = case
        folder = tmp_path / str(index)
        folder.mkdir()
        spec = {**HURRIED, "dnsPolicy": "None"}
        spec["dnsConfig"] = {**HURRIED["dnsConfig"], "nameservers": SERVERS[servers]}
        spec["dnsConfig"]["searches"] = ["default.svc.cluster.local", "cluster.local"]
        etc, found = files(pod(**spec)), []
        with _pod(folder, tmp_path, FAULTS[fault]) as asking:
            for name in NAMES:
                if asking.predicted(CLIENTS[client], name, etc).seconds <= LONGEST:
                    said = asking.difference(CLIENTS[client], name, etc)
                    found.append(said and f"{client}, {fault}, {servers}, {name}: {said}")
        return found

    cases = enumerate((client, *case) for client in CLIENTS for case in CASES)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        said = [line for lines in pool.map(run, cases) for line in lines]
    assert [line for line in said if line] == []
    assert len(said) > 200
