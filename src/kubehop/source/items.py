"""Documents to items: lists, pages, snapshots and arrays taken apart, however nested."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from kubehop.model.errors import InputError
from kubehop.model.kinds import KINDS
from kubehop.source.documents import Document
from kubehop.source.problems import below, decode_again

MAX_NESTED = 20
SNAPSHOT = "Snapshot"


@dataclass(frozen=True, slots=True)
class Item:
    """One object, not decoded: what it says it is, and the path to it in its document."""

    raw: Document
    api_version: str
    kind: str
    path: str
    items: list[msgspec.Raw] | None = None
    """What `items` holds, if finding out the kind came across it: large, so looked for once."""


class _Type(msgspec.Struct, rename="camel", gc=False):
    kind: str | None = None
    api_version: str | None = None


class _Head(_Type, rename="camel", gc=False):
    items: list[msgspec.Raw] | None = None


class _List(msgspec.Struct):
    items: msgspec.Raw = msgspec.Raw(b"null")


_head = msgspec.json.Decoder(_Head)
_list = msgspec.json.Decoder(_List)
_BEGINS_TYPED = re.compile(rb'\{\s*"apiVersion":\s*"([\w./-]+)",\s*"kind":\s*"(\w+)"')
"""How kubectl and our own YAML reader begin an object: saves a pass over all of it."""
_array = msgspec.json.Decoder(list[msgspec.Raw] | None)


def whole(document: Document) -> Item:
    """A document as one item; raises InputError for what is no object and no array."""
    if _begins(document, b"["):
        return Item(document, "", "", "")
    return typed(document, "", "", "")


def flat(item: Item) -> Iterator[Item]:
    """The objects that an item stands for: itself, or those of a list, in order.

    Items of a `PodList` may lack kind and apiVersion, those of a `List` or an array may not.
    """
    levels = [iter((item,))]
    while levels:
        entry = next(levels[-1], None)
        if entry is None:
            levels.pop()
            continue
        inside = _entries(entry)
        if inside is None:
            yield entry
        elif len(levels) > MAX_NESTED:
            raise InputError("lists nested too deeply")
        else:
            levels.append(inside)


def typed(raw: Document, api_version: str, kind: str, path: str) -> Item:
    """An item with the kind and apiVersion it states, else those given.

    Raises InputError if there are none, or if it is no object.
    """
    begun = _BEGINS_TYPED.match(raw)
    if begun is not None:
        return Item(raw, begun[1].decode(), begun[2].decode(), path)
    try:
        stated = _head.decode(raw)
    except (ValueError, RecursionError):
        stated = _Head(**msgspec.structs.asdict(decode_again(raw, _Type, path=path)))
    kind = stated.kind or kind
    api_version = stated.api_version or api_version
    if not kind:
        raise InputError("has no kind: not a Kubernetes object", field=path)
    if not api_version:
        raise InputError("has no apiVersion", object=kind, field=path)
    return Item(raw, api_version, kind, path, stated.items)


def _entries(item: Item) -> Iterator[Item] | None:
    """The items of a list; None for an object, even one whose kind ends in List."""
    if _begins(item.raw, b"["):
        return _typed_all(raw_items(item.raw, item.path), "", "", item.path)
    inside = item.kind.removesuffix("List")
    if inside == item.kind and item.kind != SNAPSHOT:
        return None
    listed = inside in KINDS or item.kind in ("List", SNAPSHOT)
    entries = item.items
    if entries is None:
        raw = _list.decode(item.raw).items
        if not (listed or _begins(raw, b"[")):
            return None
        entries = raw_items(raw, below(item.path, "items"))
    own = inside not in ("", SNAPSHOT)
    return _typed_all(
        entries,
        item.api_version if own else "",
        inside if own else "",
        below(item.path, "items"),
    )


def _typed_all(
    entries: list[msgspec.Raw], api_version: str, kind: str, path: str
) -> Iterator[Item]:
    for at, entry in enumerate(entries):
        yield typed(entry, api_version, kind, f"{path}[{at}]")


def raw_items(raw: Document, path: str = "items") -> list[msgspec.Raw]:
    """The values of a JSON array or null; raises InputError that names `path` for others."""
    try:
        return _array.decode(raw) or []
    except (ValueError, RecursionError) as error:
        raise InputError("expected list", field=path) from error


def _begins(raw: Document, with_: bytes) -> bool:
    return bytes(memoryview(raw)[:1]) == with_
