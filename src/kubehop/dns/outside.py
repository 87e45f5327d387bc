"""Resolvers beyond the cluster, which no object describes: what they are taken to answer.

A prediction needs an answer for every query that leaves the cluster. The name that was asked
for is taken to exist if it ends like most public ones; everything else that reaches the outside
got there through a search list or a slip (`web.defualt`), and is taken not to exist. The caller
can say otherwise.
"""

import enum
from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from kubehop.dns.message import Question, Rcode, Record, Reply
from kubehop.dns.names import folded, labels, within
from kubehop.model.addresses import canonical, family

TTL = 30
STAND_IN = "192.0.2.0"
"""Stands for the address of a name that is only assumed to exist (RFC 5737: no host has it)."""
UNKNOWN_ADDRESS = "(unknown)"
"""How that address is shown."""

GENERIC = frozenset(("com", "net", "org", "info", "biz", "edu", "gov", "mil", "int"))
"""Last labels of public names besides the countries'. The newer ones are words like `app`, `dev`
and `shop`, which in a cluster are rather a misspelt namespace's."""
COUNTRIES = frozenset(
    """
    ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt
    bv bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg
    er es et eu fi fj fk fm fo fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn
    hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li
    lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne
    nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb
    sc sd se sg sh si sj sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr
    tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw
    """.split()  # noqa: SIM905 - a table to read
)
"""Of countries (ISO 3166, with the exceptions of RFC 1591)."""
PUBLIC = GENERIC | COUNTRIES


class Mood(enum.StrEnum):
    """How resolvers outside treat a question about a name that was not given."""

    ANSWERS = "answers"
    NXDOMAIN = "nxdomain"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    SILENT = "silent"


_ERRORS = {
    Mood.NXDOMAIN: Rcode.NXDOMAIN,
    Mood.SERVFAIL: Rcode.SERVFAIL,
    Mood.REFUSED: Rcode.REFUSED,
}


@dataclass(frozen=True, slots=True)
class Outside:
    """`known`: addresses by folded name; `exists`: folded names assumed to have one."""

    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exists: frozenset[str] = frozenset()
    mood: Mood = Mood.ANSWERS

    def answer(self, question: Question) -> Reply | None:
        """What comes back for `question`; None is silence."""
        name = folded(question.name)
        if name in self.known:
            return _reply(Rcode.NOERROR, *_records(question, self.known[name]))
        if self.mood is Mood.SILENT:
            return None
        if self.mood in _ERRORS:
            return _reply(_ERRORS[self.mood])
        if name not in self.exists:
            return _reply(Rcode.NXDOMAIN)
        has_address = question.type == "A"
        found = (Record(question.name, TTL, "A", STAND_IN),) if has_address else ()
        return _reply(Rcode.NOERROR, *found)


def outside_for(
    asked: tuple[str, ...],
    *,
    hosts: Mapping[str, tuple[str, ...]],
    mood: Mood,
    zones: tuple[str, ...],
    words: Container[str] = (),
) -> Outside:
    """The outside for lookups of `asked`: the names as typed, and the targets of aliases.

    `hosts` are addresses by name that the caller knows. `zones` are those that only the cluster
    has, and `words` last labels that mean something there, the names of its namespaces and
    Services: `kubernetes.default` and `db-0.pg` are no hosts of the Internet's.
    """
    known = {
        folded(name): tuple(canonical(address) for address in addresses)
        for name, addresses in hosts.items()
    }
    own = tuple(map(folded, zones))
    exists = {name for name in map(folded, asked) if looks_public(name, own, words)}
    return Outside(known, frozenset(exists), mood)


def looks_public(name: str, zones: tuple[str, ...], words: Container[str]) -> bool:
    """True if the folded name may be on the Internet: several labels, a public ending."""
    parts = labels(name)
    if len(parts) < 2 or parts[-1] not in PUBLIC:
        return False
    return parts[-1] not in words and not any(within(name, zone) for zone in zones)


def _reply(rcode: Rcode, *answer: Record) -> Reply:
    return Reply(rcode, tuple(answer), recursive=True)


def _records(question: Question, addresses: tuple[str, ...]) -> tuple[Record, ...]:
    wanted = {"A": "IPv4", "AAAA": "IPv6"}.get(question.type)
    return tuple(
        Record(question.name, TTL, question.type, address)
        for address in addresses
        if family(address).value == wanted
    )
