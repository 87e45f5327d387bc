"""From EndpointSlices to the endpoints of one Service port (`pkg/proxy/endpointslicecache.go`)."""

from collections.abc import Iterable
from dataclasses import dataclass

from kubehop.model.addresses import Family, canonical, family, socket_address
from kubehop.model.service import EndpointSlice, ServicePort, SliceEndpoint, SlicePort


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and port behind a Service port, with unset conditions already decided.

    `ready` unset means true, `serving` unset means true, `terminating` unset means false.
    `node` and `zone` are "" when unset: such an endpoint is local nowhere.
    """

    address: str
    port: int
    node: str = ""
    zone: str = ""
    ready: bool = True
    serving: bool = True
    terminating: bool = False
    for_zones: tuple[str, ...] = ()
    for_nodes: tuple[str, ...] = ()
    pod: str = ""

    @property
    def draining(self) -> bool:
        """Serving while terminating: used only where nothing is ready (KEP-1669)."""
        return not self.ready and self.serving and self.terminating

    @property
    def key(self) -> str:
        """`10.0.0.1:80`: what makes an endpoint the same endpoint."""
        return socket_address(self.address, self.port)


@dataclass(frozen=True, slots=True)
class Backends:
    """All endpoints of one Service port in one family, before any policy.

    `copies` are further mentions of an endpoint in other slices; kube-proxy prefers the copy
    that is local to its own node, so `at` depends on the node.
    """

    endpoints: tuple[Endpoint, ...]
    copies: tuple[Endpoint, ...] = ()

    def at(self, node: str) -> tuple[Endpoint, ...]:
        """The endpoints as the kube-proxy of `node` has them."""
        local = {copy.key: copy for copy in self.copies if copy.node == node}
        if not local:
            return self.endpoints
        return tuple(e if e.node == node else local.get(e.key, e) for e in self.endpoints)


def backends(slices: Iterable[EndpointSlice], port: ServicePort, wanted: Family) -> Backends:
    """The endpoints for `port` in the given slices of its Service.

    The backend port is that of the slice port with the same name and protocol: `targetPort`
    plays no part. Skipped are slices of another family and FQDN ones, slice ports without
    name or number, addresses of the wrong family; only an endpoint's first address counts.
    """
    found: dict[str, Endpoint] = {}
    copies: list[Endpoint] = []
    for endpoint_slice in slices:
        if endpoint_slice.address_type != wanted:
            continue
        number = _port_number(endpoint_slice.ports or (), port)
        if number is None:
            continue
        for entry in endpoint_slice.endpoints or ():
            if not entry.addresses or family(entry.addresses[0]) is not wanted:
                continue
            endpoint = _endpoint(entry, number, endpoint_slice.namespace)
            if found.setdefault(endpoint.key, endpoint) is not endpoint:
                copies.append(endpoint)
    return Backends(tuple(found.values()), tuple(copies))


def _port_number(slice_ports: tuple[SlicePort, ...], port: ServicePort) -> int | None:
    """The number of the slice port that serves `port`; the last one wins, as in a map."""
    number = None
    for candidate in slice_ports:
        named = candidate.name is not None and candidate.port
        key = f"{candidate.name}/{candidate.protocol or 'TCP'}"
        if named and key == port.key:
            number = candidate.port
    return number


def _endpoint(entry: SliceEndpoint, port: int, namespace: str) -> Endpoint:
    conditions, hints, target = entry.conditions, entry.hints, entry.target_ref
    is_pod = target is not None and target.kind == "Pod" and target.name
    return Endpoint(
        address=canonical(entry.addresses[0]),
        port=port,
        node=entry.node_name or "",
        zone=entry.zone or "",
        ready=conditions is None or conditions.ready is not False,
        serving=conditions is None or conditions.serving is not False,
        terminating=conditions is not None and conditions.terminating is True,
        for_zones=tuple(h.name for h in (hints and hints.for_zones) or ()),
        for_nodes=tuple(h.name for h in (hints and hints.for_nodes) or ()),
        pod=f"{target.namespace or namespace}/{target.name}" if target and is_pod else "",
    )
