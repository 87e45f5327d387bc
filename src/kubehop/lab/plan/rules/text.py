"""Rulesets in nft's own language: a whole one, and what leads from one to another.

Elements come in one statement per map: nft takes them fastest so. A change that touches no rule
and no chain costs nft 0.2 ms however large the ruleset is, since it need not read it back.

A transaction is one netlink message to the kernel, and whoever is not root of the machine may
send no more than `net.core.wmem_default`, 208 KiB: "Message too long" (libnftables asks for
SO_SNDBUFFORCE alone). So a text comes in parts, each a transaction; one is enough for a change
of a few hundred Services.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice

from kubehop.lab.plan.rules.frame import TABLE, WORDS
from kubehop.lab.plan.rules.layers import Names, Shared, difference, parts_of
from kubehop.lab.plan.values import NEXT_TRANSACTION, Ruleset

LIMIT = 180_000
"""Bytes of a transaction: less than the least send buffer, for our weights are estimates."""
ELEMENT, DECLARATION, RULE = 60, 120, 700
"""Bytes that an element (twice that of IPv6), a set or chain, and a rule take at most; a
character of a rule takes up to RULE_CHARACTER, for its anonymous maps."""
RULE_CHARACTER = 4

Statement = tuple[int, str]
"""Bytes in a netlink message, and text."""


def load_texts(ruleset: Ruleset) -> tuple[str, ...]:
    """The transactions that make `ruleset` where there is none; () for an empty one."""
    statements = [*_declared(ruleset.sets, ruleset.chains), *_filled(ruleset.chains)]
    frame = (ruleset.frame,) if ruleset.frame else ()
    parts = (_part_texts(part) for part in parts_of(ruleset.elements))
    return (*frame, *_packed(statements), *(text for texts in parts for text in texts))


def load_text(ruleset: Ruleset) -> str:
    """The text of an Nft step that makes `ruleset` where there is none."""
    return NEXT_TRANSACTION.join(load_texts(ruleset))


def change_text(old: Ruleset, new: Ruleset) -> str:
    """The text of an Nft step that makes `new` of `old`; "" if nothing changed."""
    return NEXT_TRANSACTION.join(change_texts(old, new))


def change_texts(old: Ruleset, new: Ruleset) -> tuple[str, ...]:
    """The transactions that make `new` of `old`; () if nothing changed.

    What is referred to is made before, and goes after, what refers to it.
    """
    if old.frame != new.frame:
        return (*_removed(old), *load_texts(new))
    chains = _changed(old.chains, new.chains)
    changes = difference(old.elements, new.elements)
    gone, made = _without(old.chains, new.chains), _without(new.chains, old.chains)
    statements = [_declaration(f"flush chain {name}") for name in chains if name in old.chains]
    statements += (text for elements, _ in changes for text in _elements("delete", elements))
    statements += (_declaration(f"delete chain {name}") for name in gone)
    statements += (_declaration(f"delete set {n}") for n in _without(old.sets, new.sets))
    statements += _declared({n: new.sets[n] for n in _without(new.sets, old.sets)}, made)
    statements += _filled({name: new.chains[name] for name in chains if name in new.chains})
    statements += (text for _, elements in changes for text in _elements("add", elements))
    return tuple(_packed(statements))


def _packed(statements: Iterable[Statement]) -> Iterator[str]:
    """Statements in order, as many in a transaction as fit."""
    texts: list[str] = []
    size = 0
    for weight, text in statements:
        if texts and size + weight > LIMIT:
            yield "".join(texts)
            texts, size = [], 0
        texts.append(text)
        size += weight
    if texts:
        yield "".join(texts)


def _removed(ruleset: Ruleset) -> tuple[str, ...]:
    if not ruleset.frame:
        return ()
    return ("".join(f"delete table {words['ip']} {TABLE}\n" for words in WORDS.values()),)


def _changed(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """Names that are in one only, or have another value."""
    names = dict.fromkeys((*old, *new))
    return [name for name in names if name not in old or old[name] != new.get(name)]


def _without(these: Mapping[str, object], those: Mapping[str, object]) -> list[str]:
    return [name for name in these if name not in those]


def _declaration(text: str) -> Statement:
    return DECLARATION, f"{text}\n"


def _declared(sets: Mapping[str, str], chains: Iterable[str]) -> Iterator[Statement]:
    """Before any rule is filled in: rules refer to sets and to each other's chains."""
    for name, properties in sets.items():
        yield _declaration(f"add set {name} {{ {properties} }}")
    for name in chains:
        yield _declaration(f"add chain {name}")


def _filled(chains: Mapping[str, tuple[str, ...]]) -> Iterator[Statement]:
    for name, rules in chains.items():
        for rule in rules:
            yield RULE + RULE_CHARACTER * len(rule), f"add rule {name} {rule}\n"


@lru_cache(maxsize=8)
def _part_texts(part: Shared) -> tuple[str, ...]:
    """Remembered for the next node, which has most parts in common with the last one."""
    return tuple(_packed(_elements("add", part.elements)))


def _elements(verb: str, elements: Names) -> Iterator[Statement]:
    """One statement per map if it fits; keys alone are enough to delete."""
    for name, found in elements.items():
        weight = ELEMENT * 2 if name.startswith("ip6 ") else ELEMENT
        texts = iter([f"{key} : {value}" if value else key for key, value in found.items()])
        while some := list(islice(texts, LIMIT // weight)):
            yield weight * len(some), f"{verb} element {name} {{ {', '.join(some)} }}\n"
