"""What would be cheaper, and what a lookup is mistaken for; each piece is tried before it is said.

The alternatives are looked up by the same machine against the same answers, so a saving is
counted, never estimated.
"""

from collections.abc import Callable
from dataclasses import dataclass

from kubehop.dns.lookup.candidates import dots
from kubehop.dns.lookup.drive import Answer, Lookup, Step, drive
from kubehop.dns.lookup.protocol import Status, addresses
from kubehop.dns.lookup.resolvers import RESOLVERS, Resolver
from kubehop.dns.message import Kind, Question, Reply
from kubehop.dns.resolv.hosts import NO_HOSTS, Hosts
from kubehop.dns.resolv.values import ResolvConf

LOWER_NDOTS = 2
ENDING = (Kind.ANSWER, Kind.NODATA, Kind.NXDOMAIN)
"""What musl takes for a reply; it waits on after any other."""


@dataclass(frozen=True, slots=True)
class Advice:
    """A sentence for the user; `saves` counts queries, `name` is what to write instead."""

    text: str
    saves: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A lookup with all that went into it."""

    resolver: Resolver
    name: str
    resolv_conf: str
    hosts: Hosts
    answer: Answer
    lookup: Lookup
    hostname: str = ""

    @property
    def conf(self) -> ResolvConf:
        return self.resolver.parse(self.resolv_conf, self.hostname)

    @property
    def found(self) -> bool:
        return self.lookup.outcome.status is Status.FOUND

    def instead(self, name: str = "", more: str = "", resolver: str = "") -> Lookup:
        """The lookup of another name, with more lines in resolv.conf, or by another resolver."""
        chosen = RESOLVERS[resolver] if resolver else self.resolver
        text = f"{self.resolv_conf.rstrip()}\n{more}" if more else self.resolv_conf
        machine = chosen.machine(name or self.name, text, self.hosts, self.hostname)
        return drive(machine, self.answer)


def ask(
    resolver: Resolver,
    name: str,
    resolv_conf: str,
    answer: Answer,
    hosts: Hosts = NO_HOSTS,
    hostname: str = "",
) -> Asked:
    """Look `name` up and keep what is needed to advise.

    `hostname` is the kernel's: its domain is searched where resolv.conf has no search list.
    """
    lookup = drive(resolver.machine(name, resolv_conf, hosts, hostname), answer)
    return Asked(resolver, name, resolv_conf, hosts, answer, lookup, hostname)


def advice(asked: Asked) -> tuple[Advice, ...]:
    """Everything that is worth saying about a lookup, the biggest saving first.

    `asked.answer` must give the same answer to the same query again.
    """
    said = [advice for rule in RULES for advice in rule(asked)]
    return tuple(sorted(said, key=lambda one: -one.saves))


Rule = Callable[[Asked], list[Advice]]


def _trailing_dot(asked: Asked) -> list[Advice]:
    """The name under which it was found, with a dot behind it."""
    step = _finding(asked.lookup)
    if step is None or asked.name.endswith("."):
        return []
    name = step.query.question.name
    other = asked.instead(name)
    saved = asked.lookup.queries - other.queries
    if saved <= 0 or other.outcome.addresses != asked.lookup.outcome.addresses:
        return []
    return [Advice(f"`{name}` costs {_costs(other, asked.lookup)}", saved, name)]


def _costs(cheap: Lookup, dear: Lookup) -> str:
    plural = "query" if cheap.queries == 1 else "queries"
    return f"{cheap.queries} {plural} instead of {dear.queries}"


def _finding(lookup: Lookup) -> Step | None:
    """The query that found the first address."""
    for step in lookup.steps:
        if isinstance(step.result, Reply) and addresses(step.result):
            return step
    return None


def _lower_ndots(asked: Asked) -> list[Advice]:
    """dnsConfig with ndots:2, if it finds the same with fewer queries."""
    if not asked.found or asked.conf.ndots <= LOWER_NDOTS:
        return []
    other = asked.instead(more=f"options ndots:{LOWER_NDOTS}\n")
    saved = asked.lookup.queries - other.queries
    if saved <= 0 or other.outcome.addresses != asked.lookup.outcome.addresses:
        return []
    option = f"dnsConfig with `ndots:{LOWER_NDOTS}`"
    return [Advice(f"{option}: the name costs {_costs(other, asked.lookup)}", saved)]


def _dots_not_characters(asked: Asked) -> list[Advice]:
    """Why the search list came first, where somebody may have counted characters."""
    count, ndots = dots(asked.name), asked.conf.ndots
    walked = any(step.query.why.startswith("search domain") for step in asked.lookup.steps)
    if not walked or count == 0 or count >= ndots:
        return []
    dot = "dot" if count == 1 else "dots"
    return [
        Advice(
            f"ndots counts dots, not characters: `{asked.name}` has {count} {dot} and ndots is "
            f"{ndots}, so the search list is tried first"
        )
    ]


def _busybox(asked: Asked) -> list[Advice]:
    """nslookup of busybox 1.29 and newer fails where every program resolves."""
    if not asked.resolver.name.startswith("busybox") or asked.found:
        return []
    libc = asked.instead(resolver="musl")
    if libc.outcome.status is not Status.FOUND:
        return []
    if not libc.steps:
        return [
            Advice(
                f"`{asked.name}` stands in /etc/hosts, which {asked.resolver.title} does not read: "
                "programs in the pod find it there"
            )
        ]
    name = f"{libc.outcome.canonical}."
    return [
        Advice(
            f"cluster DNS is healthy: {asked.resolver.title} ignores ndots and does not search "
            f"for this name, programs in the pod do and find it; ask for `{name}`",
            name=name,
        )
    ]


def _busybox_exit(asked: Asked) -> list[Advice]:
    failed = asked.resolver.name.startswith("busybox") and asked.found and asked.lookup.outcome.exit
    if not failed:
        return []
    return [Advice("its exit code is 1 though it prints the address: other queries failed")]


def _musl(asked: Asked) -> list[Advice]:
    """Where musl ends its search and glibc would go on."""
    if not asked.resolver.parallel or asked.found or not asked.lookup.steps:
        return []
    glibc = asked.instead(resolver="glibc")
    if glibc.outcome.status is not Status.FOUND:
        return []
    name = f"{glibc.outcome.canonical}."
    return [
        Advice(
            f"glibc finds this name, musl does not: {_musl_why(asked)}; write `{name}`", name=name
        )
    ]


def _musl_why(asked: Asked) -> str:
    if asked.conf.notes and not asked.conf.search:
        return str(asked.conf.notes[0])
    if dots(asked.name) >= asked.conf.ndots:
        return "with enough dots for ndots it never falls back to the search list"
    results = [step.result for step in asked.lookup.steps]
    if any(isinstance(r, Reply) and r.kind is Kind.NODATA for r in results[-2:]):
        return "a name without addresses (NODATA) ends its search"
    return "an error for A or for AAAA is an error for the name"


def _race(asked: Asked) -> list[Advice]:
    """Nameservers that know different names, asked at once: chance decides what is found."""
    told: dict[Question, dict[Kind, str]] = {}
    for step in asked.lookup.steps if asked.resolver.parallel else ():
        result, query = step.result, step.query
        if isinstance(result, Reply) and result.kind in ENDING:
            told.setdefault(query.question, {}).setdefault(result.kind, query.server)
    for question, kinds in told.items():
        if Kind.ANSWER in kinds and len(kinds) > 1:
            other = next(kind for kind in kinds if kind is not Kind.ANSWER)
            return [
                Advice(
                    f"all nameservers are asked at once and the first reply counts: {kinds[other]} "
                    f"says {other} to `{question.name}`, which {kinds[Kind.ANSWER]} answers, so "
                    "that the same lookup finds it now and then"
                )
            ]
    return []


def _notes(asked: Asked) -> list[Advice]:
    return [Advice(f"resolv.conf, {note}") for note in asked.conf.notes]


RULES: tuple[Rule, ...] = (
    _trailing_dot,
    _lower_ndots,
    _dots_not_characters,
    _busybox,
    _busybox_exit,
    _musl,
    _race,
    _notes,
)
