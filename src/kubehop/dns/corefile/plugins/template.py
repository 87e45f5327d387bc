"""`template`: answers made from the question. Source: `plugin/template/setup.go`."""

from dataclasses import dataclass, field
from typing import Any

from kubehop.dns.corefile.dispenser import Dispenser
from kubehop.dns.corefile.numbers import integer
from kubehop.dns.corefile.plugins.go_templates import Text, go_template
from kubehop.dns.corefile.plugins.rcodes import RCODES
from kubehop.dns.corefile.plugins.types import CLASSES, TYPES
from kubehop.dns.corefile.regexes import Regex, go_regex
from kubehop.dns.corefile.setup import Setup, options
from kubehop.dns.corefile.values import Plugin
from kubehop.dns.corefile.zones import fall_zones, zones
from kubehop.model.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Template(Plugin):
    """One `template`; `type` "ANY" and `class_` "ANY" match every question.

    `modelled` is False if a text does what kubehop cannot fill in.
    """

    class_: str
    type: str
    zones: tuple[str, ...]
    matches: tuple[Regex, ...]
    answer: tuple[Text, ...] = ()
    additional: tuple[Text, ...] = ()
    authority: tuple[Text, ...] = ()
    rcode: int = 0
    fallthrough: tuple[str, ...] = ()
    modelled: bool = True


@dataclass(slots=True)
class _State:
    values: dict[str, Any] = field(default_factory=dict)
    matches: list[Regex] = field(default_factory=list)
    modelled: bool = True


def parse(setup: Setup) -> tuple[Template, ...]:
    """Every `template` of a server block, in order; raises InputError."""
    found = []
    while setup.words.next():
        found.append(_stanza(setup))
    return tuple(found)


def _stanza(setup: Setup) -> Template:
    words, line, state = setup.words, setup.words.line, _State()
    class_ = words.argument()
    if class_ not in CLASSES:
        words.error(f"invalid query class {class_}")
    kind = words.argument()
    if kind not in TYPES:
        words.error(f"invalid RR class {kind}")
    origins = zones(words.arguments(), setup.zones)
    for option in options(words):
        _option(option, words, state)
    notes = () if state.modelled else (f"template: line {line} uses what is not modelled",)
    return Template(
        name=setup.name,
        line=line,
        notes=notes,
        class_=class_,
        type=kind,
        zones=origins,
        matches=tuple(state.matches) or (go_regex(".*"),),
        modelled=state.modelled,
        **state.values,
    )


def _option(option: str, words: Dispenser, state: _State) -> None:
    match option:
        case "match":
            state.matches += [_regex(words, text) for text in _some(words)]
        case "answer" | "additional" | "authority":
            made = tuple(_made(words, text, state) for text in _some(words))
            state.values[option] = (*state.values.get(option, ()), *made)
        case "rcode":
            rcode = words.argument()
            if rcode not in RCODES:
                words.error(f"unknown rcode {rcode}")
            state.values["rcode"] = RCODES[rcode]
            state.modelled = state.modelled and RCODES[rcode] < 6
        case "ederror":
            _ederror(words)
        case "fallthrough":
            state.values["fallthrough"] = fall_zones(words.arguments())
        case "upstream":
            words.arguments()
        case _:
            words.wrong_arguments()


def _some(words: Dispenser) -> list[str]:
    arguments = words.arguments()
    if not arguments:
        words.wrong_arguments()
    return arguments


def _regex(words: Dispenser, text: str) -> Regex:
    try:
        return go_regex(text)
    except InputError as error:
        words.error(f"could not parse regex: {text}, {error.problem}")


def _made(words: Dispenser, text: str, state: _State) -> Text:
    try:
        made = go_template(text)
    except InputError as error:
        words.error(f"could not compile template: {words.value}, {error.problem}")
    state.modelled = state.modelled and made is not None
    return made or ()


def _ederror(words: Dispenser) -> None:
    """An extended error changes no record."""
    arguments = words.arguments()
    if len(arguments) not in (1, 2):
        words.wrong_arguments()
    integer(arguments[0], minimum=0)
