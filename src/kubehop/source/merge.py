"""Objects of all inputs in one Inventory: sorted, and free of contradictions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from kubehop.model.cluster import sort_key
from kubehop.model.errors import InputError
from kubehop.model.inventory import Inventory
from kubehop.model.kinds import KINDS
from kubehop.model.meta import Object
from kubehop.source.problems import below, show


@dataclass(frozen=True, slots=True)
class Located:
    """An object and where it was read: the file as the user named it, the document from 1."""

    object: Object
    file: str = ""
    document: int | None = None


def inventory(
    located: Iterable[Located],
    *,
    complete: frozenset[str] = frozenset(),
    unknown: Iterable[str] = (),
    ignored: Mapping[str, int] | None = None,
) -> Inventory:
    """The Inventory of `located`; what is the same twice counts once.

    Raises InputError, naming both places and the first field that differs, for two objects of
    one kind, namespace and name that are not the same.
    """
    found: dict[str, dict[tuple[str, str], Located]] = {}
    for each in located:
        of_kind = found.setdefault(type(each.object).__name__, {})
        other = of_kind.setdefault(sort_key(each.object), each)
        if other is not each and other.object != each.object:
            raise _conflict(other, each)
    objects = {
        name: tuple(found[name][key].object for key in sorted(found[name]))
        for name in KINDS
        if name in found
    }
    return Inventory(objects, frozenset(complete), tuple(dict.fromkeys(unknown)), ignored or {})


def _conflict(one: Located, other: Located) -> InputError:
    there, here = msgspec.to_builtins(one.object), msgspec.to_builtins(other.object)
    field, old, new = _first_difference(there, here, "")
    return InputError(
        f"{_worded(new)} here, but {_worded(old)} in {_place(one)}",
        file=other.file,
        document=other.document,
        object=other.object.reference,
        field=field,
    )


def _place(located: Located) -> str:
    document = f"document {located.document}" if located.document is not None else ""
    return ", ".join(filter(None, (located.file, document))) or "another place"


def _worded(value: Any) -> str:
    return "absent" if value is None else show(value)


def _first_difference(one: Any, other: Any, field: str) -> tuple[str, Any, Any]:
    """The first field, in the model's order, whose values differ, and both values."""
    if isinstance(one, dict) and isinstance(other, dict):
        key = next(k for k in (*one, *other) if one.get(k) != other.get(k))
        return _first_difference(one.get(key), other.get(key), below(field, str(key)))
    if isinstance(one, list | tuple) and isinstance(other, list | tuple) and one and other:
        pairs = enumerate(zip(one, other, strict=False))
        at = next((at for at, (a, b) in pairs if a != b), None)
        if at is not None:
            return _first_difference(one[at], other[at], f"{field}[{at}]")
    return field, one, other
