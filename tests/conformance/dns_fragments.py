"""Objects of a DNS case as the API would give them.

A case shows what decides its answer, no more: kind, labels, types and namespaces may be left out,
an endpoint may be an address, a port a number.
"""

import re
from itertools import pairwise
from typing import Any

from kubehop.dns.names import labels
from kubehop.model.service import SERVICE_NAME_LABEL
from tests.conformance.outcome import Case

Raw = dict[str, Any]
Name = tuple[str, str]
"""Namespace and name."""

MISSING_NAMESPACES = frozenset({"pod-nons", "svc-nons", "nsnoexist", "nosuchns"})
"""Namespaces that the API of CoreDNS's own tests has not; it has every other."""
SLICE_KEYS = frozenset({"of", "endpoints", "addresses", "addressType", "subsets"})
POD_KEYS = frozenset({"ip", "podIP", "podIPs", "phase"})
SPEC = ("clusterIP", "clusterIPs", "ports", "type", "externalName")
STATUS = ("podIP", "podIPs", "phase")
_SLICE_NAME = re.compile(r"-(slice\w*|[a-z0-9]{5}|\d+)$")


def fragment(case: Case) -> list[Raw]:
    """The objects of a case, and the namespaces that they are in or that are asked for."""
    found: list[Raw] = []
    service = ("default", "")
    for index, raw in enumerate(case.get("objects") or ()):
        raw = whole(raw, service, index)
        if raw["kind"] == "Service":
            service = (raw["metadata"]["namespace"], raw["metadata"]["name"])
        found.append(raw)
    parts = labels(case["query"]["name"].lower())
    asked = [part for part, kind in pairwise(parts) if kind in ("svc", "pod")]
    given = {raw["metadata"]["name"] for raw in found if raw["kind"] == "Namespace"}
    namespaces = {raw["metadata"].get("namespace", "") for raw in found} | set(asked)
    return found + [
        {"kind": "Namespace", "metadata": {"name": name}}
        for name in sorted(namespaces - MISSING_NAMESPACES - given - {""})
    ]


def whole(raw: Raw, service: Name, index: int) -> Raw:
    """An object with metadata; a slice without a name belongs to the Service before it."""
    raw = _without_nulls(raw)
    kind = raw.get("kind") or _kind(raw)
    if kind in ("EndpointSlice", "Endpoints"):
        return _slice(raw, service, index)
    spec = {key: raw[key] for key in SPEC if key in raw} | raw.get("spec", {})
    if "ports" in spec:
        spec["ports"] = ports(spec["ports"])
    status = {key: raw[key] for key in STATUS if key in raw} | raw.get("status", {})
    status |= {"podIP": raw["ip"]} if "ip" in raw else {}
    name = raw.get("name") or f"{kind.lower()}-{index}"
    metadata = {"name": name, "namespace": raw.get("namespace", "default")}
    found = {"kind": kind, "metadata": metadata | raw.get("metadata", {}), "spec": spec}
    return found | ({"status": status} if kind == "Pod" else {})


def _without_nulls(value: Any) -> Any:
    match value:
        case dict():
            return {key: _without_nulls(v) for key, v in value.items() if v is not None}
        case list():
            return [_without_nulls(v) for v in value if v is not None]
    return value


def _kind(raw: Raw) -> str:
    if SLICE_KEYS & raw.keys():
        return "EndpointSlice"
    return "Pod" if POD_KEYS & raw.keys() or "status" in raw else "Service"


def _slice(raw: Raw, service: Name, index: int) -> Raw:
    given = raw.get("metadata", {})
    namespace, name = _owner(raw, given, service)
    metadata = {
        "name": f"{name}-{index}",
        "namespace": namespace,
        **given,
        "labels": {SERVICE_NAME_LABEL: name} | given.get("labels", {}),
    }
    subsets = raw.get("subsets") or [raw]
    return {
        "kind": "EndpointSlice",
        "metadata": metadata,
        "addressType": raw.get("addressType", "IPv4"),
        "endpoints": [endpoint(one) for subset in subsets for one in _endpoints(subset)],
        "ports": [port for subset in subsets for port in ports(subset.get("ports", ()))],
    }


def _owner(raw: Raw, metadata: Raw, service: Name) -> Name:
    """The Service of a slice: as said, as a label says, the one before, or by the slice's name."""
    namespace = metadata.get("namespace") or raw.get("namespace")
    of = raw.get("of") or raw.get("service")
    if of and "/" in of:
        before, _, name = of.partition("/")
        return before, name
    if of:
        name, _, after = of.partition(".")
        return after or namespace or service[0], name
    own = metadata.get("name") or raw.get("name") or ""
    labelled = metadata.get("labels", {}).get(SERVICE_NAME_LABEL)
    return namespace or service[0], labelled or service[1] or _SLICE_NAME.sub("", own)


def _endpoints(raw: Raw) -> list[Any]:
    """All endpoints of a slice; one that is the slice itself says it in place."""
    if "endpoints" in raw:
        found: list[Any] = raw["endpoints"]
        return found
    listed = raw.get("addresses", [])
    if any(isinstance(one, dict) for one in listed):
        return list(listed)
    keys = ("addresses", "hostname", "conditions", "targetRef", "zone", "nodeName")
    return [{key: raw[key] for key in keys if key in raw}] if listed else []


def endpoint(raw: Any) -> Raw:
    """An endpoint: written out, or its address alone."""
    if isinstance(raw, str):
        return {"addresses": [raw]}
    address = raw.get("ip") or raw.get("address") or raw.get("addr")
    addresses = raw.get("addresses") or ([address] if address else [])
    conditions = {key: raw[key] for key in ("ready", "serving", "terminating") if key in raw}
    target = raw.get("targetRef") or raw.get("pod")
    rest: Raw = {key: raw[key] for key in ("hostname", "zone", "nodeName") if key in raw}
    rest |= {"conditions": conditions | raw.get("conditions", {})}
    if target is not None:
        rest["targetRef"] = target if isinstance(target, dict) else {"kind": "Pod", "name": target}
    return {"addresses": addresses, **rest}


def ports(raw: Any) -> list[Raw]:
    """Ports: written out or numbers; CoreDNS writes -1 where there is none."""
    found = [dict(one) if isinstance(one, dict) else {"port": one} for one in raw]
    for port in found:
        port["protocol"] = str(port.get("protocol", "TCP")).upper()
    return [port for port in found if port.get("port", 1) > 0]
