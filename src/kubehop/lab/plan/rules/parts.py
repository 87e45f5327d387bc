"""Pieces of rulesets: what one Service, or one node, contributes to the maps."""

from dataclasses import dataclass, field

Elements = dict[str, dict[str, str]]
"""By "FAMILY TABLE NAME" of a map or set: key -> value, "" for a set's."""
Chains = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Piece:
    """Elements, chains that come and go with their rules, and the sets that those write to."""

    elements: Elements = field(default_factory=dict)
    chains: Chains = field(default_factory=dict)
    sets: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, key: str, value: str = "") -> None:
        """One element; for use while the piece is made."""
        found = self.elements.get(name)
        if found is None:
            self.elements[name] = {key: value}
        else:
            found[key] = value

    def merge(self, other: "Piece") -> None:
        """Take over all that `other` has; for use while the piece is made."""
        for name, elements in other.elements.items():
            found = self.elements.get(name)
            if found is None:
                self.elements[name] = dict(elements)
            else:
                found.update(elements)
        self.chains.update(other.chains)
        self.sets.update(other.sets)


@dataclass(frozen=True, slots=True)
class Layer:
    """Nodes that have something in common: all, those of a zone, or one alone."""

    zone: str | None = None
    node: str | None = None


ALL = Layer()


class Pieces(dict[Layer, Piece]):
    """Pieces by the nodes that they are for. A node has those of its layers, which never have
    a key in common: none overrides another, so that each can be compared alone.

    `endpoints` are those that any of the pieces sends to, each as address and node of its slice.
    """

    def __init__(self) -> None:
        super().__init__()
        self.endpoints: dict[tuple[str, str], None] = {}

    def __missing__(self, layer: Layer) -> Piece:
        self[layer] = made = Piece()
        return made
