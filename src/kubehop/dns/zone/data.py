"""The objects that cluster DNS answers from, indexed, and changed in place."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

from kubehop.dns.names import folded
from kubehop.dns.zone.backends import Backend, is_ready
from kubehop.model.changes import Change
from kubehop.model.cluster import Cluster
from kubehop.model.meta import Object
from kubehop.model.node import Namespace
from kubehop.model.pod import Pod
from kubehop.model.service import EndpointSlice, Service

Name = tuple[str, str]
"""Namespace and name of a Service, a slice or a pod."""

Alias = tuple[Name, str]
"""A Service that stands for a name, and the slice that says so, "" for an ExternalName."""

KINDS = frozenset({"Namespace", "Service", "EndpointSlice", "Pod"})
"""What CoreDNS lists and watches; without one of them it is not synced."""
UNLISTED_PHASES = frozenset({"Succeeded", "Failed", "Unknown"})


@dataclass(slots=True)
class Touched:
    """What a change may have changed, in the words of the data: no zone is known here.

    `pods` are addresses with the namespaces that they were or are in.
    """

    services: set[Name] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    namespaces: set[str] = field(default_factory=set)
    pods: set[Name] = field(default_factory=set)


class ZoneData:
    """Services, slices, namespaces and pods by what questions look for.

    `synced` names the kinds that the API gave; objects of other kinds are never taken in,
    and a kubernetes plugin that needs one of them answers SERVFAIL for what it cannot find.
    """

    __slots__ = (
        "aliases",
        "backends",
        "by_cluster_ip",
        "by_endpoint_ip",
        "namespaces",
        "pods",
        "pods_at",
        "slices",
        "synced",
    )

    def __init__(self, synced: frozenset[str] = KINDS) -> None:
        self.synced = synced
        self.namespaces: dict[str, Namespace] = {}
        self.backends: dict[Name, Backend] = {}
        self.slices: dict[Name, EndpointSlice] = {}
        self.by_cluster_ip: dict[str, tuple[Name, ...]] = {}
        self.by_endpoint_ip: dict[str, tuple[Name, ...]] = {}
        """Slices by the ready addresses in them."""
        self.pods: dict[Name, Pod] = {}
        self.pods_at: dict[str, tuple[Name, ...]] = {}
        self.aliases: dict[str, set[Alias]] = {}
        """What points to a name or to one below it."""

    @classmethod
    def of(cls, cluster: Cluster, synced: frozenset[str] = KINDS) -> Self:
        """Everything in `cluster` of the kinds in `synced`.

        A pod that ends has its names: CoreDNS is taken to know it from before. One that has
        started since knows it not (`object/pod.go`), which no cluster tells.
        """
        data = cls(synced)
        tables: tuple[tuple[Object, ...], ...] = (
            cluster.namespaces,
            cluster.services,
            cluster.slices,
            cluster.pods,
        )
        ignored = Touched()
        for table in tables:
            for obj in table:
                data._put(obj, ignored)
            ignored = Touched()
        return data

    def apply(self, change: Change) -> Touched:
        """Take in a change; costs what changed, whatever the size of the cluster."""
        touched = Touched()
        for kind, namespace, name in change.gone:
            self._gone(kind, (namespace, name), touched)
        for obj in change.put:
            if not _passed_by(obj):
                self._put(obj, touched)
        return touched

    def services(self) -> Iterator[tuple[Name, Backend, Service]]:
        """Every Service, in no particular order."""
        for name, backend in self.backends.items():
            if backend.service is not None:
                yield name, backend, backend.service

    def _put(self, obj: Object, touched: Touched) -> None:
        if type(obj).__name__ not in self.synced:
            return
        match obj:
            case Service():
                self._service((obj.namespace, obj.name), obj, touched)
            case EndpointSlice():
                self._slice((obj.namespace, obj.name), obj, touched)
            case Pod():
                self._pod((obj.namespace, obj.name), obj, touched)
            case Namespace():
                self.namespaces[obj.name] = obj
                touched.namespaces.add(obj.name)

    def _gone(self, kind: str, name: Name, touched: Touched) -> None:
        match kind:
            case "Service":
                self._service(name, None, touched)
            case "EndpointSlice":
                self._slice(name, None, touched)
            case "Pod":
                self._pod(name, None, touched)
            case "Namespace":
                self.namespaces.pop(name[1], None)
                touched.namespaces.add(name[1])

    def _backend(self, name: Name) -> Backend:
        found = self.backends.get(name)
        if found is None:
            found = self.backends[name] = Backend()
        return found

    def _service(self, name: Name, new: Service | None, touched: Touched) -> None:
        backend = self._backend(name)
        old, backend.service = backend.service, new
        touched.services.add(name)
        for service, change in ((old, _without), (new, _with)):
            if service is None:
                continue
            for address in service.cluster_ips:
                change(self.by_cluster_ip, address, name)
                touched.addresses.add(address)
        self._alias((name, ""), _external_names(old), _external_names(new))
        self._drop_if_empty(name, backend)

    def _alias(self, alias: Alias, old: Iterable[str], new: Iterable[str]) -> None:
        for target in _at_or_above(old):
            pointing = self.aliases.get(target, set())
            pointing.discard(alias)
            if not pointing:
                self.aliases.pop(target, None)
        for target in _at_or_above(new):
            self.aliases.setdefault(target, set()).add(alias)

    def _slice(self, name: Name, new: EndpointSlice | None, touched: Touched) -> None:
        old = self.slices.pop(name, None)
        if new is not None:
            self.slices[name] = new
        for endpoint_slice in (old, new):
            if endpoint_slice is not None and endpoint_slice.service_name:
                self._rebind(name, endpoint_slice, new, touched)
        had, has = _ready_addresses(old), _ready_addresses(new)
        for address in had.keys() - has.keys():
            _without(self.by_endpoint_ip, address, name)
        for address in has.keys() - had.keys():
            _with(self.by_endpoint_ip, address, name)
        same_service = old is not None and new is not None and old.labels == new.labels
        changed = had.items() ^ has.items() if same_service else had.items() | has.items()
        touched.addresses.update(address for address, _ in changed)

    def _rebind(
        self, name: Name, found: EndpointSlice, new: EndpointSlice | None, touched: Touched
    ) -> None:
        """Put the slice behind its Service, or take it away from there."""
        owner = (name[0], found.service_name)
        backend = self._backend(owner)
        backend.forget()
        touched.services.add(owner)
        if found is new:
            backend.slices[name[1]] = new
            self._alias((owner, name[1]), (), _host_names(new))
        else:
            backend.slices.pop(name[1], None)
            self._alias((owner, name[1]), _host_names(found), ())
        self._drop_if_empty(owner, backend)

    def _drop_if_empty(self, name: Name, backend: Backend) -> None:
        if backend.service is None and not backend.slices:
            self.backends.pop(name, None)

    def _pod(self, name: Name, new: Pod | None, touched: Touched) -> None:
        if new is not None and new.phase in UNLISTED_PHASES:
            new = None
        old = self.pods.pop(name, None)
        if new is not None:
            self.pods[name] = new
        for pod, change in ((old, _without), (new, _with)):
            # Only the primary address counts (`object/pod.go`).
            address = pod.addresses[:1] if pod is not None else ()
            for primary in address:
                change(self.pods_at, primary, name)
                touched.pods.add((primary, name[0]))


def _passed_by(obj: Object) -> bool:
    """True for a pod that ends: CoreDNS leaves it as it knew it, or did not, until it is gone."""
    return isinstance(obj, Pod) and obj.terminating and obj.phase not in UNLISTED_PHASES


def _with(index: dict[str, tuple[Name, ...]], key: str, name: Name) -> None:
    names = index.get(key)
    if names is None:
        index[key] = (name,)
    elif name not in names:
        index[key] = tuple(sorted((*names, name)))


def _without(index: dict[str, tuple[Name, ...]], key: str, name: Name) -> None:
    left = tuple(other for other in index.get(key, ()) if other != name)
    if left:
        index[key] = left
    else:
        index.pop(key, None)


def _external_names(service: Service | None) -> tuple[str, ...]:
    """The name that an ExternalName Service points to."""
    if service is None or service.spec.type != "ExternalName" or not service.spec.external_name:
        return ()
    return (service.spec.external_name,)


def _host_names(endpoint_slice: EndpointSlice) -> tuple[str, ...]:
    """Ready addresses that may be names."""
    is_fqdn = endpoint_slice.address_type == "FQDN"
    return tuple(_ready_addresses(endpoint_slice)) if is_fqdn else ()


def _at_or_above(names: Iterable[str]) -> Iterator[str]:
    """The folded names and every name above them."""
    for name in map(folded, names):
        while name:
            yield name
            name = name.partition(".")[2]


def _ready_addresses(endpoint_slice: EndpointSlice | None) -> dict[str, tuple[str, ...]]:
    """Ready addresses, each with what its label is made of."""
    found: dict[str, tuple[str, ...]] = {}
    if endpoint_slice is None:
        return found
    for endpoint in endpoint_slice.endpoints or ():
        if is_ready(endpoint):
            target = endpoint.target_ref
            label = (endpoint.hostname or "", (target and target.name) or "")
            for address in endpoint.addresses:
                found[address] = (*found[address], *label) if address in found else label
    return found
