"""Objects of every kind, generated from the model's own types.

Fields whose values the checks restrict are named in a table; everything else is whatever the
type allows, so a new field of the model is covered without a change here.
"""

import string
from typing import Any

from hypothesis import strategies as st
from msgspec import inspect

from kubehop.model.config import READ_CONFIG_MAPS
from kubehop.model.kinds import KINDS, Kind

ADDRESS = st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).map(str)
CIDR = ADDRESS.flatmap(
    lambda ip: st.integers(0, 128 if ":" in ip else 32).map(lambda length: f"{ip}/{length}")
)
NAME = st.text(string.ascii_lowercase, min_size=1, max_size=3)
LABELS = st.dictionaries(NAME, NAME, max_size=3)
PORT = st.integers(1, 65535) | NAME

BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    "ip": ADDRESS,
    "address": ADDRESS,
    "podIP": ADDRESS,
    "hostIP": ADDRESS,
    "addresses": st.lists(ADDRESS, max_size=2),
    "externalIPs": st.lists(ADDRESS, max_size=2),
    "clusterIP": st.none(),
    "clusterIPs": st.lists(ADDRESS, max_size=1),
    "ipFamilies": st.none(),
    "cidr": CIDR,
    "podCIDR": CIDR,
    "cidrs": st.lists(CIDR, max_size=2),
    "podCIDRs": st.lists(CIDR, max_size=2),
    "except": st.lists(CIDR, max_size=2),
    "loadBalancerSourceRanges": st.lists(CIDR, max_size=2),
    "name": NAME,
    "nodeName": NAME,
    "namespace": NAME,
    "hostname": NAME,
    "hostnames": st.lists(NAME, max_size=2),
    "subdomain": NAME,
    "externalName": NAME,
    "searches": st.lists(NAME, max_size=2),
    "nameservers": st.lists(ADDRESS, max_size=2),
    "dnsPolicy": st.sampled_from(["", "ClusterFirst", "ClusterFirstWithHostNet", "Default"]),
    "value": NAME,
    "labels": LABELS,
    "targetPort": PORT,
}


def values(target: inspect.Type) -> st.SearchStrategy[Any]:
    """JSON values that a type of the model accepts."""
    match target:
        case inspect.StructType(fields=fields):
            return st.fixed_dictionaries(
                {f.encode_name: of_field(f) for f in fields if f.required},
                optional={f.encode_name: of_field(f) for f in fields if not f.required},
            )
        case inspect.UnionType(types=types):
            return st.one_of([values(each) for each in types])
        case inspect.VarTupleType(item_type=item):
            return st.lists(values(item), max_size=2)
        case inspect.DictType():
            return st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3)
        case inspect.LiteralType(values=allowed):
            return st.sampled_from(allowed)
        case inspect.IntType(ge=low, le=high):
            return st.integers(low if low is not None else -(2**31), high or 2**31)
    simple = {inspect.StrType: st.text(max_size=8), inspect.BoolType: st.booleans()}
    return {**simple, inspect.NoneType: st.none()}[type(target)]


def of_field(field: inspect.Field) -> st.SearchStrategy[Any]:
    name = field.encode_name
    if name == "port" and isinstance(field.type, inspect.UnionType) and len(field.type.types) > 2:
        return PORT
    if name == "addresses" and not _of_strings(field.type):
        return values(field.type)
    return BY_NAME[name] if name in BY_NAME else values(field.type)


def _of_strings(target: inspect.Type) -> bool:
    return isinstance(target, inspect.VarTupleType) and isinstance(
        target.item_type, inspect.StrType
    )


def _coherent(found: dict[str, Any]) -> dict[str, Any]:
    """Without what one field demands of another: the checks' own tests do that.

    Two ports would have to differ and be named, an ExternalName needs a name, and so does
    every option of a `dnsConfig`.
    """
    spec = found.get("spec")
    if found["kind"] == "Service" and spec:
        spec = {"externalName": "a.b", **spec, "ports": (spec.get("ports") or [])[:1]}
        return {**found, "spec": spec}
    if found["kind"] == "Pod" and spec and spec.get("dnsConfig"):
        options = [{"name": "a", **each} for each in spec["dnsConfig"].get("options") or ()]
        return {**found, "spec": {**spec, "dnsConfig": {**spec["dnsConfig"], "options": options}}}
    return found


@st.composite
def objects(draw: st.DrawFn, kind: Kind | None = None) -> dict[str, Any]:
    """An object as the API would give it."""
    kind = kind or draw(st.sampled_from(list(KINDS.values())))
    found = draw(values(inspect.type_info(kind.type)))
    if kind.name == "ConfigMap":
        namespace, name = draw(st.sampled_from(sorted(READ_CONFIG_MAPS)))
        found["metadata"].update(namespace=namespace, name=name)
    return _coherent({"apiVersion": kind.api_versions[0], "kind": kind.name, **found})
