"""Everything that was given, to one Inventory."""

from collections import Counter
from collections.abc import Iterable, Iterator

from kubehop.model.errors import InputError
from kubehop.model.inventory import Inventory
from kubehop.source import merge, snapshot
from kubehop.source.decode import OTHER_CONFIG_MAP, decode, ignored_name, kind_of
from kubehop.source.documents import Document, documents
from kubehop.source.items import Item, flat, whole
from kubehop.source.merge import Located
from kubehop.source.problems import placed
from kubehop.source.yamls import MAX_EMPTY_DOCUMENTS

_Documents = Iterator[Document]


def read(inputs: Iterable[tuple[str, bytes]], *, namespace: str = "default") -> Inventory:
    """The objects of `inputs`, each a name as the user gave it and its content.

    Inputs are taken one at a time and let go before the next. Objects without a namespace get
    `namespace`. Raises InputError that names file, document, object and field; nothing given
    is an empty Inventory.
    """
    reader = _Reader(namespace)
    for name, data in inputs:
        reader.read(name, data)
        del data
    return merge.inventory(
        reader.located,
        complete=frozenset(reader.complete),
        unknown=reader.unknown,
        ignored=dict(sorted(reader.ignored.items())),
    )


class _Reader:
    """What has been read so far."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.located: list[Located] = []
        self.complete: set[str] = set()
        self.unknown: list[str] = []
        self.ignored: Counter[str] = Counter()

    def read(self, name: str, data: bytes) -> None:
        parts = documents(data)
        empty = 0
        try:
            for number, document in enumerate(parts, 1):
                empty = 0 if self._numbered(document, name, number, parts) else empty + 1
                if empty > MAX_EMPTY_DOCUMENTS:
                    raise InputError(f"more than {MAX_EMPTY_DOCUMENTS} empty lists in a row")
        except InputError as error:
            raise placed(error, name) from error.__cause__

    def _numbered(self, document: Document, file: str, number: int, rest: _Documents) -> int:
        try:
            return self._document(document, file, number)
        except InputError as error:
            error.document = _number(number, rest)
            raise

    def _document(self, document: Document, file: str, number: int) -> int:
        """Take the objects of one document; how many there were."""
        item = whole(document)
        if snapshot.is_snapshot(item.kind, item.api_version):
            header = snapshot.header(document, item.api_version)
            self.complete.update(header.complete or ())
            self.unknown.extend(header.unknown or ())
        count = 0
        for each in flat(item):
            self._item(each, file, number)
            count += 1
        return count

    def _item(self, item: Item, file: str, number: int) -> None:
        kind = kind_of(item)
        if kind is None:
            self.ignored[ignored_name(item)] += 1
            return
        found = decode(kind, item.raw, path=item.path, namespace=self.namespace)
        if found is None:
            self.ignored[OTHER_CONFIG_MAP] += 1
        else:
            self.located.append(Located(found, file, number))


def _number(number: int, rest: _Documents) -> int | None:
    """The document's number, None if it is the only one of its file."""
    try:
        return None if number == 1 and next(rest, None) is None else number
    except InputError:
        return number
