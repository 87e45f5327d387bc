"""The body of a watch, bytes to events: no I/O here.

Format: kubernetes.io "API Concepts", efficient detection of changes; `metav1.WatchEvent`, one
JSON document a line.
"""

from dataclasses import dataclass

import msgspec

from kubehop.live.api import Refused
from kubehop.model.changes import Key
from kubehop.model.errors import InputError
from kubehop.model.kinds import Kind
from kubehop.model.meta import Object
from kubehop.source.decode import decode

_BAD_REQUEST = 400


@dataclass(frozen=True, slots=True)
class Event:
    """What happened, and the resourceVersion to go on from.

    A bookmark has neither `key` nor `obj`; an object that is gone has no `obj`; one that
    cannot be read has none either, and `problem` says why.
    """

    version: str
    key: Key | None = None
    obj: Object | None = None
    problem: str = ""

    @property
    def reference(self) -> str:
        """The object as errors name it: "Service default/web"; "" for a bookmark."""
        if self.key is None:
            return ""
        kind, namespace, name = self.key
        return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


class Lines:
    """Cuts what arrives into lines; never holds more than `limit` bytes and a chunk."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` completes; raises InputError for one without end."""
        *whole, rest = chunk.split(b"\n")
        if whole:
            whole[0] = bytes(self._held + whole[0])
            self._held.clear()
        self._held += rest
        if len(self._held) > self._limit:
            raise InputError(f"a watch event of more than {self._limit} bytes")
        return [line for line in whole if not line.isspace() and line]


class _Event(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _Metadata(msgspec.Struct, frozen=True, rename="camel"):
    name: str = ""
    namespace: str | None = None
    resource_version: str = ""


class _Identified(msgspec.Struct):
    metadata: _Metadata = _Metadata()


class _Status(msgspec.Struct):
    message: str | None = None
    code: int | None = None


_event = msgspec.json.Decoder(_Event)
_identified = msgspec.json.Decoder(_Identified)
_status = msgspec.json.Decoder(_Status)


def decode_event(kind: Kind, line: bytes) -> Event | Refused:
    """The event in `line`; Refused where the server says that it cannot go on (410: expired).

    Raises InputError for what is no event.
    """
    try:
        event = _event.decode(line)
        if event.type == "ERROR":
            status = _status.decode(event.object)
            return Refused(status.code or _BAD_REQUEST, status.message or "no reason given")
        metadata = _identified.decode(event.object).metadata
    except (ValueError, RecursionError) as error:
        raise InputError(f"not a watch event: {error}") from error
    return _EVENTS.get(event.type, _unknown)(kind, event, metadata)


def _bookmark(kind: Kind, event: _Event, metadata: _Metadata) -> Event:
    return Event(metadata.resource_version)


def _unknown(kind: Kind, event: _Event, metadata: _Metadata) -> Event:
    raise InputError(f'not a watch event: type "{event.type}"')


def _gone(kind: Kind, event: _Event, metadata: _Metadata) -> Event:
    return Event(metadata.resource_version, _key(kind, metadata))


def _put(kind: Kind, event: _Event, metadata: _Metadata) -> Event:
    version, key = metadata.resource_version, _key(kind, metadata)
    try:
        found = decode(kind, event.object, path="object", namespace="")
    except InputError as error:
        return Event(version, key, problem=str(error))
    # A ConfigMap that is not of the network: nobody asked for it.
    return Event(version, key, found) if found else Event(version)


def _key(kind: Kind, metadata: _Metadata) -> Key:
    if not metadata.name:
        raise InputError("not a watch event: an object without a name")
    return kind.name, (metadata.namespace or "") if kind.namespaced else "", metadata.name


_EVENTS = {"ADDED": _put, "MODIFIED": _put, "DELETED": _gone, "BOOKMARK": _bookmark}
