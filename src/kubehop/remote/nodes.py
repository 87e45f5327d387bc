"""Which nodes are meant, and that they exist."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from kubehop.live.api import FORBIDDEN, NOT_FOUND, Refused
from kubehop.model.errors import ClusterError, UsageError
from kubehop.remote.pods import Metadata, is_name
from kubehop.remote.requests import Remote, path

T = TypeVar("T")
_PAGE = 500
_MOST_PAGES = 200


class _Node(msgspec.Struct, frozen=True):
    metadata: Metadata = Metadata()


class _ListMetadata(msgspec.Struct, frozen=True, rename={"more": "continue"}):
    more: str = ""


class _List(msgspec.Struct, frozen=True):
    items: tuple[msgspec.Raw, ...] | None = None
    metadata: _ListMetadata = _ListMetadata()


def named(remote: Remote, names: Sequence[str]) -> tuple[str, ...]:
    """The nodes of these names, each once. Raises UsageError for one that does not exist."""
    return tuple(_named(remote, name) for name in dict.fromkeys(names))


def _named(remote: Remote, name: str) -> str:
    answer = remote.get(path("api", "v1", "nodes", name), _Node)
    if not isinstance(answer, Refused):
        return name
    if answer.status == NOT_FOUND:
        raise UsageError(f"no node {name} in {remote.access.identity}")
    raise ClusterError(f"node {name}: {answer.message}")


def selected(remote: Remote, selector: str) -> tuple[str, ...]:
    """The nodes with these labels; all for "". Raises UsageError if there is none."""
    query = {"labelSelector": selector} if selector else {}
    found = listed(remote, ("api", "v1", "nodes"), query, _Node)
    names = tuple(sorted(node.metadata.name for node in found if is_name(node.metadata.name)))
    if not names:
        raise UsageError(f"no node has the labels {selector!r}" if selector else "there is no node")
    return names


def listed(
    remote: Remote, parts: Sequence[str], query: dict[str, str], kind: type[T]
) -> Iterator[T]:
    """All objects at a path, page by page. Raises ClusterError when it may not be listed."""
    more = ""
    for _ in range(_MOST_PAGES):
        paged: dict[str, Any] = {**query, "limit": _PAGE, **({"continue": more} if more else {})}
        answer = remote.get(path(*parts, **paged), _List)
        if isinstance(answer, Refused):
            what = "may not list" if answer.status == FORBIDDEN else "cannot list"
            raise ClusterError(f"{what} {parts[-1]}: {answer.message}")
        yield from (_decoded(remote, parts, item, kind) for item in answer.items or ())
        more = answer.metadata.more
        if not more:
            return
    raise ClusterError(f"{remote.access.host}: the list of {parts[-1]} does not end")


def _decoded(remote: Remote, parts: Sequence[str], item: msgspec.Raw, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(item, type=kind)
    except msgspec.MsgspecError as error:
        raise remote.error("GET", path(*parts), f"answered what cannot be read: {error}") from error
