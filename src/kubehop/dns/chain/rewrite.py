"""`rewrite`: other questions, and answers changed back.

Source: `plugin/rewrite/{rewrite,name,ttl,type,reverter}.go`.
"""

from collections.abc import Callable
from dataclasses import replace

from kubehop.dns.chain.handler import Rest, Settles
from kubehop.dns.chain.values import Asked, Serve, Unwritten
from kubehop.dns.corefile.plugins.rewrite import (
    AnswerRule,
    NameRule,
    Rewrite,
    Rule,
    TtlRule,
    TypeRule,
)
from kubehop.dns.corefile.regexes import Regex
from kubehop.dns.corefile.zones import is_domain_name
from kubehop.dns.message import Question, Rcode, Record, Reply
from kubehop.dns.names import folded

Revert = Callable[[Record], Record]
"""Changes a record of the answer."""

MAX_REPLACEMENT = 4 * 255
NAME_IN_DATA = {"SRV": 3, "MX": 1, "CNAME": 0, "NS": 0, "DNAME": 0, "SOA": 0, "PTR": 0}
"""Which field of a type's data is the name that is changed."""


class RewriteHandler:
    """Applies the rules in order, up to the first that matches and says stop."""

    __slots__ = ("options",)

    def __init__(self, options: Rewrite) -> None:
        self.options = options

    def serve(self, asked: Asked, now: float, rest: Rest) -> Serve:
        question, reverts, stopped = self._rewritten(asked.question)
        if not is_domain_name(question.name):
            return Unwritten(Rcode.SERVFAIL, f"invalid name after rewrite: {question.name}")
        answer = yield from rest(replace(asked, question=question), now)
        if isinstance(answer, Reply):
            return reverted(answer, reverts)
        sent = reverted(answer.sent, reverts) if answer.sent else None
        return sent or Reply(answer.rcode) if stopped else replace(answer, sent=sent)

    def kept_as(self, question: Question) -> Question | None:
        """The question under which a cache in front keeps the reply; None if it does not.

        A cache compares the question in the reply with the one that rules have changed, and
        with the name as it came. Rules that change the answer restore the question in it.
        """
        changed, reverts, stopped = self._rewritten(question)
        replied = question if stopped or reverts else changed
        same_name = folded(replied.name) == folded(question.name)
        return replied if same_name and replied.type == changed.type else None

    def _rewritten(self, question: Question) -> tuple[Question, list[Revert], bool]:
        """The question after the rules, what answers need, and True if a rule said stop.

        A name that is none ends it.
        """
        reverts: list[Revert] = []
        for rule in self.options.rules:
            done = apply(rule, question)
            if done is None:
                continue
            question = done[0]
            reverts += done[1]
            if rule.stop or not is_domain_name(question.name):
                return question, reverts, True
        return question, reverts, False

    def settles(self, question: Question, name: str) -> Settles:
        """The answer is that of another name."""
        changes = any(apply(rule, question) is not None for rule in self.options.rules)
        return Settles.VARIES if changes else Settles.PASSES


def apply(rule: Rule, question: Question) -> tuple[Question, list[Revert]] | None:
    """The question after a rule, and what answers need; None if the rule does not match."""
    name = folded(question.name)
    match rule:
        case TypeRule():
            changed = Question(question.name, rule.new)
            return (changed, []) if question.type == rule.old else None
        case TtlRule():
            clamp = _clamped(rule.low, rule.high)
            return (question, [clamp]) if _matches(rule, name) else None
        case NameRule():
            if not _matches(rule, name):
                return None
            new = _renamed(rule, name)
            return Question(new, question.type), _reverts(rule, new, name)


def reverted(reply: Reply, reverts: list[Revert]) -> Reply:
    """The reply with every record changed, the last rule first."""

    def all_of(records: tuple[Record, ...]) -> tuple[Record, ...]:
        for revert in reversed(reverts):
            records = tuple(map(revert, records))
        return records

    return replace(
        reply,
        answer=all_of(reply.answer),
        authority=all_of(reply.authority),
        additional=all_of(reply.additional),
    )


def _matches(rule: NameRule | TtlRule, name: str) -> bool:
    match rule.match:
        case "exact":
            return name == rule.pattern
        case "prefix":
            return name.startswith(rule.pattern)
        case "suffix":
            return name.endswith(rule.pattern)
        case "substring":
            return rule.pattern in name
        case "regex":
            return rule.regex is not None and rule.regex.search(name) is not None


def _renamed(rule: NameRule, name: str) -> str:
    if len(rule.replacement) > MAX_REPLACEMENT:
        # The outcome is no name whatever is done with it, and could be very long.
        return rule.replacement
    match rule.match:
        case "exact":
            return rule.replacement
        case "prefix":
            return rule.replacement + name.removeprefix(rule.pattern)
        case "suffix":
            return name.removesuffix(rule.pattern) + rule.replacement
        case "substring":
            return name.replace(rule.pattern, rule.replacement)
        case "regex":
            assert rule.regex is not None, "a regex rule is compiled when it is read"
            return _substituted(rule.regex, rule.replacement, name)


def _substituted(regex: Regex, replacement: str, text: str) -> str:
    """`{0}`, `{1}`, ... are the groups of the first match; without a match nothing changes."""
    match = regex.search(text)
    if match is None:
        return text
    for number, group in enumerate(match):
        replacement = replacement.replace(f"{{{number}}}", group)
    return replacement


def _reverts(rule: NameRule, new: str, name: str) -> list[Revert]:
    static = [_answer(answer) for answer in rule.answers]
    if not rule.auto:
        return static
    change = _remapped(new, name)
    if rule.match == "suffix":
        change = _resuffixed(rule.replacement, rule.pattern)
    return [_owner(change), _value(change), *static]


def _remapped(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        if text == old:
            return new
        return text.removesuffix(old) + new if text.endswith(f".{old}") else text

    return change


def _resuffixed(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.removesuffix(old) + new if text.endswith(old) else text


def _answer(rule: AnswerRule) -> Revert:
    def change(text: str) -> str:
        return _substituted(rule.pattern, rule.replacement, text)

    return _owner(change) if rule.part == "name" else _value(change)


def _owner(change: Callable[[str], str]) -> Revert:
    return lambda record: replace(record, name=change(record.name))


def _value(change: Callable[[str], str]) -> Revert:
    def revert(record: Record) -> Record:
        at = NAME_IN_DATA.get(record.type)
        if at is None:
            return record
        fields = record.data.split(" ")
        fields[at] = change(fields[at])
        return replace(record, data=" ".join(fields))

    return revert


def _clamped(low: int, high: int) -> Revert:
    return lambda record: replace(record, ttl=min(max(record.ttl, low), high))
