"""From what a user types to where a packet starts and where it is addressed to.

FROM: `pod/NAME[.NS]`, `node/NAME`, `external[/IP]`.
TO:   `svc/NAME[.NS]:PORT`, `pod/NAME[.NS]:PORT`, `node/NAME:PORT`, `IP:PORT`, `[IPv6]:PORT`,
      `HOSTNAME:PORT` (looked up first: `kubehop.trace.by_name`).
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from kubehop.model.addresses import canonical, family, is_address, socket_address
from kubehop.model.cluster import Cluster
from kubehop.model.errors import UsageError
from kubehop.model.node import Node
from kubehop.model.pod import Pod
from kubehop.model.service import Service

CLIENTS = ("203.0.113.9", "2001:db8:113::9")
"""The external client when none is named: documentation addresses (RFC 5737, RFC 3849)."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a packet starts: its label, node ("" outside) and addresses."""

    label: str
    node: str
    addresses: tuple[str, ...]
    object: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """What the user asked for, split: exactly one of the first four is set; `port` as typed."""

    label: str
    port: str
    service: Service | None = None
    pod: Pod | None = None
    node: Node | None = None
    address: str = ""


def parse_origin(cluster: Cluster, text: str, namespace: str) -> Origin:
    """The origin; raises UsageError for unknown objects and other forms."""
    kind, _, name = text.partition("/")
    if kind == "pod" and name:
        return pod_origin(find_pod(cluster, name, namespace))
    if kind == "node" and name:
        return node_origin(find_node(cluster, name))
    if kind == "external":
        return external_origin(name)
    raise UsageError(f"FROM {text!r}: expected pod/NAME[.NAMESPACE], node/NAME or external[/IP]")


def pod_origin(pod: Pod) -> Origin:
    """A pod as origin; a host-network pod has its node's addresses."""
    label = f"pod/{pod.namespace}/{pod.name}"
    if not pod.addresses or not pod.node_name:
        raise UsageError(f"{pod.reference} has no address yet: it is on no node")
    return Origin(label, pod.node_name, tuple(map(canonical, pod.addresses)), pod.reference)


def node_origin(node: Node) -> Origin:
    """A node's own process as origin."""
    addresses = tuple(map(canonical, node.internal_ips or node.external_ips))
    if not addresses:
        raise UsageError(f"{node.reference} has no address in its status")
    return Origin(f"node/{node.name}", node.name, addresses, node.reference)


def external_origin(address: str) -> Origin:
    """A client outside of the cluster."""
    if address and not is_address(address):
        raise UsageError(f"external/{address}: not an IP address")
    addresses = (canonical(address),) if address else CLIENTS
    return Origin(f"external/{addresses[0]}", "", addresses)


def parse_target(cluster: Cluster, text: str, namespace: str) -> Target:
    """The target; raises UsageError for unknown objects and other forms."""
    where, port = _split_port(text)
    kind, _, name = where.partition("/")
    if kind in ("svc", "service") and name:
        return Target(text, port, service=find_service(cluster, name, namespace))
    if not port:
        example = socket_address(where, 80) if is_address(where) else f"{where}:80"
        raise UsageError(f"TO {text!r}: a port is needed, as in {example}")
    if kind == "pod" and name:
        return Target(text, port, pod=find_pod(cluster, name, namespace))
    if kind == "node" and name:
        return Target(text, port, node=find_node(cluster, name))
    if is_address(where):
        return Target(text, port, address=canonical(where))
    raise UsageError(
        f"TO {text!r}: expected svc/NAME[.NAMESPACE]:PORT, pod/NAME:PORT, node/NAME:PORT, "
        "IP:PORT or HOSTNAME:PORT"
    )


def host_name(text: str) -> tuple[str, str] | None:
    """Name and port of `HOSTNAME:PORT`, None for every other form."""
    where, port = _split_port(text)
    if "/" in where or not port or not where or is_address(where) or ":" in where:
        return None
    return where, port


def _split_port(text: str) -> tuple[str, str]:
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        return address, port.removeprefix(":")
    where, colon, port = text.rpartition(":")
    return (where, port) if colon else (text, "")


def find_service(cluster: Cluster, name: str, namespace: str) -> Service:
    """The Service called NAME or NAME.NAMESPACE; raises UsageError with near names."""
    for found_namespace, found_name in _readings(name, namespace):
        service = cluster.service(found_namespace, found_name)
        if service is not None:
            return service
    raise _unknown("Service", name, namespace, cluster.services)


def find_pod(cluster: Cluster, name: str, namespace: str) -> Pod:
    """The pod called NAME or NAME.NAMESPACE; raises UsageError with near names."""
    for found_namespace, found_name in _readings(name, namespace):
        pod = cluster.pod(found_namespace, found_name)
        if pod is not None:
            return pod
    raise _unknown("Pod", name, namespace, cluster.pods)


def find_node(cluster: Cluster, name: str) -> Node:
    """The node called NAME; raises UsageError with near names."""
    node = cluster.node(name)
    if node is None:
        raise _unknown("Node", name, "", cluster.nodes)
    return node


def _readings(name: str, namespace: str) -> list[tuple[str, str]]:
    """A name may contain dots, so the whole is tried first; NAMESPACE/NAME is understood too."""
    if "/" in name:
        left, _, right = name.partition("/")
        return [(left, right)]
    readings = [(namespace, name)]
    base, dot, suffix = name.rpartition(".")
    if dot:
        readings.append((suffix, base))
    return readings


def _unknown(
    kind: str, name: str, namespace: str, objects: Iterable[Service | Pod | Node]
) -> UsageError:
    names = [f"{o.namespace}/{o.name}" if o.namespace else o.name for o in objects]
    wanted = name if "/" in name or not namespace else f"{namespace}/{name}"
    near = difflib.get_close_matches(wanted, names[:5000], n=3, cutoff=0.5)
    same = [n for n in names if n.rpartition("/")[2] == name.rpartition("/")[2]]
    hints = list(dict.fromkeys((*same[:3], *near)))
    if not names:
        return UsageError(f"no {kind} {wanted}: the input has none")
    return UsageError(f"no {kind} {wanted}" + (f"; there is {', '.join(hints)}" if hints else ""))


def address_for(addresses: Iterable[str], like: str) -> str | None:
    """The first of `addresses` in the family of `like`."""
    return next((a for a in addresses if family(a) is family(like)), None)
