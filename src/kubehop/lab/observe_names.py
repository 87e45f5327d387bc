"""A lookup answered twice: predicted from the objects, observed in a lab.

The lab really looks the name up with this machine's C library, as a program in the pod would,
and its DNS servers tell of the queries that come.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubehop.dns.lookup.protocol import Status
from kubehop.dns.lookup.resolvers import ERRNO, Resolver
from kubehop.dns.settings import DNSSettings
from kubehop.lab.lab import Lab
from kubehop.lab.libc_version import resolver_here
from kubehop.lab.names_seen import (
    Lookup,
    by_chance,
    differences,
    meets_servfail,
    observed,
    predicted,
)
from kubehop.lab.plan.files import Texts, host_pod_files
from kubehop.lab.plan.public_zone import public_settings
from kubehop.lab.servers.chains import Arrived
from kubehop.model.cluster import Cluster
from kubehop.model.errors import ClusterError
from kubehop.model.pod import Pod
from kubehop.trace.lookup_notes import OUTSIDE_IS
from kubehop.trace.lookups import Names, Prediction, origin_pod
from kubehop.trace.questions import Origin

PATIENCE = 30.0
"""Seconds until a lookup counts as one that hangs."""
LATE = 0.3
"""Seconds for servers to tell of queries that nobody waited for."""
TRIES = 8
"""Lookups until one fares as predicted, where that is so for some packets only."""

_WITHOUT_NODATA = ("musl-1.1.13", "musl-1.2.1")
"""Their getaddrinfo has no error for it: EAI_NODATA came with musl 1.2.4."""
_STATUS = {number: status for status, number in ERRNO.items()}
_SCRIPT = """
import os, socket, sys
name = os.fsencode(sys.argv[1])
try:
    for one in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM):
        print(one[4][0])
except socket.gaierror as error:
    print("error", error.errno)
"""


@dataclass(frozen=True, slots=True)
class LookupComparison:
    """The prediction, what was to be seen of it, what was seen, and where they differ."""

    prediction: Prediction
    predicted: Lookup
    observed: Lookup
    disagreements: tuple[str, ...]


def compare_lookup(
    lab: Lab, origin: Origin, namespace: str, name: str, say: Callable[[str], None] = lambda _: None
) -> LookupComparison:
    """Predict, then really look `name` up in the sandbox `namespace`, where `origin` is.

    The prediction is that of the cluster without faults. Raises UsageError for a name that is not
    ASCII, ClusterError if this machine's Python cannot be run there.
    """
    resolver = resolver_here()
    cluster = lab.cluster
    names = Names(cluster, public_settings(DNSSettings()))
    found = names.lookup(name, origin, resolver)
    wanted = _as_told(resolver, predicted(cluster, origin, found, PATIENCE))
    for _ in range(TRIES if by_chance(found) else 1):
        say(f"looking up {found.name}")
        seen = _looked_up(lab, origin, namespace, found.name, len(wanted.queries))
        differ = tuple(differences(resolver, wanted, seen, meets_servfail(found)))
        if not differ:
            break
    return LookupComparison(found, wanted, seen, differ)


def files_there(cluster: Cluster, pod: Pod | None) -> Texts:
    """What a program of the pod sees besides the files of its sandbox: nothing, but for one on
    the host's network, whose sandbox is its node's."""
    if pod is None or not pod.host_network:
        return ()
    return host_pod_files(Names(cluster, DNSSettings()), pod)


def _as_told(resolver: Resolver, wanted: Lookup) -> Lookup:
    """The outcome in the words that the C library has."""
    if wanted.status is Status.NO_DATA and resolver.name in _WITHOUT_NODATA:
        return Lookup(wanted.queries, wanted.pods, Status.NOT_FOUND, wanted.addresses)
    return wanted


def _looked_up(lab: Lab, origin: Origin, namespace: str, name: str, expected: int) -> Lookup:
    arrived: list[Arrived] = []
    command = (sys.executable, "-ISc", _SCRIPT, name)
    files = files_there(lab.cluster, origin_pod(lab.cluster, origin))
    with lab.watched_names(arrived.append):
        ran = lab.kernel.run(namespace, command, PATIENCE, files)
        mine = _awaited(lab.cluster, origin, arrived, expected)
    status, addresses = _read(ran.code, ran.out, ran.err)
    return observed(mine, status, addresses)


def _awaited(
    cluster: Cluster, origin: Origin, arrived: list[Arrived], expected: int
) -> list[Arrived]:
    """What came of ours, once servers have had time to tell of all."""
    until = time.monotonic() + LATE
    while True:
        mine = [one for one in tuple(arrived) if not _others(cluster, origin, one)]
        if len(mine) >= expected or time.monotonic() > until:
            return mine
        time.sleep(0.005)


def _others(cluster: Cluster, origin: Origin, one: Arrived) -> bool:
    """True for a query of another pod's; one whose source is a node's may be ours."""
    return one.client not in origin.addresses and cluster.pod_at(one.client) is not None


def _read(code: int | None, out: str, err: str) -> tuple[Status, tuple[str, ...]]:
    if code is None:
        return Status.HANGS, ()
    lines = out.split("\n")[:-1]
    if err or not lines:
        last = err.strip().rpartition("\n")[2]
        raise ClusterError(f"{sys.executable} cannot look names up in the lab: {last or code}")
    word, _, number = lines[0].partition(" ")
    if word == "error":
        return _STATUS.get(int(number), Status.FAILED), ()
    return Status.FOUND, tuple(lines)


# As JSON


def lookup_comparison_json(comparison: LookupComparison) -> dict[str, Any]:
    """The answer as `-o json` has it: kind LookupComparison."""
    found = comparison.prediction
    return {
        "apiVersion": "kubehop/v1",
        "kind": "LookupComparison",
        "name": found.name,
        "from": found.origin,
        "resolver": found.resolver.name,
        "agrees": not comparison.disagreements,
        "predicted": _as_json(comparison.predicted),
        "observed": _as_json(comparison.observed),
        "disagreements": list(comparison.disagreements),
        "notes": [note for note in found.notes if not note.startswith(OUTSIDE_IS)],
    }


def _as_json(lookup: Lookup) -> dict[str, Any]:
    return {
        "queries": [
            {"name": one.name, "type": one.type, "transport": one.transport}
            for one in lookup.queries
        ],
        "dnsPods": list(lookup.pods),
        "outcome": lookup.status.value,
        "addresses": list(lookup.addresses),
    }
