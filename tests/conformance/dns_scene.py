"""The server that a DNS case is about: its cluster, its Corefile and what surrounds it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from kubehop.dns.chain import own_addresses
from kubehop.dns.corefile.zones import is_reverse
from kubehop.dns.names import folded, within
from kubehop.dns.zone import KINDS, ZoneData
from kubehop.model.cluster import Cluster, sort_key
from kubehop.model.node import Namespace
from kubehop.model.pod import Pod
from kubehop.model.service import EndpointSlice, Service
from tests.conformance.dns_fragments import Raw, fragment
from tests.conformance.dns_upstream import Upstream, upstream_of
from tests.conformance.outcome import Case

API_STATES = {
    "ok": KINDS,
    "forbidden": frozenset[str](),
    "noslices": KINDS - {"EndpointSlice"},
}
OPTIONS = re.compile(
    r"(namespaces (?!not\b|all\b|option|exposed)[\w-]+|pods (?:disabled|insecure|verified)|"
    r"endpoint_pod_names|noendpoints|ignore empty_service|ttl \d+|fallthrough(?: [\w.-]+)*)"
)


@dataclass(frozen=True, slots=True)
class Scene:
    """A server: `synced` are the kinds that the API has given, `own` CoreDNS's addresses.

    `cluster` holds what CoreDNS has, which may be more: a listing can have been cut short.
    """

    cluster: Cluster
    corefile: str
    synced: frozenset[str]
    own: tuple[str, ...]
    upstream: Upstream

    def data(self) -> ZoneData:
        """What the server answers from."""
        data = ZoneData.of(self.cluster)
        data.synced = self.synced
        return data


def scene_of(case: Case, document: Case) -> Scene:
    """The server of a case. One that was observed had the whole fixture loaded."""
    observed = case.get("api") is not None
    label = case.get("server_config") or ""
    given = API_STATES[case.get("api") or "ok"]
    unsynced = re.search("not (been )?synced|unsynced", label.lower())
    raw = _fixture(document["fixture"]) if observed else fragment(case)
    bound = re.search(r"bound (?:IP|to) ([0-9a-fA-F.:]+)", label)
    return Scene(
        _cluster(raw, given),
        case.get("corefile") or _corefile(label, case["query"]["name"]),
        API_STATES["forbidden"] if unsynced else given,
        (bound[1],) if bound else own_addresses(_cluster(raw, KINDS)),
        upstream_of(label),
    )


def _corefile(label: str, name: str) -> str:
    """What a label says about a configuration of which the text is not given."""
    named = re.search(r"zones? ((?:[\w-]+\.[\w.-]+[ ,]*)+)", label)
    zones = named[1].replace(",", " ") if named else _zones(folded(name))
    options = "\n".join(OPTIONS.findall(label))
    return f".:53 {{\nkubernetes {zones} {{\n{options}\n}}\n}}\n"


def _zones(name: str) -> str:
    """The zones of a cluster in which `name` can be asked for."""
    if is_reverse(name):
        return "cluster.local in-addr.arpa ip6.arpa"
    below = re.search(r"(?:^|\.)(?:svc|pod)\.(?!.*\.(?:svc|pod)\.)(.+)", name)
    return below[1] if below and not within(name, "cluster.local.") else "cluster.local"


def _fixture(fixture: Raw) -> list[Raw]:
    kinds = {"services": "Service", "endpointslices": "EndpointSlice", "pods": "Pod"}
    named = [{"kind": "Namespace", "metadata": {"name": name}} for name in fixture["namespaces"]]
    rest = [{"kind": kind, **raw} for key, kind in kinds.items() for raw in fixture[key]]
    return named + rest


def _cluster(raws: Iterable[Raw], given: frozenset[str]) -> Cluster:
    kinds = {"Namespace": Namespace, "Service": Service, "EndpointSlice": EndpointSlice, "Pod": Pod}
    found: dict[str, list[Any]] = {kind: [] for kind in kinds}
    for raw in raws:
        if raw["kind"] in given:
            found[raw["kind"]].append(msgspec.convert(raw, kinds[raw["kind"]]))
    tables = {kind: tuple(sorted(objects, key=sort_key)) for kind, objects in found.items()}
    return Cluster(
        namespaces=tables["Namespace"],
        services=tables["Service"],
        slices=tables["EndpointSlice"],
        pods=tables["Pod"],
    )
