"""`template`: answers made from the question. Source: `plugin/template/template.go`."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass, replace

from kubehop.dns.chain.handler import Ask, Rest, Settles
from kubehop.dns.chain.values import Asked, Serve, Unwritten, Upstream
from kubehop.dns.corefile.plugins.go_templates import Field, Text, filled
from kubehop.dns.corefile.plugins.template import Template
from kubehop.dns.corefile.regexes import Groups, Regex
from kubehop.dns.corefile.zones import matched
from kubehop.dns.message import Question, Rcode, Record, Reply
from kubehop.dns.names import folded

NOT_WRITTEN = (Rcode.FORMERR, Rcode.NOTIMP, Rcode.REFUSED)
"""Returned, these say that nothing was written (`plugin.ClientWrite`), even where it was."""
TTL = re.compile(r"\d+|(?:\d+[wdhms])+", re.IGNORECASE | re.ASCII)
"""Seconds, or `1h30m`."""
DEFAULT_TTL = 3600


@dataclass(frozen=True, slots=True)
class Values:
    """What the fields of a template stand for."""

    zone: str
    question: Question
    type: str
    client: str
    regex: Regex
    match: Groups

    def __call__(self, field: Field) -> str:
        """The text of a field; raises IndexError for a group that is not there."""
        match field.path:
            case ("Zone",):
                return self.zone
            case ("Name",):
                return folded(self.question.name)
            case ("Class",):
                return "IN"
            case ("Type",):
                # A type without a name is none.
                return "" if self.type.startswith("TYPE") else self.type
            case ("Remote",):
                return self.client
            case ("Question", "Name"):
                return self.question.name
            case ("Match", index):
                return self.match[int(index)]
            case (_, group) if group.isdecimal():
                return self.match[int(group)] if int(group) < len(self.match) else ""
            case (_, group):
                number = self.regex.names.get(group)
                return "" if number is None else self.match[number]
            case _:
                raise IndexError(field.path)


class TemplateHandler:
    """The templates of a server block: the first that matches answers."""

    __slots__ = ("_ask", "templates")

    def __init__(self, templates: tuple[Template, ...], ask: Ask) -> None:
        self.templates = templates
        self._ask = ask

    def serve(self, asked: Asked, now: float, rest: Rest) -> Serve:
        name = folded(asked.question.name)
        for template in self.templates:
            zone = matched(template.zones, name)
            if not zone or not _applies(template, asked.question):
                continue
            found = _matched(template, name)
            if found is not None:
                kind = asked.question.type if asked.question.type != "ANY" else template.type
                values = Values(zone, asked.question, kind, asked.client, *found)
                return (yield from self._filled(template, values, asked, now))
            if not matched(template.fallthrough, name):
                return Unwritten(Rcode.SERVFAIL)
        return (yield from rest(asked, now))

    def _filled(self, template: Template, values: Values, asked: Asked, now: float) -> Serve:
        if not template.modelled:
            return Unwritten(Rcode.SERVFAIL, "the template does what is not modelled")
        if template.rcode == Rcode.SERVFAIL:
            return Unwritten(Rcode.SERVFAIL)
        try:
            answer, authority, additional = (
                [record(filled(text, values)) for text in texts]
                for texts in (template.answer, template.authority, template.additional)
            )
        except (IndexError, ValueError) as error:
            return Unwritten(Rcode.SERVFAIL, f"template: {error}")
        followed = yield from self._followed(answer, asked, now)
        sections = (followed, tuple(authority), tuple(additional))
        reply = Reply(Rcode(template.rcode), *sections, authoritative=True)
        disowned = reply.rcode in NOT_WRITTEN
        return Unwritten(reply.rcode, sent=reply) if disowned else reply

    def _followed(
        self, answer: list[Record], asked: Asked, now: float
    ) -> Generator[Upstream, Reply | None, tuple[Record, ...]]:
        """The answer, each CNAME followed by what the whole server says of its target."""
        found: list[Record] = []
        for one in answer:
            found.append(one)
            if one.type == "CNAME" and asked.question.type in ("A", "AAAA"):
                target = Question(one.data, asked.question.type)
                again = replace(asked, question=target, depth=asked.depth + 1)
                reply = yield from self._ask(again, now)
                found += reply.answer
        return tuple(found)

    def settles(self, question: Question, name: str) -> Settles:
        """A client's address may be in the answer, or the records of another name."""
        for template in self.templates:
            if not matched(template.zones, name) or not _applies(template, question):
                continue
            if _matched(template, name):
                return _settled(template)
            if not matched(template.fallthrough, name):
                return Settles.FIXED
        return Settles.PASSES


def _applies(template: Template, question: Question) -> bool:
    classes = template.class_ in ("IN", "ANY")
    return classes and (template.type == "ANY" or question.type in ("ANY", template.type))


def _matched(template: Template, name: str) -> tuple[Regex, Groups] | None:
    """The first expression that matches, and what of it."""
    found = ((regex, groups) for regex in template.matches if (groups := regex.search(name)))
    return next(found, None)


def _settled(template: Template) -> Settles:
    texts: tuple[Text, ...] = (*template.answer, *template.additional, *template.authority)
    parts = [part for text in texts for part in text]
    asks_client = Field(("Remote",)) in parts
    follows = any(isinstance(part, str) and "CNAME" in part for part in parts)
    return Settles.VARIES if asks_client or follows else Settles.FIXED


def record(text: str) -> Record:
    """A record from a line of a zone file: `name [ttl] [class] type data`.

    Raises ValueError if it is not one.
    """
    import dns.exception
    import dns.name
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype
    import dns.ttl

    name, words, ttl = *_first(text), DEFAULT_TTL
    try:
        kind, data = _first(words)
        while TTL.fullmatch(kind) or kind.upper() == "IN":
            ttl = ttl if kind.upper() == "IN" else dns.ttl.from_text(kind)
            kind, data = _first(data)
        rdata = dns.rdata.from_text(
            dns.rdataclass.IN,
            dns.rdatatype.from_text(kind),
            data,
            origin=dns.name.root,
            relativize=False,
        )
    except (dns.exception.DNSException, ValueError) as error:
        raise ValueError(f"not a record: {text}") from error
    return Record(name if name.endswith(".") else f"{name}.", ttl, kind.upper(), rdata.to_text())


def _first(text: str) -> tuple[str, str]:
    """The first word, and what follows it."""
    word, *rest = text.split(maxsplit=1) or [""]
    return word, rest[0].strip() if rest else ""
