"""One item to an object of the model: typed, in its namespace, checked."""

import msgspec

from kubehop.model.config import READ_CONFIG_MAPS, ConfigMap
from kubehop.model.errors import InputError, printable
from kubehop.model.kinds import KINDS, Kind
from kubehop.model.meta import Object
from kubehop.source.checks import first_problem
from kubehop.source.documents import Document
from kubehop.source.items import Item
from kubehop.source.problems import below, cut, decode_again

OTHER_CONFIG_MAP = "ConfigMap (not of the network)"


class _Identity(msgspec.Struct):
    name: str | None = None
    namespace: str | None = None


class _Identified(msgspec.Struct):
    metadata: _Identity | None = None


_decoders = {name: msgspec.json.Decoder(kind.type) for name, kind in KINDS.items()}
_identified = msgspec.json.Decoder(_Identified)


def kind_of(item: Item) -> Kind | None:
    """The kind of an item, None if kubehop does not read it in that version and group."""
    kind = KINDS.get(item.kind)
    return kind if kind is not None and item.api_version in kind.api_versions else None


def ignored_name(item: Item) -> str:
    """How an item that is not read is counted: "Service.serving.knative.dev".

    With the version only where that is all that keeps it from being read.
    """
    group = item.api_version.rpartition("/")[0]
    kind = KINDS.get(item.kind)
    if kind is not None and kind.group == group:
        return f"{item.kind}.{item.api_version}"
    return printable(cut(f"{item.kind}.{group}" if group else item.kind))


def decode(kind: Kind, raw: Document, *, path: str, namespace: str) -> Object | None:
    """The object in `raw`; None for a ConfigMap that nobody may read.

    `path` is where in the document it stands, `namespace` what it gets if it names none.
    Raises InputError that names the object and the field.
    """
    namespace = namespace if kind.namespaced else ""
    if kind.type is ConfigMap and not _is_read(raw, path, namespace):
        return None
    try:
        decoded = _decoders[kind.name].decode(raw)
    except (ValueError, RecursionError):
        decoded = decode_again(raw, kind.type, path=path, kind=kind.name, namespace=namespace)
    found = _scoped(decoded, kind, namespace)
    if problem := first_problem(found):
        raise InputError(problem[1], object=found.reference, field=below(path, problem[0]))
    return found


def _is_read(raw: Document, path: str, namespace: str) -> bool:
    """Decided on the name alone: no value of another ConfigMap ever reaches a message."""
    try:
        metadata = _identified.decode(raw).metadata
    except (ValueError, RecursionError):
        metadata = decode_again(raw, _Identified, path=path, kind="ConfigMap").metadata
    if metadata is None:
        return False
    return (metadata.namespace or namespace, metadata.name) in READ_CONFIG_MAPS


def _scoped(found: Object, kind: Kind, namespace: str) -> Object:
    """With `namespace` if it names none; a cluster-scoped object has none."""
    right = (found.metadata.namespace or namespace) if kind.namespaced else None
    if found.metadata.namespace == right:
        return found
    metadata = msgspec.structs.replace(found.metadata, namespace=right)
    return msgspec.structs.replace(found, metadata=metadata)
