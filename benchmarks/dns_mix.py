"""A cluster of 10,000 Services and 150,000 pods, and what its pods ask cluster DNS.

A fifth of the queries are for Services; four fifths are the misses of search lists: pods that ask
for a host outside try it under three domains of the cluster first (ndots:5). Half of all are AAAA.
"""

import random
from collections.abc import Iterator

import msgspec

from benchmarks import generator
from kubehop.model.cluster import Cluster
from kubehop.model.meta import Object
from kubehop.model.node import Namespace
from kubehop.model.pod import Pod
from kubehop.model.service import EndpointSlice, Service

DOMAIN = "cluster.local"
NAMESPACES = 100
HOSTS = 200
"""Names outside that pods ask for."""
MISSES_PER_HIT = 4

Address = tuple[str, str]
"""A Service's full name and its cluster IP."""


def objects(scale: float, pods: bool = True) -> Iterator[generator.Json]:
    """What CoreDNS lists of the generated cluster, as JSON values."""
    for number in range(NAMESPACES):
        yield {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": f"team-{number}", "uid": f"namespace-{number}"},
        }
    wanted = ("Service", "EndpointSlice", *(["Pod"] if pods else []))
    yield from (item for item in generator.items(scale) if item["kind"] in wanted)


def cluster(scale: float) -> Cluster:
    """The same as kubehop reads it."""
    found: dict[type[Object], list[Object]] = {
        Namespace: [],
        Service: [],
        EndpointSlice: [],
        Pod: [],
    }
    kinds = {kind.__name__: kind for kind in found}
    for item in objects(scale):
        kind = kinds[item["kind"]]
        found[kind].append(msgspec.convert(item, kind))
    tables = {kind.__name__: tuple(table) for kind, table in found.items()}
    return Cluster(
        namespaces=tables["Namespace"],  # type: ignore[arg-type]
        services=tables["Service"],  # type: ignore[arg-type]
        slices=tables["EndpointSlice"],  # type: ignore[arg-type]
        pods=tables["Pod"],  # type: ignore[arg-type]
    )


def addresses(scale: float) -> list[Address]:
    """Every Service, for the servers that read a zone."""
    found = (generator.service(number) for number in range(int(generator.SERVICES * scale)))
    return [
        (
            f"{one['metadata']['name']}.{one['metadata']['namespace']}.svc.{DOMAIN}.",
            one["spec"]["clusterIP"],
        )
        for one in found
    ]


def queries(scale: float) -> list[str]:
    """Lines for dnsperf, in an order that is always the same."""
    hits = [f"{name} {type}" for name, _ in addresses(scale) for type in ("A", "AAAA")]
    dice = random.Random(1)
    misses: list[str] = []
    while len(misses) < MISSES_PER_HIT * len(hits):
        host = f"host-{dice.randrange(HOSTS)}.example.com"
        team = f"team-{dice.randrange(NAMESPACES)}"
        for domain in (f"{team}.svc.{DOMAIN}.", f"svc.{DOMAIN}.", f"{DOMAIN}."):
            misses += [f"{host}.{domain} {type}" for type in ("A", "AAAA")]
    lines = hits + misses[: MISSES_PER_HIT * len(hits)]
    dice.shuffle(lines)
    return lines
