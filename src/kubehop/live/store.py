"""What is known of one kind, and how it changes: no I/O here."""

from collections.abc import Iterable

from kubehop.live.events import Event
from kubehop.model.changes import Change, Key, joined, key_of
from kubehop.model.meta import Object


class Store:
    """The objects of a kind, as the last list and the events since then have them."""

    def __init__(self) -> None:
        self._objects: dict[Key, Object] = {}

    def replace(
        self, objects: Iterable[Object], unreadable: frozenset[str] = frozenset()
    ) -> Change:
        """Take a new list; an object in it that could not be read stays as it was known.

        `unreadable` holds their references ("Service default/web").
        """
        listed = {key_of(obj): obj for obj in objects}
        for key, known in self._objects.items():
            if key not in listed and known.reference in unreadable:
                listed[key] = known
        change = Change(
            tuple(obj for key, obj in listed.items() if self._objects.get(key) != obj),
            tuple(key for key in self._objects if key not in listed),
        )
        self._objects = listed
        return change

    def apply(self, events: Iterable[Event]) -> Change:
        """Take events in their order; those that change nothing that we read say nothing."""
        return joined(self._apply(event) for event in events)

    def _apply(self, event: Event) -> Change:
        if event.key is None or event.problem:
            return Change()
        if event.obj is None:
            known = self._objects.pop(event.key, None)
            return Change(gone=(event.key,)) if known else Change()
        if self._objects.get(event.key) == event.obj:
            return Change()
        self._objects[event.key] = event.obj
        return Change((event.obj,))
