"""Objects that are rare or would be a mistake, put beside those of a generated cluster."""

from collections.abc import Iterator
from random import Random

from tests.real.network import POD_ADDRESSES
from tests.real.selecting import Json

LABEL = "kubernetes.io/service-name"
LOCAL = "svc.cluster.local"


def odd_objects(seed: int) -> list[Json]:
    """One and the same for one and the same seed; all are in namespaces of generated clusters."""
    random = Random(seed)
    found = [*_chain(random), *_loops(), *_names(random), *_shared(), *_orphans(), *_pods(random)]
    return [obj for obj in found if random.random() < 0.9]


def _service(namespace: str, name: str, **spec: object) -> Json:
    metadata = {"namespace": namespace, "name": name, "labels": {"tier": "b"}}
    headless = {"type": "ClusterIP", "clusterIP": "None", "clusterIPs": ["None"]}
    return {"kind": "Service", "metadata": metadata, "spec": headless | spec}


def _external(namespace: str, name: str, target: str) -> Json:
    return _service(namespace, name, type="ExternalName", externalName=target) | {}


def _slice(namespace: str, service: str, name: str, family: str, endpoints: list[Json]) -> Json:
    labels = {LABEL: service, "tier": "b"}
    metadata = {"namespace": namespace, "name": name, "labels": labels}
    ports = [{"name": "http", "port": 8080, "protocol": "TCP"}]
    found: Json = {"kind": "EndpointSlice", "metadata": metadata, "addressType": family}
    return found | {"endpoints": endpoints, "ports": ports}


def _chain(random: Random) -> Iterator[Json]:
    """ExternalNames one behind the other, more than CoreDNS follows."""
    length = random.choice((3, 9, 10, 11, 12, 13))
    for number in range(length):
        target = f"link-{number + 1}.demo.{LOCAL}"
        yield _external("demo", f"link-{number}", target.upper() if number % 3 == 1 else target)
    end = random.choice((f"web.default.{LOCAL}", "example.com", f"twins.demo.{LOCAL}."))
    yield _external("demo", f"link-{length}", end)


def _loops() -> Iterator[Json]:
    """Circles, a name below itself, names of the zone that are no Service's."""
    yield _external("a", "round", f"robin.a.{LOCAL}")
    yield _external("a", "robin", f"round.a.{LOCAL}.")
    yield _external("a", "below", f"x.below.a.{LOCAL}")
    yield _external("a", "apex", "cluster.local")
    yield _external("a", "kinds", LOCAL)
    yield _external("a", "space", f"default.{LOCAL}")
    yield _external("a", "pods", "10-42-1-1.default.pod.cluster.local")
    yield _external("a", "server", "ns.dns.cluster.local")
    yield _external("a", "backwards", "1.0.43.10.in-addr.arpa")
    yield _external("a", "endpoint", f"same.twins.demo.{LOCAL}")
    yield _external("a", "elsewhere", f"web.{'gone'}.{LOCAL}")
    yield _external("a", "alias", "www.example.org")
    yield _external("a", "stub", "db.corp.example")
    yield _external("a", "refused", "refused.example.net")


def _names(random: Random) -> Iterator[Json]:
    """Endpoints that are names, alone and beside addresses."""
    hosts = ["example.com", f"web.default.{LOCAL}", f"named.demo.{LOCAL}", "nosuch.example.net"]
    hosts += ["v4only.example.net.", "10.42.1.9", f"link-0.demo.{LOCAL}"]
    yield _service("demo", "named", ports=[])
    endpoints: list[Json] = [{"addresses": [host]} for host in random.sample(hosts, 3)]
    endpoints[0]["hostname"] = "first"
    yield _slice("demo", "named", "named-fqdn", "FQDN", endpoints)
    yield _service("demo", "both", clusterIP="10.43.9.9", clusterIPs=["10.43.9.9"])
    yield _slice("demo", "both", "both-fqdn", "FQDN", [{"addresses": [random.choice(hosts)]}])


def _shared() -> Iterator[Json]:
    """One hostname for several endpoints and slices, one address in two slices, many ports."""
    ports = [{"name": f"p{n}", "port": n, "protocol": ("TCP", "UDP")[n % 2]} for n in range(1, 9)]
    yield _service("demo", "twins", ports=ports)
    for number, family in enumerate(("IPv4", "IPv4", "IPv6")):
        address = "10.42.7.7" if family == "IPv4" else "fd00:42::7:7"
        other = address[:-1] + str(8 - number)
        endpoints: list[Json] = [{"addresses": [address], "hostname": "same"}]
        endpoints.append({"addresses": [other], "hostname": "Same", "conditions": {}})
        yield _slice("demo", "twins", f"twins-{number}", family, endpoints) | {"ports": ports}
    yield _slice("demo", "twins", "twins-none", "IPv4", []) | {"ports": None}
    yield _service("demo", "mapped", ports=[])
    mapped: list[Json] = [{"addresses": ["::ffff:10.42.7.9"]}, {"addresses": ["fd00:42::7:9"]}]
    yield _slice("demo", "mapped", "mapped-1", "IPv6", mapped)


def _orphans() -> Iterator[Json]:
    """Slices without a Service."""
    yield _slice("demo", "lost", "lost-1", "IPv4", [{"addresses": ["10.42.8.1"]}])
    yield _slice("gone", "web", "gone-1", "IPv4", [{"addresses": ["10.42.8.3"]}])


def _pods(random: Random) -> Iterator[Json]:
    """Pods at the addresses that questions come from."""
    for number, address in enumerate(POD_ADDRESSES[:6]):
        metadata: Json = {
            "name": f"asks-{number}",
            "namespace": ("default", "demo", "a")[number % 3],
        }
        metadata["labels"] = {"tier": random.choice("ab")}
        status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]}
        yield {"kind": "Pod", "metadata": metadata, "status": status}
