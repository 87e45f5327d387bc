"""One page of an API list, as the live cluster's server sends it."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from kubehop.model.errors import InputError
from kubehop.model.kinds import Kind
from kubehop.model.meta import Object
from kubehop.source.decode import decode
from kubehop.source.items import raw_items
from kubehop.source.problems import decode_again, placed


@dataclass(frozen=True, slots=True)
class Page:
    """Objects, and how to go on: `continue_token` is "" on the last page."""

    objects: tuple[Object, ...]
    continue_token: str
    resource_version: str


class _ListMeta(msgspec.Struct, rename={"continue_token": "continue"}):
    continue_token: str | None = None
    resource_version: str | None = msgspec.field(default=None, name="resourceVersion")


class _List(msgspec.Struct):
    metadata: _ListMeta | None = None
    items: msgspec.Raw = msgspec.Raw(b"null")


class _Meta(msgspec.Struct):
    metadata: _ListMeta | None = None


_list = msgspec.json.Decoder(_List)


Broken = Callable[[InputError], None]


def decode_page(kind: Kind, data: bytes, origin: str, broken: Broken | None = None) -> Page:
    """The page in `data`, whose items have neither kind nor apiVersion.

    `origin` says in errors where it came from. ConfigMaps that are not of the network are left
    out. Raises InputError with item, object and field; `broken` is told it instead, if given,
    and the item is left out.
    """

    def refuse(error: InputError) -> None:
        if broken is None:
            raise error
        broken(placed(error, origin))

    try:
        return _page(kind, data, refuse)
    except InputError as error:
        raise placed(error, origin) from error.__cause__


def _page(kind: Kind, data: bytes, refuse: Broken) -> Page:
    try:
        page = _list.decode(data)
    except (ValueError, RecursionError) as error:
        decode_again(data, _Meta)
        raise InputError("not a page of a list") from error
    found = (
        _decoded(kind, raw, f"items[{at}]", refuse) for at, raw in enumerate(raw_items(page.items))
    )
    metadata = page.metadata or _ListMeta()
    return Page(
        tuple(each for each in found if each is not None),
        metadata.continue_token or "",
        metadata.resource_version or "",
    )


def _decoded(kind: Kind, raw: msgspec.Raw, path: str, refuse: Broken) -> Object | None:
    try:
        return decode(kind, raw, path=path, namespace="")
    except InputError as error:
        refuse(error)
        return None
