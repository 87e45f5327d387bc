"""The server that a DNS case is about: its cluster, its Corefile and what surrounds it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import msgspec

from kubehop.dns.chain import own_addresses
from kubehop.dns.names import labels
from kubehop.dns.zone import KINDS, ZoneData
from kubehop.model.cluster import Cluster, sort_key
from kubehop.model.node import Namespace
from kubehop.model.pod import Pod
from kubehop.model.service import SERVICE_NAME_LABEL, EndpointSlice, Service
from tests.conformance.dns_upstream import Upstream, upstream_of
from tests.conformance.outcome import Case

Raw = dict[str, Any]

API_STATES = {
    "ok": KINDS,
    "forbidden": frozenset[str](),
    "noslices": KINDS - {"EndpointSlice"},
}
MISSING_NAMESPACES = frozenset({"pod-nons", "nsnoexist"})
"""Namespaces that the API of CoreDNS's own tests has not; it has every other."""
OPTIONS = re.compile(
    r"(namespaces [\w-]+|pods (?:disabled|insecure|verified)|endpoint_pod_names|noendpoints|"
    r"ignore empty_service|ttl \d+|fallthrough(?: [\w.-]+)*)"
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
    label = case["server_config"]
    given = API_STATES[case.get("api") or "ok"]
    unsynced = "not synced" in label.lower()
    raw = _fixture(document["fixture"]) if observed else _fragment(case)
    bound = re.search(r"bound IP (\S+)", label)
    return Scene(
        _cluster(raw, given),
        case.get("corefile") or _corefile(label),
        API_STATES["forbidden"] if unsynced else given,
        (bound[1],) if bound else own_addresses(_cluster(raw, KINDS)),
        upstream_of(label),
    )


def _corefile(label: str) -> str:
    """What a label says about a configuration of which the text is not given."""
    zones = re.search(r"zones ((?:[\w-]+\.[\w.-]+ ?)+)", label)
    options = "\n".join(OPTIONS.findall(label))
    named = zones[1] if zones else "cluster.local"
    return f".:53 {{\nkubernetes {named} {{\n{options}\n}}\n}}\n"


def _fixture(fixture: Raw) -> list[Raw]:
    kinds = {"services": "Service", "endpointslices": "EndpointSlice", "pods": "Pod"}
    named = [{"kind": "Namespace", "metadata": {"name": name}} for name in fixture["namespaces"]]
    rest = [{"kind": kind, **raw} for key, kind in kinds.items() for raw in fixture[key]]
    return named + rest


def _fragment(case: Case) -> list[Raw]:
    """The objects of a case in the shapes that cases use, and the namespaces they are in."""
    found: list[Raw] = []
    service = ("default", "")
    for index, raw in enumerate(case["objects"]):
        raw = _whole(raw, service, index)
        if raw["kind"] == "Service":
            service = (raw["metadata"]["namespace"], raw["metadata"]["name"])
        found.append(raw)
    parts = labels(case["query"]["name"].lower())
    asked = [p for p, kind in pairwise(parts) if kind in ("svc", "pod")]
    namespaces = {raw["metadata"].get("namespace", "") for raw in found} | set(asked)
    return found + [
        {"kind": "Namespace", "metadata": {"name": name}}
        for name in sorted(namespaces - MISSING_NAMESPACES - {""})
    ]


SPEC = ("clusterIP", "clusterIPs", "ports", "type", "externalName")
STATUS = ("podIP", "podIPs", "phase")


def _whole(raw: Raw, service: tuple[str, str], index: int) -> Raw:
    """An object with metadata; a slice without a name belongs to the Service before it."""
    kind = raw["kind"]
    if kind != "EndpointSlice":
        name = raw.get("name") or f"{kind.lower()}-{index}"
        metadata = {"name": name, "namespace": raw.get("namespace", "default")}
        spec = {key: raw[key] for key in SPEC if key in raw} | raw.get("spec", {})
        status = {key: raw[key] for key in STATUS if key in raw} | raw.get("status", {})
        status |= {"podIP": raw["ip"]} if "ip" in raw else {}
        whole = {"kind": kind, "metadata": metadata | raw.get("metadata", {}), "spec": spec}
        return whole | ({"status": status} if kind == "Pod" else {})
    name, namespace = service[1], service[0]
    if "of" in raw:
        name, _, namespace = raw["of"].partition(".")
    single = {k: raw[k] for k in ("addresses", "hostname", "conditions", "targetRef") if k in raw}
    endpoints = raw.get("endpoints") or ([single] if "addresses" in raw else [])
    metadata = {
        "name": f"{name}-{index}",
        "namespace": namespace,
        "labels": {SERVICE_NAME_LABEL: name},
    }
    return {
        "kind": kind,
        "metadata": metadata | raw.get("metadata", {}),
        "addressType": raw.get("addressType", "IPv4"),
        "endpoints": endpoints,
        "ports": raw.get("ports", []),
    }


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
