"""Real clients in a pod's namespace ask our server: queries and outcomes are those predicted."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import dns.message
import pytest

from kubehop.dns.chain import Serving
from kubehop.dns.lookup.drive import Lookup, drive
from kubehop.dns.lookup.protocol import Query, Silence, Transport
from kubehop.dns.message import Rcode, Reply
from kubehop.dns.resolv import hosts
from tests.real.asking import Ask, decoded, query_bytes
from tests.real.clients import CLIENTS, Client, Got, expected
from tests.real.corefiles import KUBEADM
from tests.real.generated import fixture
from tests.real.internet import internet
from tests.real.nameserver import Seen, encoded, nameserver
from tests.real.namespace import Namespace, namespace
from tests.real.network import UPSTREAM
from tests.real.ours import answered, serving
from tests.real.pods import DEAD_ADDRESS, DNS_ADDRESS, POD_ADDRESS, PODS, files, pod
from tests.real.selecting import Json
from tests.real.serve import served

NAMES = (
    "whoami",
    "whoami.default",
    "whoami.default.svc",
    "whoami.default.svc.cluster.local",
    "whoami.default.svc.cluster.local.",
    "kubernetes.default",
    "example.com",
    "example.com.",
    "v4only.example.net",
    "www.example.org",
    "nosuch",
    "nosuch.default",
    "a.b.c.d.e.example.com",
    "demo",
    "dual",
    "six",
    "ext",
    "headless.demo",
    "big.demo",
    "servfail.example.net.",
    "refused.example.net.",
    "legacy",
    "mypod",
    "web-0",
    "localhost",
    "10.42.1.5",
)
COREFILE = KUBEADM.replace("{upstream}", "{}:{}".format(*UPSTREAM)).replace(
    "endpoint {api}", "endpoint http://127.0.0.1:1"
)


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Namespace]:
    """The pod's namespace; its queries come from the pod's address."""
    folder = tmp_path_factory.mktemp("pod")
    with namespace(folder, [DNS_ADDRESS, DEAD_ADDRESS], source=POD_ADDRESS) as made:
        yield made


@pytest.fixture(scope="module")
def cluster() -> list[Json]:
    return fixture()


@pytest.fixture(scope="module")
def chain(cluster: list[Json]) -> Serving:
    return serving(cluster, COREFILE, (DNS_ADDRESS,))


@dataclass
class Lab:
    """What a lookup needs: `log` takes what was asked since the last time."""

    inside: Namespace
    folder: Path
    answer: Callable[[Query], Reply | Silence]
    log: Callable[[], list[Seen]]

    def difference(self, client: Client, name: str, etc: dict[str, str]) -> str:
        """How a real lookup differs from its prediction."""
        for file, text in etc.items():
            self.inside.write(file, text)
        self.log()
        began = time.monotonic()
        ran = self.inside.run(*client.command(self.folder), name)
        seconds = time.monotonic() - began
        predicted = predict(client, name, etc, self.answer)
        got, sent = client.read(ran), _steps(self.log(), client.at_once)
        wanted, steps = expected(predicted.outcome), _predicted_steps(predicted, client.at_once)
        if (client.machine.parallel or client.at_once) and _is_servfail(predicted):
            # Retries are not counted by type: whichever reply comes first uses them up.
            sent, steps = _totals(sent), _totals(steps)
        if sent != steps:
            return f"asked {sent}, predicted {steps}"
        if not _agree(got, wanted, _is_cut(predicted)):
            return f"got {got}, predicted {wanted}"
        if not predicted.seconds - 0.3 <= seconds <= predicted.seconds + 1.5:
            return f"took {seconds:.1f} s, predicted {predicted.seconds}"
        return ""


def predict(
    client: Client, name: str, etc: dict[str, str], answer: Callable[[Query], Reply | Silence]
) -> Lookup:
    machine = client.machine.machine(name, etc["resolv.conf"], hosts.parse(etc["hosts"]))
    return drive(machine, answer)


Step = tuple[str, tuple[str, ...]]
"""A name, and what was asked of it: A and AAAA go out together and may arrive in either order."""


def _steps(seen: Iterable[Seen], at_once: bool) -> list[Step]:
    return _grouped(((s.question.name, f"{s.question.type}/{s.transport}") for s in seen), at_once)


def _predicted_steps(lookup: Lookup, at_once: bool) -> list[Step]:
    queries = (step.query for step in lookup.steps)
    heard = (q for q in queries if q.server != DEAD_ADDRESS)
    asked = ((q.question.name, f"{q.question.type}/{q.transport}") for q in heard)
    return _grouped(asked, at_once)


def _is_cut(lookup: Lookup) -> bool:
    """True if its last answer was truncated: which records it has is chance, how many is not."""
    results = [step.result for step in lookup.steps if isinstance(step.result, Reply)]
    return any(reply.truncated for reply in results[-2:])


def _is_servfail(lookup: Lookup) -> bool:
    results = (step.result for step in lookup.steps)
    return any(isinstance(r, Reply) and r.rcode == Rcode.SERVFAIL for r in results)


def _totals(steps: list[Step]) -> list[Step]:
    return [(name, (str(len(asked)),)) for name, asked in steps]


def _agree(got: Got, wanted: Got, cut: bool) -> bool:
    if cut and len(got.addresses) == len(wanted.addresses):
        return replace(got, addresses=wanted.addresses) == wanted
    return got == wanted


def _grouped(asked: Iterable[tuple[str, str]], at_once: bool) -> list[Step]:
    folded = [(name.lower(), how) for name, how in asked]
    if at_once:
        # What is forwarded is logged later, when it is answered.
        folded.sort()
    groups = groupby(folded, key=lambda pair: pair[0])
    return [(name, tuple(sorted(how for _, how in group))) for name, group in groups]


def _fitted(query: Query, reply: Reply) -> Reply:
    """The reply as the wire brings it."""
    limit = 65535 if query.transport is Transport.TCP else query.payload or 512
    ask = Ask(query.question.name, query.question.type, payload=query.payload)
    return decoded(encoded(dns.message.from_wire(query_bytes(ask)), reply, limit))


# Healthy


@pytest.fixture(scope="module")
def healthy(
    inside: Namespace,
    cluster: list[Json],
    chain: Serving,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Lab]:
    """Our server as cluster DNS, with an upstream that answers."""
    folder = tmp_path_factory.mktemp("server")

    def answer(query: Query) -> Reply | Silence:
        if query.server == DEAD_ADDRESS:
            return Silence.SILENT
        ask = Ask(query.question.name, query.question.type, query.transport, query.payload)
        return _fitted(query, answered(chain, ask, time.monotonic()))

    place = (DNS_ADDRESS, 53)
    with (
        nameserver(UPSTREAM, internet, inside),
        served(cluster, COREFILE, inside, folder, place, (DNS_ADDRESS,)) as server,
    ):
        yield Lab(inside, folder, answer, server.taken)


@pytest.mark.parametrize("spec", PODS)
@pytest.mark.parametrize("client", CLIENTS)
def test_lookups_are_as_predicted(healthy: Lab, client: str, spec: str) -> None:
    etc = files(pod(**PODS[spec]))
    names = NAMES if spec == "plain" else NAMES[::2]
    differ = {name: healthy.difference(CLIENTS[client], name, etc) for name in names}
    assert {name: found for name, found in differ.items() if found} == {}
