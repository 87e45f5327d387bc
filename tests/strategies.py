"""Clusters as hypothesis draws them: small, odd, and of every kind that matters to a packet."""

from typing import Any

import msgspec
from hypothesis import strategies as st

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

Raw = dict[str, Any]

ZONES = ("", "za", "zb")
UNKNOWN_NODE = "gone"
CONDITIONS: tuple[Raw, ...] = (
    {},
    {"ready": True},
    {"ready": True, "serving": False, "terminating": True},
    {"ready": False, "serving": True, "terminating": True},
    {"ready": False, "terminating": True},
    {"ready": False, "serving": False, "terminating": True},
    {"ready": False, "serving": True},
    {"ready": False, "serving": False},
)
SOURCE_RANGES: tuple[list[str] | None, ...] = (
    None,
    [],
    [" 203.0.113.0/24 "],
    ["10.42.0.0/24", "192.168.0.10/32"],
    ["10.42.0.0/16", "198.18.0.0/15"],
    ["fd00:10:42::/64"],
    ["192.168.0.0/24", "2001:db8::/32"],
)
INGRESS: tuple[list[Raw], ...] = (
    [],
    [{"ip": "198.51.100.{0}"}, {"ip": "2001:db8:51::{0}"}],
    [{"ip": "198.51.100.{0}", "ipMode": "VIP"}],
    [{"ip": "198.51.100.{0}", "ipMode": "Proxy"}],
    [{"hostname": "lb{0}.example.com"}],
)
OPTIONS = st.builds(
    Options,
    proxy_mode=st.sampled_from(ProxyMode),
    detect_local=st.sampled_from([*DetectLocal, None]),
    masquerade_all=st.sampled_from([None, True]),
    nodeport_addresses=st.sampled_from([None, ("primary",), ("0.0.0.0/0",)]),
    pod_network=st.sampled_from([None, *(network.name for network in POD_NETWORKS)]),
)


def _metadata(name: str, **more: Any) -> Raw:
    return {"name": name, **more}


@st.composite
def nodes(draw: st.DrawFn, dual: bool) -> list[Node]:
    return [_node(draw, index, dual) for index in range(draw(st.integers(1, 5)))]


def _node(draw: st.DrawFn, index: int, dual: bool) -> Node:
    labels = {}
    if zone := draw(st.sampled_from(ZONES)):
        labels[ZONE_LABEL] = zone
    if draw(st.integers(0, 5)) == 5:
        labels[EXCLUDE_LB_LABEL] = ""
    v6 = dual and draw(st.integers(0, 4)) < 4
    addresses = [f"192.168.0.{10 + index}", *([f"fd00:192::{index + 1}"] if v6 else [])]
    cidrs = [f"10.42.{index}.0/24", *([f"fd00:10:42:{index}::/64"] if v6 else [])]
    with_cidrs = draw(st.integers(0, 5)) < 5
    shown = [{"type": "InternalIP", "address": address} for address in addresses]
    if draw(st.booleans()):
        shown.append({"type": "ExternalIP", "address": f"198.51.100.{200 + index}"})
    ready = draw(st.sampled_from(["True", "True", "True", "False"]))
    raw = {
        "metadata": _metadata(f"n{index}", labels=labels),
        "spec": {"podCIDRs": cidrs} if with_cidrs else {},
        "status": {"addresses": shown, "conditions": [{"type": "Ready", "status": ready}]},
    }
    return msgspec.convert(raw, Node)


def _pod(draw: st.DrawFn, index: int, known: list[Node]) -> Pod:
    at = draw(st.integers(-1, len(known) - 1))
    home = known[at] if at >= 0 else None
    host = home is not None and draw(st.integers(0, 4)) == 0
    v6 = home is not None and len(home.internal_ips) > 1
    addresses = [f"10.42.{max(at, 0)}.{2 + index}"]
    addresses += [f"fd00:10:42:{at}::{2 + index}"] if v6 else []
    if host and home is not None:
        addresses = list(home.internal_ips)
    ports: list[Raw] = [{"containerPort": 8000 + index}]
    if draw(st.integers(0, 4)) == 0:
        ports[0]["hostPort"] = 8000 + index if host else 9000
    raw = {
        "metadata": _metadata(f"p{index}", namespace="default"),
        "spec": {
            "nodeName": home.name if home else UNKNOWN_NODE,
            "hostNetwork": host,
            "containers": [{"name": "main", "ports": ports}] if draw(st.booleans()) else [],
        },
        "status": {
            "phase": draw(st.sampled_from(["Running", "Running", "Running", "Succeeded"])),
            "podIPs": [{"ip": address} for address in addresses],
            "conditions": [{"type": "Ready", "status": draw(st.sampled_from(["True", "False"]))}],
        },
    }
    return msgspec.convert(raw, Pod)


def _service(draw: st.DrawFn, index: int, dual: bool) -> Service:
    policy = st.sampled_from([None, "Cluster", "Local"])
    kind = draw(st.sampled_from(["ClusterIP", "NodePort", "LoadBalancer"]))
    open_to_all = kind != "ClusterIP"
    ips = [f"10.43.0.{20 + index}", *([f"fd00:10:43::{20 + index}"] if dual else [])]
    chosen = draw(st.sampled_from([ips, ips[:1], ips[-1:]]))
    numbers = draw(st.sampled_from([[("a", 80, "TCP")], [("a", 80, "TCP"), ("b", 80, "UDP")]]))
    spec: Raw = {
        "type": kind,
        "clusterIP": chosen[0],
        "clusterIPs": chosen,
        "ports": [
            {
                "name": name,
                "port": number,
                "protocol": protocol,
                "nodePort": 30000 + 10 * index + at if open_to_all else None,
            }
            for at, (name, number, protocol) in enumerate(numbers)
        ],
        "externalTrafficPolicy": draw(policy),
        "internalTrafficPolicy": draw(policy),
        "externalIPs": draw(st.sampled_from([None, [f"198.51.100.{100 + index}"]])),
    }
    ingress: list[Raw] = []
    if kind == "LoadBalancer":
        spec["healthCheckNodePort"] = 31000 + index
        spec["loadBalancerSourceRanges"] = draw(st.sampled_from(SOURCE_RANGES))
        shape = draw(st.sampled_from(INGRESS))
        ingress = [{key: text.format(index + 1) for key, text in one.items()} for one in shape]
    labels = {PROXY_NAME_LABEL: "other"} if draw(st.integers(0, 9)) == 9 else {}
    raw = {
        "metadata": _metadata(f"s{index}", namespace="default", labels=labels),
        "spec": spec,
        "status": {"loadBalancer": {"ingress": ingress}},
    }
    return msgspec.convert(raw, Service)


def _endpoint(draw: st.DrawFn, address: str, node: str | None, known: list[Node]) -> Raw:
    hints: Raw | None = None
    if draw(st.integers(0, 2)):
        names = st.sampled_from([found.name for found in known])
        hints = {
            "forZones": [
                {"name": z} for z in draw(st.lists(st.sampled_from(ZONES[1:]), max_size=2))
            ],
            "forNodes": [{"name": n} for n in draw(st.lists(names, max_size=2))],
        }
    return {
        "addresses": [address],
        "nodeName": node if draw(st.integers(0, 7)) else None,
        "conditions": draw(st.sampled_from(CONDITIONS)),
        "hints": hints,
    }


def _slices(
    draw: st.DrawFn, service: Service, known: list[Node], pods: list[Pod]
) -> list[EndpointSlice]:
    """One or two slices per family; foreign endpoints, and pods that are not in the input."""
    made = []
    for family in ("IPv4", "IPv6"):
        v6 = family == "IPv6"
        homes: dict[str, str | None] = {
            address: pod.node_name
            for pod in pods
            for address in pod.addresses
            if (":" in address) is v6
        }
        homes |= (
            {"2001:db8:77::7": None, "fd00:10:42:1::99": "n1"}
            if v6
            else {"198.18.0.7": None, "10.42.0.99": "n0", "10.42.0.98": UNKNOWN_NODE}
        )
        chosen = draw(st.lists(st.sampled_from(sorted(homes)), unique=True, max_size=5))
        endpoints = [_endpoint(draw, address, homes[address], known) for address in chosen]
        cut = draw(st.integers(0, len(endpoints)))
        for part, group in enumerate((endpoints[:cut], endpoints[cut:])):
            raw = {
                "metadata": _metadata(
                    f"{service.name}-{family.lower()}-{part}",
                    namespace="default",
                    labels={SERVICE_NAME_LABEL: service.name},
                ),
                "addressType": family,
                "ports": [
                    {"name": port.name, "port": 8000 + at, "protocol": port.protocol}
                    for at, port in enumerate(service.ports)
                ],
                "endpoints": group,
            }
            made.append(msgspec.convert(raw, EndpointSlice))
    return made


@st.composite
def objects(draw: st.DrawFn) -> list[Object]:
    """The objects of a small cluster; nothing but EndpointSlices says who is behind a Service."""
    dual = draw(st.booleans())
    known = draw(nodes(dual))
    pods = [_pod(draw, index, known) for index in range(draw(st.integers(0, 5)))]
    services = [_service(draw, index, dual) for index in range(draw(st.integers(1, 3)))]
    slices = [made for service in services for made in _slices(draw, service, known, pods)]
    return [*known, *pods, *services, *slices]


def completed(found: list[Object], options: Options) -> Cluster:
    return complete(of_objects(found), options)


CLUSTERS: st.SearchStrategy[Cluster] = st.builds(completed, objects(), OPTIONS)
