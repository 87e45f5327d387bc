"""A packet to a host name: the lookup first, then the packet to what it found.

The client takes an address of its preferred family (RFC 6724: IPv6 where it has one of its
own). Among several the order is chance, as CoreDNS and resolvers upstream turn them around.
"""

from dataclasses import replace
from fractions import Fraction

from kubehop.dns.lookup.protocol import Status
from kubehop.dns.lookup.resolvers import Resolver
from kubehop.dns.outside import UNKNOWN_ADDRESS
from kubehop.dns.service import api_service
from kubehop.model.addresses import Family, canonical, family
from kubehop.model.errors import UsageError
from kubehop.service.frontends import FrontendKind
from kubehop.trace.aim import Shot
from kubehop.trace.lookups import Names, Prediction
from kubehop.trace.questions import Origin, host_name, parse_origin
from kubehop.trace.values import Fate, Hop, SourceKind, Trace, Verdict
from kubehop.trace.walk import trace, trace_shots


def trace_any(
    names: Names,
    origin: str,
    target: str,
    resolver: Resolver,
    *,
    protocol: str | None = None,
    via: FrontendKind | None = None,
    node: str = "",
    namespace: str = "default",
) -> Trace:
    """As `kubehop.trace.walk.trace`, and `HOSTNAME:PORT` is a target too."""
    asked = host_name(target)
    if asked is None:
        return trace(
            names.cluster,
            origin,
            target,
            protocol=protocol,
            via=via,
            node=node,
            namespace=namespace,
        )
    start = parse_origin(names.cluster, origin, namespace)
    return trace_name(names, start, *asked, resolver, protocol=protocol, namespace=namespace)


def trace_name(
    names: Names,
    start: Origin,
    host: str,
    port: str,
    resolver: Resolver,
    *,
    protocol: str | None = None,
    namespace: str = "default",
) -> Trace:
    """Every fate of a packet from `start` to `host` and `port`; the lookup is part of it.

    Raises UsageError for a port that is no number, and for an address that nothing tells.
    """
    if not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise UsageError(f"TO {f'{host}:{port}'!r}: {port!r} is not a port number")
    lookup, spoken, target = (
        names.lookup(host, start, resolver, namespace),
        protocol or "TCP",
        f"{host}:{port}",
    )
    if lookup.outcome.status is not Status.FOUND:
        fate = _unresolved(start, lookup)
        return Trace(start.label, target, spoken, (fate,), lookup.notes, lookup)
    shots = _shots(names, start, lookup, int(port), spoken)
    answer = trace_shots(names.cluster, start, shots, target)
    return replace(answer, notes=(*answer.notes, *lookup.notes), lookup=lookup)


def _shots(
    names: Names, start: Origin, lookup: Prediction, port: int, protocol: str
) -> tuple[Shot, ...]:
    found = lookup.outcome.addresses
    if UNKNOWN_ADDRESS in found:
        raise UsageError(
            f"{lookup.name} is resolved outside of the cluster, and nothing here tells its "
            f"address: say it with --host {lookup.name.removesuffix('.')}=IP"
        )
    assumed = api_service(names.cluster)
    if assumed is not None and set(assumed.cluster_ips) & set(found):
        raise UsageError(f"{assumed.reference} is only assumed: the input has no endpoints of it")
    usable = _usable(start, tuple(map(canonical, found)))
    share = Fraction(1, len(usable))
    why = f"DNS gave {lookup.outcome.canonical or lookup.name}"
    if len(usable) > 1:
        why += f" {len(usable)} addresses, and the client takes the first of them"
    return tuple(Shot(address, port, protocol, share, why) for address in usable)


def _usable(start: Origin, addresses: tuple[str, ...]) -> tuple[str, ...]:
    mine = {family(address) for address in start.addresses}
    for wanted in (Family.IPV6, Family.IPV4):
        chosen = tuple(a for a in addresses if family(a) is wanted and wanted in mine)
        if chosen:
            return chosen
    return addresses[:1]


def _unresolved(start: Origin, lookup: Prediction) -> Fate:
    outcome = lookup.outcome
    waited = f" after {lookup.seconds:g} s" if lookup.seconds else ""
    hop = Hop(
        start.node,
        "lookup",
        f"{lookup.name} is not resolved{waited}: {outcome.status}",
        outcome.text.split("\n")[0],
        start.object,
    )
    return Fate(
        probability=Fraction(1),
        verdict=Verdict.UNRESOLVED,
        endpoint=None,
        source_seen=None,
        source_is=SourceKind.CLIENT,
        client_address_kept=False,
        node_crossings=0,
        reply_returns=True,
        entry_nodes=(),
        hops=(hop,),
    )
