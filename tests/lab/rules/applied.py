"""A model of nft for the statements that rulesets consist of, as strict as the kernel."""

import re
from dataclasses import dataclass, field

from kubehop.lab.plan.rules import load_texts
from kubehop.lab.plan.values import Ruleset

_ELEMENTS = re.compile(r"(add|delete) element (\S+ \S+ \S+) \{ (.*) \}")
_OTHER = re.compile(r"(add|flush|delete) (chain|set|rule) (\S+ \S+ \S+) ?(.*)")


@dataclass
class Applied:
    """What stands after the texts that were applied; `frames` are those that were not read."""

    elements: dict[str, dict[str, str]] = field(default_factory=dict)
    chains: dict[str, list[str]] = field(default_factory=dict)
    sets: dict[str, str] = field(default_factory=dict)

    def apply(self, text: str) -> None:
        """One transaction of statements."""
        for line in text.splitlines():
            found = _ELEMENTS.fullmatch(line)
            if found:
                self._elements(*found.groups())
                continue
            other = _OTHER.fullmatch(line)
            assert other, line
            self._other(*other.groups())

    def _elements(self, verb: str, name: str, listed: str) -> None:
        elements = self.elements.setdefault(name, {})
        for text in listed.split(", "):
            key, _, value = text.partition(" : ")
            if verb == "delete":
                assert not value
                del elements[key]
            else:
                assert elements.setdefault(key, value) == value
                self._refers(value, name)

    def _refers(self, text: str, name: str) -> None:
        """Chains of the frame are not known here: those of which there are few of any kind."""
        family = name.split()[0]
        for kind, chain in re.findall(r"goto ((?:affinity|endpoint)-)([0-9a-f-]+)", text):
            assert f"{family} kubehop {kind}{chain}" in self.chains
        for clients in re.findall(r"@(clients-[0-9a-f-]+)", text):
            assert f"{family} kubehop {clients}" in self.sets

    def _other(self, verb: str, kind: str, name: str, rest: str) -> None:
        match verb, kind:
            case "add", "chain":
                assert name not in self.chains
                self.chains[name] = []
            case "add", "set":
                assert name not in self.sets
                self.sets[name] = rest
            case "add", "rule":
                self._refers(rest, name)
                self.chains[name].append(rest)
            case "flush", "chain":
                self.chains[name].clear()
            case "delete", "chain":
                chain = name.split()[-1]
                assert not self.chains.pop(name)
                assert not self._referred(f"goto {chain}")
            case "delete", "set":
                assert not self._referred(f"@{name.split()[-1]}")
                del self.sets[name]
            case _:
                raise AssertionError(verb, kind)

    def _referred(self, text: str) -> bool:
        values = [v for elements in self.elements.values() for v in elements.values()]
        rules = [rule for chain in self.chains.values() for rule in chain]
        return any(re.search(rf"{text}\b", found) for found in (*values, *rules))


def loaded(ruleset: Ruleset) -> Applied:
    """What stands after a ruleset was loaded."""
    first, *texts = load_texts(ruleset)
    assert first == ruleset.frame
    stands = Applied()
    for text in texts:
        stands.apply(text)
    return stands


def shown(stands: Applied) -> tuple[object, ...]:
    """What to compare: a map without elements is as good as none."""
    elements = {name: found for name, found in stands.elements.items() if found}
    return elements, stands.chains, {n: t.strip("{} ") for n, t in stands.sets.items()}


def wanted(ruleset: Ruleset) -> tuple[object, ...]:
    """The same of a ruleset."""
    elements = {name: dict(found) for name, found in ruleset.elements.items() if found}
    chains = {name: list(rules) for name, rules in ruleset.chains.items()}
    return elements, chains, {n: t.strip("{} ") for n, t in ruleset.sets.items()}
