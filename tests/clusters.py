"""Clusters in a few words: three nodes, and whatever Services, pods and endpoints a test names.

Node n is `n0`, `n1`, `n2` with address 192.168.0.1n and pod CIDR 10.42.n.0/24, in families that
`node` is told. Nothing is invented: what a test does not name is not there.
"""

from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from kubehop.model.cluster import Cluster, sort_key
from kubehop.model.meta import Object
from kubehop.model.node import ZONE_LABEL, Node
from kubehop.model.pod import Pod
from kubehop.model.pod_network import CANAL, PodNetwork
from kubehop.model.proxy import ProxyConfig
from kubehop.model.service import SERVICE_NAME_LABEL, EndpointSlice, Service

Raw = dict[str, Any]
T = TypeVar("T", bound=Object)

OUTSIDE = "203.0.113.9"
PROXY = ProxyConfig(cluster_cidrs=("10.42.0.0/16", "fd00:10:42::/48"))
UNREADY: Raw = {"ready": False, "serving": False, "terminating": False}
DRAINING: Raw = {"ready": False, "serving": True, "terminating": True}


def node(
    index: int,
    zone: str = "",
    *,
    v6: bool = False,
    second: str = "",
    external: str = "",
    ready: bool = True,
    labels: dict[str, str] | None = None,
) -> Node:
    addresses = [{"type": "InternalIP", "address": f"192.168.0.1{index}"}]
    cidrs = [f"10.42.{index}.0/24"]
    if v6:
        addresses.append({"type": "InternalIP", "address": f"fd00:192::1{index}"})
        cidrs.append(f"fd00:10:42:{index}::/64")
    if second:
        addresses.append({"type": "InternalIP", "address": second})
    if external:
        addresses.append({"type": "ExternalIP", "address": external})
    raw = {
        "metadata": {
            "name": f"n{index}",
            "labels": (labels or {}) | ({ZONE_LABEL: zone} if zone else {}),
        },
        "spec": {"podCIDRs": cidrs},
        "status": {
            "addresses": addresses,
            "conditions": [{"type": "Ready", "status": str(ready)}],
        },
    }
    return msgspec.convert(raw, Node)


NODES = (node(0), node(1), node(2))


def pod(name: str, address: str, at: str, *ports: Raw, host: bool = False, **more: Any) -> Pod:
    """A running pod; `address` may hold two, separated by a comma."""
    raw = {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "nodeName": at,
            "hostNetwork": host,
            "containers": [{"name": "main", "ports": list(ports)}],
        },
        "status": {
            "phase": "Running",
            "podIPs": [{"ip": one} for one in address.split(",") if one],
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }
    return msgspec.convert(raw | more, Pod)


def service(
    name: str = "web", type: str = "ClusterIP", lb: tuple[Raw, ...] = (), **spec: Any
) -> Service:
    """A Service on 10.43.0.1, port 80; node port 30080 if its type has one."""
    labels = spec.pop("labels", None)
    annotations = spec.pop("annotations", None)
    port: Raw = {"port": 80}
    if type != "ClusterIP":
        port["nodePort"] = 30080
    whole = {"type": type, "clusterIP": "10.43.0.1", "ports": [port]} | spec
    raw = {
        "metadata": {
            "name": name,
            "namespace": "default",
            "labels": labels,
            "annotations": annotations,
        },
        "spec": whole,
        "status": {"loadBalancer": {"ingress": list(lb)}},
    }
    return msgspec.convert(raw, Service)


VIP = ({"ip": "198.51.100.1"},)


def balanced(**spec: Any) -> Service:
    """A Service with a load balancer at 198.51.100.1 and a health check node port."""
    local = spec.get("externalTrafficPolicy") == "Local"
    lb = spec.pop("lb", VIP)
    return service(
        type="LoadBalancer", lb=lb, **({"healthCheckNodePort": 32000} if local else {}) | spec
    )


def endpoint(address: str, at: str = "", conditions: Raw | None = None, **more: Any) -> Raw:
    """An entry of a slice; `zones` and `nodes` become hints."""
    hints = {
        key: [{"name": name} for name in more.pop(word)]
        for word, key in (("zones", "forZones"), ("nodes", "forNodes"))
        if word in more
    }
    return {
        "addresses": [address],
        "nodeName": at or None,
        "conditions": conditions,
        "hints": hints or None,
    } | more


def behind(subject: Service, *endpoints: Raw, port: int = 8080) -> tuple[EndpointSlice, ...]:
    """One slice for every family among `endpoints`, listening on `port` for every Service port."""
    families = {"IPv4": ".", "IPv6": ":"}
    found = (
        msgspec.convert(
            {
                "metadata": {
                    "name": f"{subject.name}-{family.lower()}",
                    "namespace": subject.namespace,
                    "labels": {SERVICE_NAME_LABEL: subject.name},
                },
                "addressType": family,
                "ports": [
                    {"name": p.name or "", "port": port, "protocol": p.protocol}
                    for p in subject.ports
                ],
                "endpoints": [e for e in endpoints if sign in e["addresses"][0]],
            },
            EndpointSlice,
        )
        for family, sign in families.items()
    )
    return tuple(one for one in found if one.endpoints)


def cluster(
    *found: Object, proxy: ProxyConfig = PROXY, pod_network: PodNetwork = CANAL, **proxy_fields: Any
) -> Cluster:
    """A Cluster of these objects; NODES unless nodes are among them."""
    named = [*found, *(NODES if not any(isinstance(one, Node) for one in found) else ())]
    return Cluster(
        nodes=_of(Node, named),
        pods=_of(Pod, named),
        services=_of(Service, named),
        slices=_of(EndpointSlice, named),
        service_cidrs=("10.43.0.0/16", "fd00:10:43::/112"),
        proxy=replace(proxy, **proxy_fields),
        pod_network=pod_network,
    )


def _of(kind: type[T], found: list[Object]) -> tuple[T, ...]:
    return tuple(sorted((one for one in found if isinstance(one, kind)), key=sort_key))
