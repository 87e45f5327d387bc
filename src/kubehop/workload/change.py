"""A Service with some fields changed, and the cluster as controllers would then make it."""

import dataclasses
import difflib
import itertools
import re
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import inspect
from msgspec.structs import replace

from kubehop.model.addresses import Family, family
from kubehop.model.cluster import Cluster, sort_key
from kubehop.model.errors import UsageError
from kubehop.model.inventory import Inventory
from kubehop.model.service import EndpointSlice, Service
from kubehop.source.checks import first_problem
from kubehop.workload.draft import Draft
from kubehop.workload.hints import with_hints
from kubehop.workload.options import Options
from kubehop.workload.services import Stock
from kubehop.workload.slices import slices_for
from kubehop.workload.topology import zone_shares
from kubehop.workload.type_change import externally_accessible, without_type_dependents

_SEGMENT = re.compile(r"([A-Za-z]+)((?:\[\d+\])*)")
_SLICE_FIELDS = ("selector", "ports", "publish_not_ready_addresses")
"""Fields that change which endpoints there are; `ipFamilies` cannot be changed."""

Path = tuple[str | int, ...]


def changed(
    cluster: Cluster, service: Service, assignments: Iterable[str], options: Options
) -> Cluster:
    """The cluster once `service` is changed by `PATH=VALUE` assignments, below its spec.

    What the API server gives on such a change (node ports, a health check port, a load
    balancer's address) is given; EndpointSlices and hints are made anew where the change
    reaches them. Raises UsageError for a path, value or combination that a Service cannot have.
    """
    after = service
    for assignment in assignments:
        path, value = _parsed(assignment)
        after = _assigned(after, path, value, assignment)
    after = without_type_dependents(service, after)
    check(after)
    return _with_service(cluster, service, _given(cluster, after, options))


def _given(cluster: Cluster, service: Service, options: Options) -> Service:
    """With what the API server and a load balancer give; a former ExternalName gets all of it."""
    addresses = service.cluster_ips or cluster.service_cidrs
    families = tuple(dict.fromkeys(map(family, addresses))) or (Family.IPV4,)
    inventory = Inventory({"Service": cluster.services})
    stock = Stock.of(Draft(inventory, options, cluster, families))
    bare = service.spec.type != "ExternalName" and not service.headless and not service.cluster_ips
    return stock.completed(service) if bare else stock.updated(service)


def _parsed(assignment: str) -> tuple[Path, str]:
    where, equals, value = assignment.partition("=")
    path: list[str | int] = []
    for segment in where.strip().removeprefix("spec.").split("."):
        matched = _SEGMENT.fullmatch(segment)
        if not equals or matched is None:
            raise UsageError(
                f"--set {assignment}: expected PATH=VALUE, as in externalTrafficPolicy=Local"
            )
        path.append(matched[1])
        path += [int(index) for index in re.findall(r"\d+", matched[2])]
    return tuple(path), value


def _assigned(service: Service, path: Path, value: str, said: str) -> Service:
    """The Service with one field set; of the readings of `value` the first that fits."""
    _check_path(path, said)
    problem = ""
    for reading in _readings(value):
        raw = msgspec.to_builtins(service)
        _put(raw["spec"], path, reading, said)
        try:
            return msgspec.convert(raw, Service)
        except msgspec.ValidationError as error:
            problem = problem or str(error).replace("$.spec.", "")
    raise UsageError(f"--set {said}: {problem}")


def _readings(value: str) -> list[Any]:
    """As JSON if it is (numbers, true, lists), else as text, else as a list of texts."""
    readings: list[Any] = [value, [part.strip() for part in value.split(",")]]
    try:
        return [msgspec.json.decode(value), *readings]
    except msgspec.DecodeError:
        return [None if value == "" else value, *readings]


def _put(target: Any, path: Path, value: Any, said: str) -> None:
    for here, following in itertools.pairwise(path):
        _check_step(target, here, said)
        if isinstance(here, int):
            target = target[here]
        else:
            target = target.setdefault(here, [] if isinstance(following, int) else {})
    _check_step(target, path[-1], said)
    target[path[-1]] = value


def _check_step(target: Any, step: str | int, said: str) -> None:
    if not isinstance(target, list if isinstance(step, int) else dict):
        shown = f"[{step}]" if isinstance(step, int) else step
        raise UsageError(f"--set {said}: there is nothing to hold {shown!r}")
    if isinstance(step, int) and step >= len(target):
        raise UsageError(f"--set {said}: there is no [{step}], only {len(target)}")


def _check_path(path: Path, said: str) -> None:
    """Refuse a field that a Service does not have: setting it would change nothing."""
    known: Any = _field_types(Service)["spec"]
    for step in path:
        if isinstance(step, int):
            known = getattr(_unwrapped(known), "item_type", None)
            continue
        found = _unwrapped(known)
        if isinstance(found, inspect.DictType):
            return
        fields = _field_types(found.cls) if isinstance(found, inspect.StructType) else {}
        if step not in fields:
            near = difflib.get_close_matches(step, fields, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"--set {said}: kubehop knows no field {step!r} there{hint}")
        known = fields[step]


def _field_types(struct: type) -> dict[str, Any]:
    described = inspect.type_info(struct)
    assert isinstance(described, inspect.StructType)
    return {field.encode_name: field.type for field in described.fields}


def _unwrapped(known: Any) -> Any:
    """The type without `| None`; a homogeneous tuple as its items."""
    if isinstance(known, inspect.UnionType):
        return next(t for t in known.types if not isinstance(t, inspect.NoneType))
    return known


def check(service: Service) -> None:
    """Raise UsageError for what the API server would refuse (`pkg/apis/core/validation`)."""
    spec = service.spec
    if service.headless and spec.type in ("NodePort", "LoadBalancer"):
        raise UsageError(f"{service.reference} is headless: it cannot be of type {spec.type}")
    if spec.external_traffic_policy and not externally_accessible(spec):
        raise UsageError(
            f"externalTrafficPolicy may only be set on a Service of type NodePort or "
            f"LoadBalancer; {service.reference} is {spec.type}"
        )
    problem = first_problem(service)
    if problem is not None:
        raise UsageError(f"{service.reference}: {problem[0]}: {problem[1]}")


def _with_service(cluster: Cluster, before: Service, after: Service) -> Cluster:
    services = tuple(after if s is before else s for s in cluster.services)
    own = cluster.slices_of(before)
    made = _slices(cluster, before, after, own)
    if made is own:
        return dataclasses.replace(cluster, services=services)
    gone = {id(found) for found in own}
    kept = [found for found in cluster.slices if id(found) not in gone]
    slices = tuple(sorted((*kept, *made), key=sort_key))
    return dataclasses.replace(cluster, services=services, slices=slices)


Slices = tuple[EndpointSlice, ...]


def _slices(cluster: Cluster, before: Service, after: Service, own: Slices) -> Slices:
    """The Service's slices after the change; `own` itself if it does not reach them.

    Where the input has slices but no pods, the endpoints stay and only hints are dealt anew.
    """
    old, new = before.spec, after.spec
    pods = [pod for pod in cluster.pods if pod.namespace == after.namespace]
    named = "ExternalName"
    anew = old.type == named != new.type or any(
        getattr(old, f) != getattr(new, f) for f in _SLICE_FIELDS
    )
    if pods and new.selector and new.type != named and anew:
        own = slices_for(after, pods, {node.name: node for node in cluster.nodes})
    elif old.traffic_distribution == new.traffic_distribution:
        return own
    return with_hints(after, map(_without_hints, own), zone_shares(cluster.nodes))


def _without_hints(found: EndpointSlice) -> EndpointSlice:
    """The controller takes hints away where no distribution is asked for any more."""
    return replace(found, endpoints=tuple(replace(e, hints=None) for e in found.endpoints or ()))
