"""Clusters for a lab: small, odd, and all of them can be built.

A scene is plain data (the objects as JSON, the options by name), so that one can be written
down, played again and made smaller. Chance is a seeded `Random` and not hypothesis, which
varies few examples often: of a hundred clusters only a third differ in what can be asked.
"""

from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

import msgspec

from kubehop.model.cluster import Cluster
from kubehop.model.meta import Object
from kubehop.model.node import EXCLUDE_LB_LABEL, ZONE_LABEL, Node
from kubehop.model.pod import Pod
from kubehop.model.pod_network import POD_NETWORKS
from kubehop.model.proxy import DetectLocal, ProxyMode
from kubehop.model.service import PROXY_NAME_LABEL, SERVICE_NAME_LABEL, EndpointSlice, Service
from kubehop.workload.complete import complete
from kubehop.workload.options import Options
from tests.workload.making import of_objects

T = TypeVar("T")
Raw = dict[str, Any]
Scene = dict[str, Any]
"""`objects`: manifests; `options`: fields of Options that are set."""

KINDS: dict[str, type[Object]] = {
    "Node": Node,
    "Pod": Pod,
    "Service": Service,
    "EndpointSlice": EndpointSlice,
}
FAMILIES = (("IPv4",), ("IPv4",), ("IPv4", "IPv6"), ("IPv4", "IPv6"), ("IPv6",), ("IPv6", "IPv4"))
POLICIES = (None, "Cluster", "Local")
CALICO_TUNNEL = "projectcalico.org/IPv4VXLANTunnelAddr"
ZONES = ("", "za", "zb")
READY: Raw = {"ready": True, "serving": True, "terminating": False}
CONDITIONS: tuple[Raw, ...] = (
    READY,
    READY,
    READY,
    {},
    {"ready": True, "serving": False, "terminating": True},
    {"ready": False, "serving": True, "terminating": True},
    {"ready": False, "serving": True, "terminating": True},
    {"ready": False, "terminating": True},
    {"ready": False, "serving": False, "terminating": True},
    {"ready": False, "serving": False, "terminating": False},
)
PORTS: tuple[list[tuple[str, int, str]], ...] = (
    [("a", 80, "TCP")],
    [("a", 80, "UDP")],
    [("a", 80, "TCP"), ("b", 80, "UDP")],
    [("", 53, "UDP")],
    [("a", 80, "TCP"), ("b", 443, "TCP")],
)
SOURCE_RANGES: tuple[list[str] | None, ...] = (
    None,
    None,
    [],
    [" 203.0.113.0/24 "],
    ["10.42.0.0/24", "192.168.0.10/32"],
    ["10.42.0.0/16", "198.18.0.0/15"],
    ["fd00:10:42::/64", "192.0.2.64/26"],
    ["192.168.0.0/24", "2001:db8::/32"],
)
INGRESS: tuple[list[Raw], ...] = (
    [],
    [{"ip": "198.51.100.{0}"}, {"ip": "2001:db8:51::{0}"}],
    [{"ip": "198.51.100.{0}", "ipMode": "VIP"}],
    [{"ip": "198.51.100.{0}", "ipMode": "Proxy"}, {"ip": "2001:db8:51::{0}", "ipMode": "Proxy"}],
    [{"hostname": "lb{0}.example.com"}],
    [{"ip": "192.168.0.10"}, {"ip": "fd00:192::1"}],  # k3s: a node's own address
)
OPTIONS: dict[str, list[Any]] = {
    "proxy_mode": [None, None, *map(str, ProxyMode)],
    "detect_local": [None, None, *map(str, DetectLocal)],
    "masquerade_all": [None, None, None, True],
    "nodeport_addresses": [None, None, ["primary"], ["0.0.0.0/0"]],
    "pod_network": [None, *(network.name for network in POD_NETWORKS)],
}


def _possible(scene: Scene) -> Scene:
    """Without what cuts a node off by itself.

    kube-proxy in mode ipvs binds a Service's addresses on every node; where one is a node's own
    (k3s), the others take that node's packets, the overlay's too, for their own.
    """
    if scene["options"].get("proxy_mode") == "ipvs":
        own = {a for one in scene["objects"] if one["kind"] == "Node" for a in _internal(one)}
        for one in scene["objects"]:
            if one["kind"] == "Service":
                ingress = one["status"]["loadBalancer"]["ingress"]
                ingress[:] = [entry for entry in ingress if entry.get("ip") not in own]
    return scene


def completed(scene: Scene) -> Cluster:
    """The cluster of a scene."""
    objects = [msgspec.convert(raw, KINDS[raw["kind"]]) for raw in scene["objects"]]
    return complete(of_objects(objects), msgspec.convert(scene["options"], Options))


def scene(dice: Random) -> Scene:
    """The objects of a small cluster; EndpointSlices alone say who is behind a Service."""
    families = dice.choice(FAMILIES)
    nodes = [_node(dice, index, families) for index in range(dice.randint(1, 4))]
    pods = [_pod(dice, index, nodes) for index in range(dice.randint(0, 6))]
    services = [_service(dice, index, families) for index in range(dice.randint(1, 3))]
    slices = [made for one in services for made in _slices(dice, one, nodes, pods, families)]
    options = {
        key: value for key, one in OPTIONS.items() if (value := dice.choice(one)) is not None
    }
    return _possible({"objects": [*nodes, *pods, *services, *slices], "options": options})


def _object(
    kind: str, name: str, labels: Raw | None = None, annotations: Raw | None = None, **more: Any
) -> Raw:
    metadata: Raw = {"name": name}
    if annotations:
        metadata["annotations"] = annotations
    if kind != "Node":
        metadata["namespace"] = "default"
    if labels:
        metadata["labels"] = labels
    return {"kind": kind, "metadata": metadata, **more}


def _node(dice: Random, index: int, families: tuple[str, ...]) -> Raw:
    labels = {}
    if zone := dice.choice(ZONES):
        labels[ZONE_LABEL] = zone
    if dice.randint(0, 7) == 7:
        labels[EXCLUDE_LB_LABEL] = ""
    both = {
        "IPv4": (f"192.168.0.{10 + index}", f"10.42.{index}.0/24", f"198.51.100.{200 + index}"),
        "IPv6": (f"fd00:192::{index + 1}", f"fd00:10:42:{index}::/64", f"2001:db8:ee::{index}"),
    }
    own = [both[each] for each in families]
    addresses = [("InternalIP", address) for address, _, _ in own]
    second = dice.randint(0, 5)
    if second == 5:
        addresses.append(("InternalIP", f"192.168.7.{10 + index}"))
    if second == 4:
        addresses.append(("ExternalIP", own[0][2]))
    ready = dice.choice(["True", "True", "True", "True", "False"])
    tunnel = {CALICO_TUNNEL: f"10.42.{index}.1"} if dice.randint(0, 1) else None
    return _object(
        "Node",
        f"n{index}",
        labels,
        tunnel,
        spec={"podCIDRs": [cidr for _, cidr, _ in own]} if dice.randint(0, 9) else {},
        status={
            "addresses": [{"type": kind, "address": address} for kind, address in addresses],
            "conditions": [{"type": "Ready", "status": ready}],
        },
    )


def _internal(node: Raw) -> list[str]:
    return [a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP"]


def _pod(dice: Random, index: int, nodes: list[Raw]) -> Raw:
    """Of its own or the host's network; a host's port must be free, so it is the pod's own."""
    at = dice.randint(0, len(nodes) - 1)
    home = nodes[at]
    host = dice.randint(0, 4) == 0
    number = 8100 + index if host else 8080
    ports: list[Raw] = [{"containerPort": number}, {"containerPort": number, "protocol": "UDP"}]
    if dice.randint(0, 3) == 0:
        ports.pop()
    if dice.randint(0, 4) == 0:
        ports[0]["hostPort"] = number if host else 9000 + index
    made = {"IPv4": f"10.42.{at}.{2 + index}", "IPv6": f"fd00:10:42:{at}::{2 + index}"}
    own = ["IPv6" if ":" in address else "IPv4" for address in _internal(home)]
    addresses = _internal(home) if host else [made[each] for each in dict.fromkeys(own)]
    return _object(
        "Pod",
        f"p{index}",
        spec={
            "nodeName": home["metadata"]["name"],
            "hostNetwork": host,
            "containers": [{"name": "main", "ports": ports}],
        },
        status={
            "phase": "Running",
            "podIPs": [{"ip": address} for address in addresses],
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    )


def _service(dice: Random, index: int, families: tuple[str, ...]) -> Raw:
    kind = dice.choice(["ClusterIP", "NodePort", "LoadBalancer"])
    exposed = kind == "NodePort" or (kind == "LoadBalancer" and dice.randint(0, 4) > 0)
    of = {"IPv4": f"10.43.0.{20 + index}", "IPv6": f"fd00:10:43::{20 + index}"}
    chosen = dice.choice([families, families, families[:1], families[-1:]])
    ips = [of[each] for each in chosen]
    spec: Raw = {
        "type": kind,
        "clusterIP": ips[0],
        "clusterIPs": ips,
        "ports": [
            {"name": name, "port": number, "protocol": protocol}
            | ({"nodePort": 30000 + 10 * index + at} if exposed else {})
            for at, (name, number, protocol) in enumerate(dice.choice(PORTS))
        ],
        "externalTrafficPolicy": dice.choice(POLICIES) if kind != "ClusterIP" else None,
        "internalTrafficPolicy": dice.choice(POLICIES),
        "externalIPs": dice.choice([None, None, _of(families, _external_ips(index))]),
    }
    if dice.randint(0, 5) == 5:
        spec["sessionAffinity"] = "ClientIP"
    ingress: list[Raw] = []
    if kind == "LoadBalancer":
        if not exposed:
            spec["allocateLoadBalancerNodePorts"] = False
        if spec["externalTrafficPolicy"] == "Local":
            spec["healthCheckNodePort"] = 31000 + index
        spec["loadBalancerSourceRanges"] = dice.choice(SOURCE_RANGES)
        shape = dice.choice(INGRESS)
        filled = [{key: text.format(index + 1) for key, text in one.items()} for one in shape]
        ingress = [one for one in filled if "ip" not in one or _of(families, [one["ip"]])]
    labels = {PROXY_NAME_LABEL: "other"} if dice.randint(0, 15) == 15 else None
    spec = {key: value for key, value in spec.items() if value is not None}
    status = {"loadBalancer": {"ingress": ingress}}
    return _object("Service", f"s{index}", labels, spec=spec, status=status)


def _of(families: tuple[str, ...], addresses: list[str]) -> list[str]:
    """Those of families that the cluster has; a Service may have fewer."""
    return [a for a in addresses if ("IPv6" if ":" in a else "IPv4") in families]


def _external_ips(index: int) -> list[str]:
    return [f"198.51.100.{100 + index}", f"2001:db8:51:1::{index}"]


def _endpoint(dice: Random, address: str, node: str, nodes: list[Raw]) -> Raw:
    made: Raw = {"addresses": [address], "conditions": dice.choice(CONDITIONS)}
    if node:
        made["nodeName"] = node
    if dice.randint(0, 2) == 0:
        names = [found["metadata"]["name"] for found in nodes]
        zones, found = _some(dice, ZONES[1:]), _some(dice, names)
        made["hints"] = {
            "forZones": [{"name": zone} for zone in zones],
            "forNodes": [{"name": name} for name in found],
        }
    return made


def _some(dice: Random, of: Sequence[T]) -> list[T]:
    """Up to two of them."""
    return dice.sample(of, dice.randint(0, min(2, len(of))))


def _slices(
    dice: Random, service: Raw, nodes: list[Raw], pods: list[Raw], families: tuple[str, ...]
) -> list[Raw]:
    """Per family up to two slices: endpoints that are pods, that no Pod is known of, and outside.

    A host-network pod has a port of its own, so it gets a slice of its own.
    """
    made = []
    for each in dict.fromkeys(families):
        groups: dict[int, list[Raw]] = {}
        for port, address, node in _candidates(pods, nodes, each):
            if dice.randint(0, 1):
                groups.setdefault(port, []).append(_endpoint(dice, address, node, nodes))
        for port, endpoints in groups.items():
            made.append(_slice(service, each, port, endpoints))
    return made


def _candidates(pods: list[Raw], nodes: list[Raw], each: str) -> list[tuple[int, str, str]]:
    """(port, address, node) of everything that may be behind a Service in a family."""
    found = [
        (
            pod["spec"]["containers"][0]["ports"][0]["containerPort"],
            one["ip"],
            pod["spec"]["nodeName"],
        )
        for pod in pods
        for one in pod["status"]["podIPs"]
        if (":" in one["ip"]) is (each == "IPv6")
    ]
    last = len(nodes) - 1
    name = nodes[last]["metadata"]["name"]
    if each == "IPv4":
        return [*found, (8080, f"10.42.{last}.99", name), (8080, "198.18.0.7", "")]
    return [*found, (8080, f"fd00:10:42:{last}::99", name), (8080, "2001:db8:77::7", "")]


def _slice(service: Raw, each: str, port: int, endpoints: list[Raw]) -> Raw:
    name = service["metadata"]["name"]
    ports = [
        {"name": one["name"], "port": port, "protocol": one["protocol"]}
        for one in service["spec"]["ports"]
    ]
    labels = {SERVICE_NAME_LABEL: name}
    parts: Raw = {"addressType": each, "ports": ports, "endpoints": endpoints}
    return _object("EndpointSlice", f"{name}-{each.lower()}-{port}", labels, **parts)
