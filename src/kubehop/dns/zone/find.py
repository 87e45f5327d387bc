"""Which addresses a name of the cluster stands for.

Source: `Records`, `findServices`, `findPods` of `plugin/kubernetes/kubernetes.go`.
"""

from dataclasses import dataclass
from typing import NamedTuple

from kubehop.dns.corefile.plugins.kubernetes import Kubernetes
from kubehop.dns.corefile.zones import is_reverse
from kubehop.dns.zone.backends import NONE, Backend, Face, Port, Ready, View, kind_of
from kubehop.dns.zone.data import Name, ZoneData
from kubehop.dns.zone.grammar import Wanted, parse
from kubehop.model.selectors import matches
from kubehop.model.service import EndpointSlice, Service


class Target(NamedTuple):
    """An address (`kind` A or AAAA) or a name (CNAME), its port, and the name it is known by.

    `owner` lacks the zone: `db-0.db.demo.svc.`.
    """

    host: str
    kind: str
    port: int
    owner: str


@dataclass(frozen=True, slots=True)
class Sight:
    """What one kubernetes plugin sees of the data."""

    options: Kubernetes
    data: ZoneData
    view: View

    def namespace_exposed(self, namespace: str) -> bool:
        """True if the namespace exists and the plugin is not told to pass it by."""
        options = self.options
        if options.namespaces and namespace not in options.namespaces:
            return False
        found = self.data.namespaces.get(namespace)
        if found is None:
            return False
        selector = options.namespace_labels
        return selector is None or matches(selector, found.labels)

    def service(self, backend: Backend | None) -> Service | None:
        """The Service, None if the plugin's label selector passes it by."""
        service = backend.service if backend is not None else None
        selector = self.options.labels
        if service is None or selector is None or matches(selector, service.labels):
            return service
        return None

    def slice_seen(self, endpoint_slice: EndpointSlice) -> bool:
        """True unless the plugin's label selector passes the slice by."""
        selector = self.options.labels
        return selector is None or matches(selector, endpoint_slice.labels)

    def ready(self, backend: Backend) -> Ready:
        """Its ready endpoints, none with `noendpoints`."""
        return backend.ready(self.view) if self.options.endpoints else NONE

    def pod_seen(self, name: Name) -> bool:
        """True unless the plugin's label selector passes the pod by."""
        selector = self.options.labels
        return selector is None or matches(selector, self.data.pods[name].labels)

    def ignored(self, service: Service, backend: Backend) -> bool:
        """True if `ignore empty_service` hides it: a cluster IP with nothing behind it."""
        if not self.options.ignore_empty_service or service.spec.type == "ExternalName":
            return False
        return not service.headless and not self.ready(backend).endpoints


def find(sight: Sight, name: str, zone: str) -> list[Target] | None:
    """What a folded name in `zone` stands for; [] if it exists without; None if it does not."""
    wanted = parse(name, zone, sight.options.zonal)
    if wanted is None:
        return None
    if not wanted.kind:
        return []
    if is_reverse(name) or not sight.namespace_exposed(wanted.namespace):
        return None
    if zone in sight.options.multicluster:
        return None
    return _pods(sight, wanted) if wanted.kind == "pod" else _services(sight, wanted)


def _services(sight: Sight, wanted: Wanted) -> list[Target] | None:
    if not wanted.service:
        return []
    backend = sight.data.backends.get((wanted.namespace, wanted.service))
    service = sight.service(backend)
    if backend is None or service is None or sight.ignored(service, backend):
        return None
    face = backend.face(service)
    if wanted.topology and not face.headless:
        return None
    if face.external:
        return _external(service, face, wanted)
    if face.headless or wanted.endpoint:
        return _endpoints(sight.ready(backend), face, wanted)
    ports = face.ports
    if wanted.port or wanted.protocol:
        ports = tuple(port for port in ports if _matches(port, wanted))
        if not ports:
            return None
    return [
        Target(ip, kind, port.number, face.owner) for port in ports for ip, kind in face.addresses
    ]


def _external(service: Service, face: Face, wanted: Wanted) -> list[Target] | None:
    """A name to go on with; an address is no name, and there is nothing below it."""
    host = service.spec.external_name or ""
    if wanted.endpoint or wanted.port or wanted.protocol or kind_of(host) != "CNAME":
        return None
    return [Target(host, "CNAME", 0, face.owner)]


def _endpoints(ready: Ready, face: Face, wanted: Wanted) -> list[Target] | None:
    label = wanted.endpoint
    candidates = ready.by_label.get(label, ()) if label else ready.endpoints
    if wanted.topology:
        local = tuple(e for e in candidates if e.topology == wanted.topology)
        candidates = candidates if wanted.prefer and not local else local
    any_port = not (wanted.port or wanted.protocol)
    found = [
        Target(endpoint.address, endpoint.kind, port.number, f"{endpoint.label}.{face.owner}")
        for endpoint in candidates
        for port in endpoint.ports
        if any_port or _matches(port, wanted)
    ]
    # A zone-scoped name of a headless Service exists whether or not a node is in that zone.
    return found if found or wanted.topology else None


def _matches(port: Port, wanted: Wanted) -> bool:
    """True if name and protocol are those asked for; nothing asked for is any."""
    same_name = not wanted.port or wanted.port == port.name
    return same_name and (not wanted.protocol or wanted.protocol == port.protocol)


def _pods(sight: Sight, wanted: Wanted) -> list[Target] | None:
    """`a-b-c-d.<namespace>.pod`: port, protocol and endpoint are not looked at."""
    if sight.options.pods == "disabled":
        return None
    label = wanted.service
    if not label:
        return []
    is_v4 = label.count("-") == 3 and "--" not in label
    address = label.replace("-", "." if is_v4 else ":")
    owner = f"{label}.{wanted.namespace}.pod."
    if sight.options.pods == "insecure":
        kind = kind_of(address)
        return None if kind == "CNAME" else [Target(address, kind, 0, owner)]
    found = [
        Target(address, "AAAA" if ":" in address else "A", 0, owner)
        for name in sight.data.pods_at.get(address, ())
        if name[0] == wanted.namespace and sight.pod_seen(name)
    ]
    return found or None
