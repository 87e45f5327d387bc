"""What changed between two clusters, in words for people."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from kubehop.model.cluster import Cluster, sort_key
from kubehop.model.meta import Object
from kubehop.model.node import Node
from kubehop.model.pod import Pod
from kubehop.model.service import EndpointSlice, Service
from kubehop.workload import say
from kubehop.workload.following.state import FIELDS

SHOWN = ("nodes", "namespaces", "pods", "services", "policies", "config_maps")
"""What is told object by object; of slices, only what is behind each Service."""


def described(old: Cluster, new: Cluster) -> tuple[str, ...]:
    """A line for each object that came, went or changed, sorted; () if nothing did."""
    lines = [
        line
        for kind, field in FIELDS.items()
        if field in SHOWN
        for line in _of_kind(kind, getattr(old, field), getattr(new, field))
    ]
    return tuple(sorted((*lines, *_endpoints(old, new), *_settings(old, new))))


def _of_kind(kind: str, before: Sequence[Object], after: Sequence[Object]) -> Iterator[str]:
    if before is after:
        return
    kept = set(map(id, before)) & set(map(id, after))
    gone = {sort_key(obj): obj for obj in before if id(obj) not in kept}
    for obj in after:
        if id(obj) in kept:
            continue
        had = gone.pop(sort_key(obj), None)
        if had is None:
            yield f"{_called(obj)} made{_where(obj)}"
        elif had != obj:
            yield f"{_called(obj)}: {', '.join(_differences(had, obj))}"
    yield from (f"{_called(obj)} removed" for obj in gone.values())


def _called(obj: Object) -> str:
    """Pods and nodes are things of the cluster more than objects of the API."""
    kind, _, name = obj.reference.partition(" ")
    return f"{kind.lower() if isinstance(obj, Pod | Node) else kind} {name}"


def _where(obj: Object) -> str:
    """Where a new object is: a pod's node and addresses, a Service's addresses and node ports."""
    match obj:
        case Pod():
            on = f" on {obj.node_name}" if obj.node_name else ""
            at = f" at {', '.join(obj.addresses)}" if obj.addresses else ""
            return f"{on}{at}" if at else f"{on}, {obj.phase or 'Pending'}"
        case Node():
            return f" at {', '.join(obj.internal_ips)}" if obj.internal_ips else ""
        case Service():
            ips = [*obj.cluster_ips, *(entry.ip for entry in obj.ingress if entry.ip)]
            ports = [str(port.node_port) for port in obj.ports if port.node_port]
            at = f" at {', '.join(ips)}" if ips else ""
            return f"{at}, node port {', '.join(ports)}" if ports else at
        case _:
            return ""


def _differences(old: Object, new: Object) -> Iterable[str]:
    if isinstance(old, Pod) and isinstance(new, Pod):
        found = [
            line
            for read, word in _POD_WORDS.items()
            if (line := _difference(word, read(old), read(new)))
        ]
        found += ["terminating"] if new.terminating and not old.terminating else []
        if found:
            return found
    before, after = _leaves(old), _leaves(new)
    paths = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    lines = [_difference(path, before.get(path), after.get(path)) for path in paths]
    more = [f"and {len(lines) - say.NAMED} more fields"] if len(lines) > say.NAMED else []
    return [*lines[: say.NAMED], *more]


def _difference(word: str, old: Any, new: Any) -> str:
    if old == new:
        return ""
    return f"{word} {_shown(old)} -> {_shown(new)}".lstrip()


def _shown(value: Any) -> str:
    return "none" if value in (None, "") else str(value)


_POD_WORDS: Mapping[Callable[[Pod], str], str] = {
    lambda pod: pod.node_name: "node",
    lambda pod: ", ".join(pod.addresses): "address",
    lambda pod: pod.phase: "phase",
    lambda pod: "ready" if pod.ready else "not ready": "",
}


def _leaves(value: Any) -> dict[str, Any]:
    """Every field that holds no others, by its path below the object."""
    found: dict[str, Any] = {}
    _walk(msgspec.to_builtins(value), "", found)
    return found


def _walk(value: Any, path: str, found: dict[str, Any]) -> None:
    if isinstance(value, dict):
        for key, each in value.items():
            _walk(each, f"{path}.{key}" if path else key, found)
    elif isinstance(value, list | tuple):
        for at, each in enumerate(value):
            _walk(each, f"{path}[{at}]", found)
    else:
        found[path] = value


def _endpoints(old: Cluster, new: Cluster) -> Iterator[str]:
    """How many endpoints there are behind each Service, and how many are ready or terminating."""
    if old.slices is new.slices:
        return
    for service in new.services:
        before, after = old.slices_of(service), new.slices_of(service)
        if before == after:
            continue
        counted = _difference("endpoints", _count(before), _count(after))
        ready = _difference("ready", _ready(before), _ready(after))
        ending = _difference("terminating", _ending(before), _ending(after))
        told = ", ".join(filter(None, (counted, ready, ending))) or _replaced(before, after)
        yield f"Service {service.namespace}/{service.name}: {told}"


def _count(slices: Iterable[EndpointSlice]) -> int:
    return sum(len(found.endpoints or ()) for found in slices)


def _ready(slices: Iterable[EndpointSlice]) -> int:
    return sum(
        not e.conditions or e.conditions.ready is not False
        for found in slices
        for e in found.endpoints or ()
    )


def _ending(slices: Iterable[EndpointSlice]) -> int:
    return sum(
        bool(e.conditions and e.conditions.terminating)
        for found in slices
        for e in found.endpoints or ()
    )


def _replaced(before: Iterable[EndpointSlice], after: Iterable[EndpointSlice]) -> str:
    """Other endpoints, though as many; or other hints and ports of the same ones."""
    had, has = _addresses(before), _addresses(after)
    replaced = say.count(len(has - had), "endpoint")
    return f"{replaced} replaced" if had != has else "fields of endpoints changed"


def _addresses(slices: Iterable[EndpointSlice]) -> set[str]:
    return {a for found in slices for e in found.endpoints or () for a in e.addresses}


def _settings(old: Cluster, new: Cluster) -> Iterator[str]:
    for word, before, after in (
        ("service CIDRs", ", ".join(old.service_cidrs), ", ".join(new.service_cidrs)),
        ("pod network", old.pod_network.name, new.pod_network.name),
    ):
        if line := _difference(word, before, after):
            yield line
    if old.proxy != new.proxy:
        yield "kube-proxy's configuration changed"
