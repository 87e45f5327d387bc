"""Clusters of every kind of Service, slice and pod that an API server lets in, from a seed."""

import json
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, TypeVar

from tests.shared_files import shared

Json = dict[str, Any]
T = TypeVar("T")

OWN_ADDRESS = "10.42.0.53"
"""The address of the pod that answers, which `kube-dns` selects."""
NAMESPACES = ("default", "kube-system", "demo", "a", "svc", "pod", "dns", "dns-version", "x--y")
_LOST = "gone"  # holds objects, but there is no such Namespace
_NAMES = ("web", "db", "api-v1", "a", "svc", "pod", "x--y", "ns", "w" * 63, "n0")
_PORT_NAMES = ("http", "https", "dns", "p-8080", "a")
_HOSTS = ("db-0", "db-1", "web", "a", "h" * 63)
_TARGETS = (
    "example.com",
    "www.example.org",
    "example.com.",
    "EXAMPLE.com",
    "nosuch.example.net",
    "v4only.example.net",
    "many.example.net",
    "servfail.example.net",
    "1.2.3.4",
    "fd00::1",
    "web.default.svc.cluster.local",
    "db.demo.svc.cluster.local.",
    "nosuch.demo.svc.cluster.local",
    "web",
)


def fixture() -> list[Json]:
    """The objects that the shared DNS cases were observed with."""
    held = json.loads(shared("cases/dns.json").read_text())["fixture"]
    kinds = {"services": "Service", "endpointslices": "EndpointSlice", "pods": "Pod"}
    return [
        *({"kind": "Namespace", "metadata": {"name": name}} for name in held["namespaces"]),
        *({"kind": kind, **obj} for key, kind in kinds.items() for obj in held[key]),
    ]


def generated(seed: int) -> list[Json]:
    """About 40 Services with slices and pods; one and the same for one and the same seed."""
    return list(_Generator(Random(seed)).objects())


class _Generator:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.count = 100

    def objects(self) -> Iterator[Json]:
        for name in NAMESPACES:
            yield {"kind": "Namespace", "metadata": {"name": name}}
        yield from self.cluster_dns()
        for namespace in (*NAMESPACES, _LOST):
            for name in self.random.sample(_NAMES, 5):
                yield from self.service(namespace, name)
        for index in range(20):
            yield self.pod(index)

    def cluster_dns(self) -> Iterator[Json]:
        """The Service whose endpoint is the answering server: the zone's NS."""
        ips = ["10.43.0.10", *(["fd00:43::10"] if self.chance(0.3) else [])]
        spec = {"type": "ClusterIP", "clusterIP": ips[0], "clusterIPs": ips}
        ports = [{"name": "dns", "protocol": "UDP", "port": 53}]
        metadata = {"namespace": "kube-system", "name": "kube-dns"}
        yield {"kind": "Service", "metadata": metadata, "spec": {**spec, "ports": ports}}
        here = {"addresses": [OWN_ADDRESS], "conditions": {"ready": True}}
        yield self.slice("kube-system", "kube-dns", "IPv4", [here], ports)

    def service(self, namespace: str, name: str) -> Iterator[Json]:
        kind = self.random.choice(("cluster", "cluster", "headless", "headless", "external"))
        metadata = {"namespace": namespace, "name": name, "labels": {"tier": self.pick("ab")}}
        ports = self.ports()
        spec: Json = {"type": "ClusterIP", "ports": ports}
        match kind:
            case "external":
                spec = {"type": "ExternalName", "externalName": self.pick(_TARGETS)}
                spec |= {"ports": ports} if self.chance(0.3) else {}
            case "headless":
                spec |= {"clusterIP": "None", "clusterIPs": ["None"]}
                spec["publishNotReadyAddresses"] = self.chance(0.2)
            case _:
                spec |= self.cluster_ips()
                spec["type"] = self.pick(("ClusterIP", "NodePort", "LoadBalancer"))
                spec["externalIPs"] = ["203.0.113.5"] if self.chance(0.2) else []
        yield {"kind": "Service", "metadata": metadata, "spec": spec}
        if self.chance(0.1):
            # Alone: which of several slices is the first, which decides for CNAME, is chance.
            yield from self.slices(namespace, name, ports, ("FQDN",))
            return
        for _ in range(self.random.choice((0, 1, 1, 1, 2))):
            families = self.pick((("IPv4",), ("IPv6",), ("IPv4", "IPv6")))
            yield from self.slices(namespace, name, ports, families)

    def cluster_ips(self) -> Json:
        both = [f"10.43.{self.random.randrange(1, 9)}.{self.number()}", f"fd00:43::{self.number()}"]
        ips = self.pick((both[:1], both[1:], both, both[::-1]))
        # Objects from before dual stack have no clusterIPs.
        return {"clusterIP": ips[0]} | ({"clusterIPs": ips} if self.chance(0.9) else {})

    def ports(self) -> list[Json]:
        """Ports of a Service: one may go without a name, several have one each."""
        count = self.random.choice((0, 1, 1, 2, 3))
        names = self.random.sample(_PORT_NAMES, count)
        if count == 1 and self.chance(0.4):
            names = [""]
        return [
            {
                "protocol": self.pick(("TCP", "UDP", "SCTP")),
                "port": self.random.choice((53, 80, 443)),
            }
            | ({"name": name} if name else {})
            for name in names
        ]

    def slices(
        self, namespace: str, name: str, ports: list[Json], families: tuple[str, ...]
    ) -> Iterator[Json]:
        for family in families:
            endpoints = [self.endpoint(family) for _ in range(self.random.choice((0, 1, 2, 3, 5)))]
            found = [{**port, "port": self.random.choice((53, 8080, 8443))} for port in ports]
            if found and self.chance(0.1):
                found[0]["port"] = None  # any port
            yield self.slice(namespace, name, family, endpoints, found)

    def slice(
        self, namespace: str, name: str, family: str, endpoints: list[Json], ports: list[Json]
    ) -> Json:
        labels = {"kubernetes.io/service-name": name, "tier": self.pick("ab")}
        metadata = {"namespace": namespace, "name": f"{name}-{self.number()}", "labels": labels}
        found: Json = {"kind": "EndpointSlice", "metadata": metadata, "addressType": family}
        return found | {"endpoints": endpoints, "ports": ports}

    def endpoint(self, family: str) -> Json:
        found: Json = {"addresses": [self.address(family)]}
        ready = self.pick((True, True, True, False, None))
        if ready is not None:
            found["conditions"] = {"ready": ready, "serving": self.chance(0.5)}
        if self.chance(0.3):
            found["hostname"] = self.pick(_HOSTS)
        if self.chance(0.6):
            name = f"pod-{self.random.randrange(20)}" if self.chance(0.9) else "p" * 70
            found["targetRef"] = {"kind": "Pod", "name": name}
        return found

    def address(self, family: str) -> str:
        """From a small range, so that Services share endpoints, and one is another's cluster IP."""
        number = self.random.randrange(1, 40)
        match family:
            case "IPv6":
                return self.pick((f"fd00:42::{number:x}", f"fd00:42:0:{number:x}::"))
            case "FQDN":
                return self.pick((f"host-{number}.example.com", "example.com", "Web.default.svc"))
            case _:
                return self.pick((f"10.42.1.{number}", f"10.43.{number % 9}.{number}"))

    def pod(self, index: int) -> Json:
        ips = [self.address("IPv4"), self.address("IPv6")]
        self.random.shuffle(ips)
        status: Json = {"phase": self.pick(("Running", "Running", "Pending", "Succeeded"))}
        if self.chance(0.9):
            status |= {"podIP": ips[0], "podIPs": [{"ip": ip} for ip in ips]}
        metadata: Json = {"namespace": self.pick(NAMESPACES), "name": f"pod-{index}"}
        return {"kind": "Pod", "metadata": metadata, "spec": {}, "status": status}

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def pick(self, among: Sequence[T]) -> T:
        return self.random.choice(among)

    def number(self) -> int:
        """A new one each time."""
        self.count += 1
        return self.count
