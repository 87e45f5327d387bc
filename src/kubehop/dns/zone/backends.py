"""A Service and what is behind it, as the kubernetes plugin sees it.

Source: `plugin/kubernetes/object/{service,endpoint}.go`, `endpointHostname`.
"""

import ipaddress
from collections.abc import Iterator
from typing import NamedTuple

from kubehop.model.meta import LabelSelector
from kubehop.model.selectors import matches
from kubehop.model.service import EndpointSlice, Service, SliceEndpoint

NO_PORT = -1
"""The port of a Service or slice without ports: addresses answer, SRV does not."""
MAX_LABEL = 63


class Port(NamedTuple):
    """A port by folded name and protocol, as questions are compared with it."""

    name: str
    protocol: str
    number: int


ANY_PORT = (Port("", "", NO_PORT),)


class Endpoint(NamedTuple):
    """A ready address (a name if `kind` is CNAME) and the label that names it below its Service.

    `of_slice` counts the ready addresses of its slice.
    """

    label: str
    address: str
    kind: str
    ports: tuple[Port, ...]
    topology: str
    of_slice: int


class Ready(NamedTuple):
    """The ready endpoints in the order of the slices, and the same by folded label."""

    endpoints: tuple[Endpoint, ...]
    by_label: dict[str, tuple[Endpoint, ...]]


NONE = Ready((), {})
View = tuple[bool, LabelSelector | None]
"""What two kubernetes plugins may see differently: pod names as labels, which objects."""


class Face(NamedTuple):
    """What of a Service its names are made of; `owner` is its own, without the zone.

    `addresses` are its cluster IPs with the type of their records.
    """

    headless: bool
    external: bool
    owner: str
    ports: tuple[Port, ...]
    addresses: tuple[tuple[str, str], ...]


class Backend:
    """A Service (None if only slices name it) and its slices; changed in place."""

    __slots__ = ("_face", "_ready", "_service", "slices")

    def __init__(self) -> None:
        self._service: Service | None = None
        self._face: Face | None = None
        self.slices: dict[str, EndpointSlice] = {}
        self._ready: dict[View, Ready] = {}

    @property
    def service(self) -> Service | None:
        return self._service

    @service.setter
    def service(self, service: Service | None) -> None:
        self._service, self._face = service, None

    def face(self, service: Service) -> Face:
        """The Service's face, derived once after each change."""
        if self._face is None:
            self._face = Face(
                service.headless,
                service.spec.type == "ExternalName",
                f"{service.name}.{service.namespace}.svc.",
                service_ports(service),
                tuple((ip, address_kind(ip)) for ip in service.cluster_ips),
            )
        return self._face

    def forget(self) -> None:
        """Slices have changed: what was derived from them no longer holds."""
        self._ready.clear()

    def ready(self, view: View) -> Ready:
        """The ready endpoints, derived once after each change."""
        found = self._ready.get(view)
        if found is None:
            found = self._ready[view] = _ready(self, *view)
        return found


def is_ready(endpoint: SliceEndpoint) -> bool:
    """Ready unless it says otherwise; serving and terminating are not looked at."""
    conditions = endpoint.conditions
    return conditions is None or conditions.ready is not False


def service_ports(service: Service) -> tuple[Port, ...]:
    """The Service's own ports."""
    return (
        tuple(
            Port((port.name or "").lower(), port.protocol.lower(), port.port)
            for port in service.ports
        )
        or ANY_PORT
    )


def label_of(endpoint: SliceEndpoint, address: str, pod_names: bool) -> str:
    """The label of an endpoint: its hostname, its pod's name, or its address with dashes.

    `pod_names` is the option `endpoint_pod_names`; a pod name that is no label is passed by.
    """
    if endpoint.hostname:
        return endpoint.hostname
    target = endpoint.target_ref
    if pod_names and target is not None and target.name and len(target.name) <= MAX_LABEL:
        return target.name
    if "." in address:
        return address.replace(".", "-")
    dashed = address.replace(":", "-")
    return f"{dashed}0" if dashed.endswith("-") else dashed


def _ready(backend: Backend, pod_names: bool, selector: LabelSelector | None) -> Ready:
    endpoints = tuple(
        found
        for name in sorted(backend.slices)
        if selector is None or matches(selector, backend.slices[name].labels)
        for found in of_slice(backend.slices[name], pod_names)
    )
    by_label: dict[str, list[Endpoint]] = {}
    for endpoint in endpoints:
        by_label.setdefault(endpoint.label.lower(), []).append(endpoint)
    return Ready(endpoints, {label: tuple(found) for label, found in by_label.items()})


def of_slice(endpoint_slice: EndpointSlice, pod_names: bool) -> Iterator[Endpoint]:
    """The ready endpoints of one slice; `pod_names` is the option `endpoint_pod_names`."""
    ports = tuple(
        Port((p.name or "").lower(), (p.protocol or "").lower(), _number(p.port))
        for p in endpoint_slice.ports or ()
    )
    ready = [
        (endpoint, address)
        for endpoint in endpoint_slice.endpoints or ()
        if is_ready(endpoint)
        for address in endpoint.addresses
    ]
    is_fqdn = endpoint_slice.address_type == "FQDN"
    for endpoint, address in ready:
        # The type of the slice is not looked at; its addresses may be names (FQDN).
        kind = kind_of(address) if is_fqdn else address_kind(address)
        label = label_of(endpoint, address, pod_names)
        topology = (endpoint.zone or "").lower()
        yield Endpoint(label, address, kind, ports or ANY_PORT, topology, len(ready))


def kind_of(host: str) -> str:
    """The type of record for a host: A, AAAA, or CNAME if it is no address (`HostType`)."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "CNAME"
    if isinstance(address, ipaddress.IPv4Address) or address.ipv4_mapped is not None:
        return "A"
    return "AAAA" if address.scope_id is None else "CNAME"


def address_kind(address: str) -> str:
    """The same of what is an address; an IPv4 address may be written as an IPv6 one."""
    if ":" not in address:
        return "A"
    return "AAAA" if "." not in address else kind_of(address)


def _number(port: int | None) -> int:
    return NO_PORT if port is None else port
