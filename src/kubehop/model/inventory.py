"""What was read: the objects of all inputs, merged, sorted and free of contradictions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from kubehop.model.meta import Object

T = TypeVar("T", bound=Object)


@dataclass(frozen=True)
class Inventory:
    """Observed objects by kind, each kind sorted by (namespace, name).

    `complete` names the kinds of which *every* object is known because an API listed them;
    a file never proves that. `unknown` says, a line each, what could not be read and what
    therefore is not known. `ignored` counts objects of kinds that kubehop does not read.
    """

    objects: Mapping[str, tuple[Object, ...]] = field(default_factory=dict)
    complete: frozenset[str] = frozenset()
    unknown: tuple[str, ...] = ()
    ignored: Mapping[str, int] = field(default_factory=dict)

    def of(self, kind: type[T]) -> tuple[T, ...]:
        """All objects of one kind."""
        return self.objects.get(kind.__name__, ())  # type: ignore[return-value]
