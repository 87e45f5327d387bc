"""What can be seen of a lookup in a lab: which queries come to cluster DNS, and how it ends.

Predicted and observed lookups are told in the same words, so that they compare.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from kubehop.dns.lookup.protocol import Outcome, Query, Silence, Status
from kubehop.dns.lookup.resolvers import Resolver
from kubehop.dns.message import Rcode, Reply
from kubehop.dns.names import folded
from kubehop.dns.resolv.values import Option
from kubehop.lab.servers.chains import Arrived
from kubehop.model.addresses import canonical, socket_address
from kubehop.model.cluster import Cluster
from kubehop.trace.lookups import Answered, Prediction
from kubehop.trace.nameservers import PORT, Answers
from kubehop.trace.questions import Origin
from kubehop.trace.values import Verdict
from kubehop.trace.walk import trace

Group = tuple[str, tuple[str, ...]]
"""A name, and what was asked of it: A and AAAA go out together and may come in either order."""


@dataclass(frozen=True, slots=True)
class Came:
    """A query that comes to cluster DNS; the name is folded."""

    name: str
    type: str
    transport: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """A lookup as it is seen: `pods` are those of cluster DNS that may be asked, or were.

    `status` HANGS is one that has not ended after so long as was waited.
    """

    queries: tuple[Came, ...]
    pods: tuple[str, ...]
    status: Status
    addresses: tuple[str, ...]


def predicted(cluster: Cluster, origin: Origin, found: Prediction, patience: float) -> Lookup:
    """What is to be seen of a lookup by somebody who waits for `patience` seconds."""
    coming = [one for one in found.steps if _comes(one) and one.step.at < patience]
    ways = dict.fromkeys((one.step.query.server, _protocol(one.step.query)) for one in coming)
    pods = {pod for way in ways for pod in _pods(cluster, origin, *way)}
    ends = found.seconds < patience
    outcome = found.outcome if ends else Outcome(Status.HANGS)
    return Lookup(
        tuple(_came(one.step.query) for one in coming),
        tuple(sorted(pods)),
        outcome.status,
        _sorted(outcome.addresses),
    )


def observed(arrived: Iterable[Arrived], status: Status, addresses: Iterable[str]) -> Lookup:
    """What was seen."""
    came = tuple(arrived)
    return Lookup(
        tuple(Came(folded(a.question.name), a.question.type, a.transport) for a in came),
        tuple(sorted({a.pod for a in came})),
        status,
        _sorted(addresses),
    )


def differences(resolver: Resolver, wanted: Lookup, seen: Lookup, retries: bool) -> Iterator[str]:
    """A line for each thing that is not as predicted.

    `retries`: a SERVFAIL is met, after which the order of replies decides what is asked again.
    """
    by_count = retries and (resolver.parallel or at_once(resolver))
    asked, expected = (_groups(resolver, one.queries, by_count) for one in (seen, wanted))
    if wanted.status is Status.HANGS:
        asked, expected = asked[: len(expected)], expected[: len(asked) or None]
    if asked != expected:
        yield f"asked {_said(asked)}, predicted {_said(expected)}"
    strange = [pod for pod in seen.pods if wanted.pods and pod not in wanted.pods]
    if strange:
        yield f"{', '.join(strange)} asked, predicted {' or '.join(wanted.pods)}"
    if seen.status is not wanted.status:
        yield f"{seen.status}, predicted {wanted.status}"
    elif seen.addresses != wanted.addresses:
        yield f"found {', '.join(seen.addresses)}, predicted {', '.join(wanted.addresses)}"


def at_once(resolver: Resolver) -> bool:
    """True for a program that sends the queries for all candidates together."""
    return resolver.command and resolver.name.startswith("busybox")


def meets_servfail(found: Prediction) -> bool:
    """True if an answer is SERVFAIL."""
    results = (one.step.result for one in found.steps)
    return any(isinstance(r, Reply) and r.rcode is Rcode.SERVFAIL for r in results)


def by_chance(found: Prediction) -> bool:
    """True if only some packets fare as predicted, or come from the address that autopath goes
    by; or if it is luck which nameserver is asked first, or is the quickest of some that do not
    know the same."""
    conf = found.resolver.parse(found.files.resolv_conf, found.files.hostname)
    if conf.has(Option.ROTATE) and len(conf.nameservers) > 1:
        return True
    unlike = len({met.answers for met in found.nameservers}) > 1
    luck = any(met.share != 1 or len(met.clients) > 1 for met in found.nameservers)
    return luck or (found.resolver.parallel and unlike)


def _comes(one: Answered) -> bool:
    """True for a query that cluster DNS gets."""
    return (
        one.met is not None
        and one.met.answers is Answers.CLUSTER
        and one.step.result is not Silence.UNREACHABLE
    )


def _came(query: Query) -> Came:
    return Came(folded(query.question.name), query.question.type, query.transport.value)


def _protocol(query: Query) -> str:
    return query.transport.value.upper()


def _pods(cluster: Cluster, origin: Origin, server: str, protocol: str) -> Iterator[str]:
    """Which pods may get a query to a server; none if objects do not tell."""
    target = socket_address(canonical(server), PORT)
    for fate in trace(cluster, origin.label, target, protocol=protocol).fates:
        if fate.verdict is Verdict.DELIVERED and fate.endpoint and fate.endpoint.pod:
            yield fate.endpoint.pod


def _groups(resolver: Resolver, queries: Iterable[Came], by_count: bool) -> list[Group]:
    """Runs of one name; sorted for who asks all names at once, for who asks all servers at once
    by name: a server that nobody waits for may tell of a query late."""
    told = [(one.name, f"{one.type}/{one.transport}") for one in queries]
    if at_once(resolver):
        told.sort()
    if resolver.parallel:
        order = list(dict.fromkeys(name for name, _ in told))
        told.sort(key=lambda pair: order.index(pair[0]))
    runs = groupby(told, key=lambda pair: pair[0])
    groups = [(name, tuple(sorted(how for _, how in run))) for name, run in runs]
    return [(name, (str(len(how)),)) for name, how in groups] if by_count else groups


def _said(groups: list[Group]) -> str:
    return " then ".join(f"{name} ({' '.join(how)})" for name, how in groups) or "nothing"


def _sorted(addresses: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({canonical(address) for address in addresses}))
