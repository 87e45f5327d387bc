"""A pod's sandbox, network and files as JSON: fields of `kubehop.sandbox.values` in camelCase."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from kubehop.render.json_common import API_VERSION, Json
from kubehop.sandbox.values import Files, Network, Sandbox, Tried


def pod_network(sandbox: Sandbox, network: Network | None, files: Files | None) -> Json:
    """A value of kind PodNetwork; `network` and `files` are null where nobody could look."""
    return {
        "apiVersion": API_VERSION,
        "kind": "PodNetwork",
        "sandbox": plain(sandbox),
        "network": plain(network),
        "files": plain(files),
    }


def pod_list(
    rows: Iterable[tuple[Sandbox, tuple[str, ...] | None]], tried: tuple[Tried, ...]
) -> Json:
    """A value of kind PodList, of sandboxes with the host's ends of their interfaces."""
    items = [{**plain(sandbox), "hostInterfaces": plain(ends)} for sandbox, ends in rows]
    return {
        "apiVersion": API_VERSION,
        "kind": "PodList",
        "items": items,
        "sources": plain(tried),
    }


def plain(value: object) -> Any:
    """Values as what JSON has; names as docs/json.md spells them."""
    if isinstance(value, Struct):
        return {_camel(name): plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    return value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
