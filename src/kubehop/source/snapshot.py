"""A snapshot: the network's objects in one reviewable file, to share and to read again.

An object of the model holds only the fields that decide about packets, so images, commands,
environment, volumes, foreign annotations and ConfigMaps are not in a snapshot: nobody has to
remove them.
"""

import msgspec

from kubehop.model.errors import InputError
from kubehop.model.inventory import Inventory
from kubehop.model.kinds import KINDS
from kubehop.model.meta import Object
from kubehop.source.documents import Document
from kubehop.source.problems import decode_again, show

API_VERSION = "kubehop/v1"


class Header(msgspec.Struct):
    """What a snapshot says besides its objects; see `Inventory`."""

    complete: tuple[str, ...] | None = None
    unknown: tuple[str, ...] | None = None


_header = msgspec.json.Decoder(Header)
_encoder = msgspec.json.Encoder(order="deterministic")


def write(inventory: Inventory) -> bytes:
    """The snapshot of `inventory`: indented JSON, the same bytes for equal inventories.

    `ignored` is not in it: what was not read then is not there to be ignored again.
    """
    head = {
        "apiVersion": API_VERSION,
        "kind": "Snapshot",
        "complete": sorted(inventory.complete),
        "unknown": list(inventory.unknown),
    }
    items = [
        msgspec.Raw(_item(found)) for name in KINDS for found in inventory.objects.get(name, ())
    ]
    encoded = msgspec.json.Encoder().encode({**head, "items": items})
    return msgspec.json.format(encoded, indent=2) + b"\n"


def _item(found: Object) -> bytes:
    """The object with its apiVersion and kind first, as people expect it."""
    kind = KINDS[type(found).__name__]
    head = msgspec.json.encode({"apiVersion": kind.api_versions[0], "kind": kind.name})
    return head[:-1] + b"," + _encoder.encode(found)[1:]


def is_snapshot(kind: str, api_version: str) -> bool:
    """True for a snapshot of any version."""
    return kind == "Snapshot" and api_version.partition("/")[0] == "kubehop"


def header(document: Document, api_version: str) -> Header:
    """What `document`, a snapshot, says besides its objects; refuses other versions."""
    if api_version != API_VERSION:
        raise InputError(
            f"a snapshot of version {show(api_version)}; this kubehop reads {API_VERSION}"
            " and needs an upgrade for newer ones"
        )
    try:
        return _header.decode(document)
    except (ValueError, RecursionError):
        return decode_again(document, Header, kind="Snapshot")
