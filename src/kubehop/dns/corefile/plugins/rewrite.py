"""`rewrite`: questions changed on the way in, answers on the way out.

Source: `plugin/rewrite/{setup,rewrite,name,type,ttl}.go`.
"""

from dataclasses import dataclass
from typing import Literal

from kubehop.dns.corefile.numbers import integer
from kubehop.dns.corefile.plugins.types import CLASSES, TYPES
from kubehop.dns.corefile.regexes import Regex, go_regex
from kubehop.dns.corefile.setup import Setup
from kubehop.dns.corefile.values import Plugin
from kubehop.dns.names import folded
from kubehop.model.errors import InputError

Match = Literal["exact", "prefix", "suffix", "substring", "regex"]
_MATCHES: tuple[Match, ...] = ("exact", "prefix", "suffix", "substring", "regex")
MAX_TTL = 2147483647


@dataclass(frozen=True, slots=True)
class AnswerRule:
    """`answer name|value FROM TO`: owners or the names in record data are changed."""

    part: Literal["name", "value"]
    pattern: Regex
    replacement: str


@dataclass(frozen=True, slots=True)
class NameRule:
    """`name MATCH FROM TO`; with `auto` answers are given the name that was asked for."""

    match: Match
    pattern: str
    replacement: str
    stop: bool = True
    auto: bool = False
    answers: tuple[AnswerRule, ...] = ()
    regex: Regex | None = None


@dataclass(frozen=True, slots=True)
class TypeRule:
    """`type FROM TO`."""

    old: str
    new: str
    stop: bool = True


@dataclass(frozen=True, slots=True)
class TtlRule:
    """`ttl MATCH NAME LOW-HIGH`: TTLs of the answer, held between two bounds."""

    match: Match
    pattern: str
    low: int
    high: int
    stop: bool = True
    regex: Regex | None = None


Rule = NameRule | TypeRule | TtlRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite(Plugin):
    """All rules of a server block, in order."""

    rules: tuple[Rule, ...]


def parse(setup: Setup) -> tuple[Rewrite, ...]:
    """The rules of a server block as one plugin; raises InputError."""
    words = setup.words
    rules: list[Rule] = []
    notes: list[str] = []
    line = 0
    while words.next():
        line = line or words.line
        arguments = words.arguments()
        if len(arguments) < 2:
            while words.next_block():
                arguments.append(words.value)
        rule = _rule(arguments)
        if isinstance(rule, str):
            notes.append(rule)
        else:
            rules.append(rule)
    return (Rewrite(name=setup.name, line=line, notes=tuple(notes), rules=tuple(rules)),)


def _rule(arguments: list[str]) -> Rule | str:
    """A rule, or a note about one that is not modelled."""
    if not arguments:
        raise InputError("no rule type specified for rewrite")
    mode = arguments[0].lower()
    rest = arguments
    if mode in ("continue", "stop"):
        rest = arguments[1:]
        if not rest:
            raise InputError(f"{mode} rule must begin with a rule type")
    kind, stop = rest[0].lower(), mode != "continue"
    match kind:
        case "name":
            return _name(rest[1:], stop)
        case "type" | "class":
            if len(rest) != 3:
                raise InputError(f"{kind} rules must have exactly two arguments")
            known = CLASSES if kind == "class" else TYPES
            for text in (rest[1].upper(), rest[2].upper()):
                if text not in known:
                    raise InputError(f'invalid {kind} "{text}"')
            if kind == "class":
                return "rewrite: class rules are not modelled, every query is of class IN"
            return TypeRule(rest[1].upper(), rest[2].upper(), stop)
        case "ttl":
            return _ttl(rest[1:], stop)
        case "edns0" | "cname" | "rcode":
            return f"rewrite: {kind} rules are not modelled"
        case "answer":
            raise InputError("response rewrites must begin with a name rule")
    raise InputError(f'invalid rule type "{arguments[0]}"')


def _name(arguments: list[str], stop: bool) -> NameRule:
    if len(arguments) < 2:
        raise InputError("too few arguments for a name rule")
    if len(arguments) == 2:
        arguments = ["exact", *arguments]
    match, pattern, replacement = _match(arguments[0], "name"), arguments[1], folded(arguments[2])
    regex = _regex(pattern, arguments[2]) if match == "regex" else None
    if match != "regex":
        pattern = folded(pattern)
    auto, answers = _answers(match, arguments[3:]) if len(arguments) > 3 else (False, ())
    # An exact rule always gives the answer the name that was asked for.
    auto = auto or match == "exact"
    return NameRule(match, pattern, replacement, stop, auto, answers, regex)


def _match(text: str, rule: str) -> Match:
    for match in _MATCHES:
        if match == text.lower():
            return match
    problem = f"{rule} rule supports only exact, prefix, suffix, substring, and regex"
    raise InputError(f"{problem} name matching, received: {text.lower()}")


def _regex(pattern: str, replacement: str) -> Regex:
    try:
        regex = go_regex(pattern)
    except InputError:
        raise InputError(f"invalid regex matching pattern: {pattern}") from None
    used = sum(f"{{{group}}}" in replacement for group in range(101))
    if used > regex.groups:
        problem = f"the rewrite regex pattern ({replacement}) uses more subexpressions"
        raise InputError(f"{problem} than its corresponding matching regex pattern ({pattern})")
    return regex


def _answers(match: Match, arguments: list[str]) -> tuple[bool, tuple[AnswerRule, ...]]:
    """`answer auto`, `answer name FROM TO` and `answer value FROM TO`, several of them."""
    if len(arguments) < 2:
        raise InputError(f"invalid arguments for {match} rule")
    auto, rules, rest, kind = False, [], list(arguments), ""
    while rest:
        if rest[0] != "answer" and not kind:
            problem = "exceeded the number of arguments for a non-answer rule argument"
            raise InputError(f"{problem} for {match} rule")
        if rest[0] != "answer":
            problem = f"exceeded the number of arguments for {kind} answer rule"
            raise InputError(f"{problem} for {match} rule")
        if len(rest) < 2:
            raise InputError(f"type missing for answer rule for {match} rule")
        kind = rest[1]
        rest = rest[2:]
        if kind == "auto":
            auto = True
            continue
        rules.append(_answer(match, kind, rest))
        rest = rest[2:]
    if auto and any(rule.part == "name" for rule in rules):
        problem = "auto name answer rule cannot be combined with explicit name anwer rules"
        raise InputError(problem)
    return auto, tuple(rules)


def _answer(match: Match, kind: str, rest: list[str]) -> AnswerRule:
    if kind not in ("name", "value"):
        raise InputError(f'invalid type "{kind}" for answer rule for {match} rule')
    if len(rest) < 2:
        raise InputError(f"{kind} answer rule for {match} rule: 2 arguments required")
    part: Literal["name", "value"] = "name" if kind == "name" else "value"
    return AnswerRule(part, _regex(rest[0], rest[1]), folded(rest[1]))


def _ttl(arguments: list[str], stop: bool) -> TtlRule:
    if len(arguments) < 2:
        raise InputError(f"too few ({len(arguments)}) arguments for a ttl rule")
    if len(arguments) > 3:
        raise InputError("many few arguments for a ttl rule")
    if len(arguments) == 2:
        arguments = ["exact", *arguments]
    match, pattern = _match(arguments[0], "ttl"), arguments[1]
    low, high = _bounds(arguments[2])
    regex = _regex(pattern, "") if match == "regex" else None
    return TtlRule(match, pattern if regex else folded(pattern), low, high, stop, regex)


def _bounds(text: str) -> tuple[int, int]:
    """`30`, `5-30`, `5-` or `-30`."""
    low, dash, high = text.partition("-")
    try:
        if not dash:
            return (integer(text, minimum=0),) * 2
        if text == "-":
            raise InputError(text)
        bounds = (
            integer(low, minimum=0) if low else 0,
            integer(high, minimum=0) if high else MAX_TTL,
        )
        if bounds[0] > bounds[1]:
            raise InputError(text)
    except InputError:
        raise InputError(f"invalid TTL '{text}' for a ttl rule") from None
    return bounds
