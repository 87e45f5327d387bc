"""Objects of a cluster in a few words, and questions with their answers as text."""

from typing import Any

import msgspec

from kubehop.dns.corefile import parse
from kubehop.dns.corefile.plugins.kubernetes import Kubernetes
from kubehop.dns.message import Question, Record
from kubehop.dns.names import folded
from kubehop.dns.zone import KINDS, Chase, Found, KubernetesZone, Without, ZoneData
from kubehop.model.cluster import Cluster, sort_key
from kubehop.model.meta import Object
from kubehop.model.node import Namespace
from kubehop.model.pod import Pod
from kubehop.model.service import SERVICE_NAME_LABEL, EndpointSlice, Service

Raw = dict[str, Any]
SERIAL = 7


def namespace(name: str, **labels: str) -> Namespace:
    return msgspec.convert({"metadata": {"name": name, "labels": labels}}, Namespace)


def service(where: str, *ips: str, ports: str = "http:80/TCP", **labels: str) -> Service:
    """`service("demo/web", "10.43.0.9")`; without an address it is headless."""
    space, name = where.split("/")
    addresses = list(ips) or ["None"]
    spec = {"clusterIP": addresses[0], "clusterIPs": addresses, "ports": _ports(ports)}
    metadata = {"name": name, "namespace": space, "labels": labels}
    return msgspec.convert({"metadata": metadata, "spec": spec}, Service)


def external(where: str, host: str) -> Service:
    space, name = where.split("/")
    spec = {"type": "ExternalName", "externalName": host}
    return msgspec.convert({"metadata": {"name": name, "namespace": space}, "spec": spec}, Service)


def endpoint(
    address: str, hostname: str = "", pod: str = "", ready: bool | None = True, zone: str = ""
) -> Raw:
    found: Raw = {"addresses": [address], "conditions": {"ready": ready}}
    found |= {"hostname": hostname} if hostname else {}
    found |= {"zone": zone} if zone else {}
    return found | ({"targetRef": {"kind": "Pod", "name": pod}} if pod else {})


def slice_of(
    where: str, *endpoints: Raw | str, ports: str = "http:8080/TCP", nth: int = 0
) -> EndpointSlice:
    space, name = where.split("/")
    entries = [endpoint(e) if isinstance(e, str) else e for e in endpoints]
    families = {"IPv6" if ":" in e["addresses"][0] else "IPv4" for e in entries}
    raw = {
        "metadata": {
            "name": f"{name}-{nth}",
            "namespace": space,
            "labels": {SERVICE_NAME_LABEL: name},
        },
        "addressType": min(families, default="IPv4"),
        "endpoints": entries,
        "ports": _ports(ports),
    }
    return msgspec.convert(raw, EndpointSlice)


def pod(where: str, address: str, phase: str = "Running") -> Pod:
    space, name = where.split("/")
    status = {"podIP": address, "phase": phase}
    raw = {"metadata": {"name": name, "namespace": space}, "status": status}
    return msgspec.convert(raw, Pod)


def cluster(*objects: Object) -> Cluster:
    """A cluster of these objects, with the namespaces that they are in."""
    named = {obj.namespace for obj in objects} - {""}
    given = [obj for obj in objects if isinstance(obj, Namespace)]
    spaces = [*given, *(namespace(n) for n in named - {space.name for space in given})]

    def of(kind: type[Object]) -> tuple[Any, ...]:
        return tuple(sorted((o for o in objects if type(o) is kind), key=sort_key))

    return Cluster(
        namespaces=tuple(sorted(spaces, key=sort_key)),
        services=of(Service),
        slices=of(EndpointSlice),
        pods=of(Pod),
    )


def zone(
    found: Cluster,
    options: str = "",
    *,
    zones: str = "cluster.local in-addr.arpa ip6.arpa",
    synced: frozenset[str] = KINDS,
    own: tuple[str, ...] = (),
) -> KubernetesZone:
    """The kubernetes plugin with these options (separated by `;`) over a cluster."""
    lines = "\n".join(options.split(";"))
    corefile = parse(f". {{\nkubernetes {zones} {{\n{lines}\n}}\n}}\n")
    plugin = corefile.blocks[0].plugins[0]
    assert isinstance(plugin, Kubernetes)
    return KubernetesZone(plugin, ZoneData.of(found, synced), own, SERIAL)


def ask(asked: KubernetesZone, question: str) -> list[str]:
    """What is found for `NAME TYPE`: records, glue after "+", or NODATA, NXDOMAIN, REFUSED."""
    name, kind = question.split(" ")
    origin = asked.zone_of(folded(name))
    outcome = asked.lookup(Question(name, kind), origin)
    match outcome:
        case Found(answer, additional):
            glue = [f"+ {line}" for line in sorted(map(_text, additional))]
            return [*sorted(map(_text, answer)), *glue] or ["NODATA"]
        case Chase(_, False):
            return ["? NODATA"]
        case Chase(parts):
            return [_text(part) if isinstance(part, Record) else f"? {part.name}" for part in parts]
        case Without.NAME:
            return ["NXDOMAIN"]
        case Without.REFUSED:
            return ["REFUSED"]


def _text(record: Record) -> str:
    return f"{record.name} {record.ttl} {record.type} {record.data}"


def _ports(text: str) -> list[Raw]:
    """`http:80/TCP,dns:53/UDP`; a port without a name starts with a colon."""
    found = []
    for one in text.split(",") if text else []:
        name, _, rest = one.partition(":")
        number, _, protocol = rest.partition("/")
        port = {"port": int(number), "protocol": protocol}
        found.append(port | ({"name": name} if name else {}))
    return found
