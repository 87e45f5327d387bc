"""Mixtures asked of the real CoreDNS and of ours."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random

from kubehop.dns.chain import Asked, Serving, Upstream
from kubehop.dns.message import Question, Rcode, Record, Reply
from tests.real.asking import OLD_SERIAL, Ask, difference, joined, said
from tests.real.generated import OWN_ADDRESS, generated
from tests.real.internet import internet
from tests.real.mixtures import mixture
from tests.real.nameserver import nameserver
from tests.real.network import POD_ADDRESSES, UPSTREAM, Network, filled
from tests.real.odd_objects import odd_objects
from tests.real.ours import serving
from tests.real.questions import TYPES, questions
from tests.real.selecting import Json

OTHER = ("127.0.0.12", 5300)
DEAD = ("127.0.0.13", 5300)
World = Callable[[Upstream], Reply | None]
LOCAL = "cluster.local."
SEARCH = "search node.example.net example.org\nnameserver 127.0.0.1\n"
CLIENTS = POD_ADDRESSES[:8]


def elsewhere(question: Question) -> Reply:
    """A resolver that knows little: a zone of its own, refusals, failures, and nothing else."""
    name = question.name.lower()
    if name.endswith("corp.example.") and question.type == "A":
        record = Record(question.name, 7, "A", "192.0.2.200")
        return Reply(Rcode.NOERROR, (record,), authoritative=True, recursive=True)
    if name.endswith(".net."):
        return Reply(Rcode.REFUSED, recursive=True)
    if name.startswith("www."):
        return Reply(Rcode.SERVFAIL, recursive=True)
    soa = Record(".", 60, "SOA", "a.elsewhere. b.elsewhere. 7 1 1 1 1")
    return Reply(Rcode.NXDOMAIN, authority=(soa,), recursive=True)


@contextmanager
def resolvers(network: Network) -> Iterator[None]:
    """What mixtures forward to, beside the usual upstream."""
    with nameserver(OTHER, elsewhere, network.inside):
        yield


def world(wish: Upstream) -> Reply | None:
    """What the resolvers of a wish say: the first that is there and does not fail over."""
    for server in wish.servers:
        answers = {"{}:{}".format(*UPSTREAM): internet, "{}:{}".format(*OTHER): elsewhere}.get(
            server
        )
        reply = answers(wish.question) if answers else None
        if reply is not None and reply.rcode not in wish.failover:
            return reply
    return None


def answered(served: Serving, ask: Ask, now: float, says: World = world) -> Reply:
    """The reply; what the chain wants asked outside, `says` answers."""
    asked = Asked(
        Question(ask.name, ask.type),
        client=ask.client,
        transport="tcp" if ask.transport == "tcp" else "udp",
        payload=ask.payload,
        serial=OLD_SERIAL if ask.type == "IXFR" else 0,
    )
    chain = served.answer(asked, now)
    try:
        wanted = next(chain)
        while True:
            wanted = chain.send(says(wanted))
    except StopIteration as end:
        reply: Reply = end.value
        return reply


def cluster(seed: int) -> list[Json]:
    """A generated cluster with odd objects, its namespaces labelled."""
    random = Random(seed)
    objects = [*generated(seed), *odd_objects(seed)]
    for obj in objects:
        if obj["kind"] == "Namespace":
            obj["metadata"]["labels"] = {"tier": random.choice("aab")}
        elif obj["metadata"].get("namespace") == "kube-system" and _is_cluster_dns(obj):
            # CoreDNS ends a transfer with two addresses badly, with none never: one it is,
            # and both objects or neither are seen through a selector.
            obj["metadata"]["labels"] = obj["metadata"].get("labels", {}) | {"tier": "a"}
            if obj["kind"] == "Service":
                obj["spec"]["clusterIPs"] = obj["spec"]["clusterIPs"][:1]
    return objects


def _is_cluster_dns(obj: Json) -> bool:
    name = obj["metadata"]["name"]
    return bool(name == "kube-dns" or name.startswith("kube-dns-"))


def asks(objects: list[Json], names: tuple[str, ...], seed: int, count: int) -> list[Ask]:
    """Questions about a cluster and about what the plugins know; some of them twice."""
    random = Random(seed)
    found = questions(objects, LOCAL, seed, count)
    for name in names:
        found += [Ask(name, kind, payload=4096) for kind in ("A", *random.sample(TYPES, 3))]
    found += random.sample(found, len(found) // 4)
    found += [_searched(random, ask) for ask in random.sample(found, len(found) // 8)]
    found += [Ask(LOCAL, kind, "tcp") for kind in ("AXFR", "IXFR")]
    random.shuffle(found)
    return [replace(ask, client=random.choice(CLIENTS)) for ask in found]


def _searched(random: Random, ask: Ask) -> Ask:
    """The question as a client with a search list asks it first."""
    suffix = f"{random.choice(('default', 'demo', 'a'))}.svc.{LOCAL}"
    name = f"{ask.name.removesuffix('.')}.{suffix}"
    return replace(ask, name=name) if ask.name != "." and len(name) < 250 else ask


def disagreements(network: Network, seed: int, count: int) -> list[str]:
    """A line for every question of a mixture that the two answer differently."""
    mixed, objects = mixture(seed), cluster(seed)
    network.inside.write("resolv.conf", SEARCH)
    with network.api(objects) as api:
        corefile = filled(mixed.corefile, api)
        for name, server in (("{other}", OTHER), ("{dead}", DEAD)):
            corefile = corefile.replace(name, "{}:{}".format(*server))
        ours = serving(objects, corefile, (OWN_ADDRESS,), resolv_conf=SEARCH)
        slack = 2 if "cache" in corefile else 0
        with network.coredns(corefile):
            found = (
                _difference(network, ours, a, slack)
                for a in asks(objects, mixed.names, seed, count)
            )
            return [line for line in found if line]


def _difference(network: Network, ours: Serving, ask: Ask, slack: int) -> str:
    replies = network.ask(ask)
    mine = answered(ours, ask, time.monotonic())
    if replies and replies[0].truncated:
        # What is cut away is a matter of the wire, compared elsewhere.
        ask = replace(ask, transport="tcp")
        replies, mine = network.ask(ask), answered(ours, ask, time.monotonic())
    found = difference(said(joined(replies)), said(mine), slack) if replies else "no reply"
    return found and f"{ask.name} {ask.type} {ask.transport} from {ask.client}: {found}"
