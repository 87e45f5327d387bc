"""Corefiles with something wrong in them, or nearly: texts changed at random, from a seed."""

from collections.abc import Callable
from random import Random

_TOKENS = (
    *("x", "{", "}", "0", "-1", "5s", "1h", "99999", "cluster.local", "10.0.0.1", "all", "."),
    *("kubernetes", "cache", "errors", "a.b:53", '"', '"q q"', "#c", "{$X}", "import", "(s)"),
)
_LINES = (
    *("log", "errors", "loop", "cache 5", "cache 0", "ttl 5", "pods x", "}", "{", "minimal x"),
    *("kubernetes", "health :0", "ready :8181", "prometheus", "hosts", "rewrite stop name a b"),
    *("template ANY ANY", "bind 127.0.0.1", "autopath @x", "reload 5s 3s", "transfer", "any"),
    *("forward . 10.0.0.1", "forward . x", "loadbalance weighted x", "log . {common}"),
)


def mutated(text: str, seed: int) -> str:
    """`text` with one or two changes; the line that says where the API server is stays."""
    random = Random(seed)
    lines = text.split("\n")
    for _ in range(random.choice((1, 1, 1, 2))):
        at = random.choice([n for n, line in enumerate(lines) if "endpoint" not in line] or [0])
        random.choice(_CHANGES)(random, lines, at)
        lines = lines or [""]
    return "\n".join(lines)


def _without(random: Random, lines: list[str], at: int) -> None:
    del lines[at]


def _twice(random: Random, lines: list[str], at: int) -> None:
    lines.insert(at, lines[at])


def _inserted(random: Random, lines: list[str], at: int) -> None:
    lines.insert(at, random.choice(_LINES))


def _elsewhere(random: Random, lines: list[str], at: int) -> None:
    lines.insert(random.randrange(len(lines)), lines.pop(at))


def _longer(random: Random, lines: list[str], at: int) -> None:
    lines[at] += f" {random.choice(_TOKENS)}"


def _shorter(random: Random, lines: list[str], at: int) -> None:
    tokens = lines[at].split(" ")
    del tokens[random.randrange(len(tokens))]
    lines[at] = " ".join(tokens)


def _other(random: Random, lines: list[str], at: int) -> None:
    tokens = lines[at].split(" ")
    tokens[random.randrange(len(tokens))] = random.choice(_TOKENS)
    lines[at] = " ".join(tokens)


def _misspelt(random: Random, lines: list[str], at: int) -> None:
    if lines[at]:
        n = random.randrange(len(lines[at]))
        lines[at] = lines[at][:n] + random.choice("{}x0. :/") + lines[at][n + 1 :]


_Change = Callable[[Random, list[str], int], None]
_CHANGES: tuple[_Change, ...] = (
    *(_without, _twice, _inserted, _inserted, _elsewhere),
    *(_longer, _shorter, _other, _misspelt),
)
