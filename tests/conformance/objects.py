"""A case's fragments as the API objects that kubehop would have decoded."""

from typing import Any

import msgspec

from kubehop.model.addresses import Family, family
from kubehop.model.proxy import DetectLocal, ProxyConfig, ProxyMode
from kubehop.model.service import SERVICE_NAME_LABEL, EndpointSlice, Service
from kubehop.service.nodes import ProxyNode
from tests.conformance.outcome import Case

NAME = "subject"
IPV6_PODS = "fd00:10::/64"
"""Where the pods of the IPv6 cases are (see the cases' README)."""
BARE_PORT = {"name": "p80", "port": 80, "protocol": "TCP"}


def service(case: Case) -> Service:
    """The case's Service fragment as a whole Service."""
    spec = dict(case["service"])
    status = spec.pop("status", None)
    metadata: dict[str, Any] = {"name": NAME, "namespace": "default"}
    for key in ("labels", "annotations"):
        if key in spec:
            metadata[key] = spec.pop(key)
    node_port = spec.pop("nodePort", 0)
    spec.setdefault("ports", [{**BARE_PORT, "nodePort": node_port}])
    spec.setdefault("clusterIP", (spec.get("clusterIPs") or ["172.30.0.41"])[0])
    # The API server gives every LoadBalancer a port for its check; cases may leave it out.
    raw = {"metadata": metadata, "spec": spec, "status": status}
    return msgspec.convert(raw, Service)


def split(address: str) -> tuple[str, int | None]:
    """`10.0.0.1:80`, `[fd00::1]:80` or a bare address."""
    if address.startswith("["):
        host, _, port = address[1:].partition("]:")
        return host, int(port)
    if address.count(":") == 1:
        host, _, port = address.partition(":")
        return host, int(port)
    return address, None


def slices(case: Case, subject: Service) -> tuple[EndpointSlice, ...]:
    """EndpointSlices for `endpoints[]`, one per endpoint: any grouping must do."""
    if case.get("slices"):
        return tuple(_slice(index, raw) for index, raw in enumerate(case["slices"]))
    made = []
    for index, endpoint in enumerate(case.get("endpoints") or ()):
        host, port = split(endpoint["addr"])
        ports = case.get("slice_ports") if port is None else None
        if ports is None:
            ports = [
                {"name": p.name or "", "port": port or p.port, "protocol": p.protocol}
                for p in subject.ports
            ]
        raw = {
            "addressType": family(host),
            "ports": ports,
            "endpoints": [
                {
                    "addresses": [host],
                    "nodeName": endpoint.get("node"),
                    "zone": endpoint.get("zone"),
                    "conditions": {
                        key: endpoint.get(key) for key in ("ready", "serving", "terminating")
                    },
                    "hints": _hints(endpoint.get("hints")),
                }
            ],
        }
        made.append(_slice(index, raw))
    return tuple(made)


def _hints(raw: dict[str, list[str]] | None) -> dict[str, list[dict[str, str]]] | None:
    if raw is None:
        return None
    return {key: [{"name": name} for name in names or []] for key, names in raw.items()}


def _slice(index: int, raw: dict[str, Any]) -> EndpointSlice:
    metadata = {
        "name": f"{NAME}-{index:03}",
        "namespace": "default",
        "labels": {SERVICE_NAME_LABEL: NAME},
    }
    return msgspec.convert({"metadata": metadata, **raw}, EndpointSlice)


def cidrs(text: str) -> tuple[str, ...]:
    """The CIDRs of a flag: comma separated, "" for none."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def proxy_config(case: Case, document: Case, mode: str) -> ProxyConfig:
    """The case's `config`, with the file's environment for what it leaves out."""
    raw = case.get("config") or {}
    ranges = raw.get("nodePortAddresses")
    gates = raw.get("featureGates") or {}
    usual = f"{document['environment']['clusterCIDR'].split()[0]},{IPV6_PODS}"
    cluster_cidr = raw.get("clusterCIDR", usual) or ""
    return ProxyConfig(
        mode=ProxyMode(mode),
        detect_local=DetectLocal(raw.get("detectLocal") or "ClusterCIDR"),
        cluster_cidrs=cidrs(cluster_cidr),
        masquerade_all=bool(raw.get("masqueradeAll")),
        nodeport_addresses=None if ranges is None else tuple(ranges),
        localhost_nodeports=raw.get("localhostNodePorts", True) is not False,
        same_node_hints=gates.get("PreferSameTrafficDistribution", True),
        hints_need_annotation=bool(raw.get("legacyHintsAnnotation")),
        service_proxy_name=raw.get("serviceProxyName") or "",
    )


def proxy_node(case: Case, document: Case) -> ProxyNode:
    """The node under test."""
    environment = document["environment"]["node"]
    pod_cidr = (case.get("config") or {}).get("nodePodCIDR")
    return ProxyNode(
        name=case["node"]["name"],
        zone=case["node"].get("zone") or "",
        addresses=tuple(environment["allIPs"]),
        primary=tuple(environment["primaryIPs"]),
        pod_cidrs=cidrs(pod_cidr or ""),
    )


def case_family(case: Case, subject: Service) -> Family:
    """The family that a case is about: as said, else that of its cluster IP."""
    said = (case.get("config") or {}).get("family")
    return Family(said) if said else family((subject.cluster_ips or ("10.0.0.1",))[0])
