"""A packet to a host name: the lookup first, then the packet to what it found.

The client takes the address that its resolver puts first (`preference`). Where that leaves
several the order is chance, as CoreDNS and resolvers upstream turn them around.
"""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from kubehop.dns.lookup.protocol import Status
from kubehop.dns.lookup.resolvers import Resolver
from kubehop.dns.outside import UNKNOWN_ADDRESS
from kubehop.dns.service import api_service
from kubehop.model.addresses import Family, canonical
from kubehop.model.errors import UsageError
from kubehop.service.endpoints import backends
from kubehop.service.frontends import FrontendKind
from kubehop.trace.aim import Shot
from kubehop.trace.lookups import Names, Prediction
from kubehop.trace.preference import first
from kubehop.trace.questions import Origin, find_node, host_name, parse_origin
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
    """As `kubehop.trace.walk.trace`, and `HOSTNAME:PORT` is a target too.

    For that `via` is refused: which address of a Service is used, the name decides.
    """
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
    if via is not None:
        raise UsageError(f"TO {target!r} is a host name; --via is for svc/NAME:PORT")
    if node:
        find_node(names.cluster, node)
    start = parse_origin(names.cluster, origin, namespace)
    return trace_name(
        names, start, *asked, resolver, protocol=protocol, node=node, namespace=namespace
    )


def trace_name(
    names: Names,
    start: Origin,
    host: str,
    port: str,
    resolver: Resolver,
    *,
    protocol: str | None = None,
    node: str = "",
    namespace: str = "default",
) -> Trace:
    """Every fate of a packet from `start` to `host` and `port`; the lookup is part of it.

    Raises UsageError for a port that is no number, and for an address that nothing tells.
    """
    if not (port.isascii() and port.isdecimal()) or not 1 <= int(port) <= 65535:
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
    answer = trace_shots(names.cluster, start, shots, target, node)
    notes = (*_untranslated(names, lookup, shots), *answer.notes, *lookup.notes)
    return replace(answer, notes=notes, lookup=lookup)


def _shots(
    names: Names, start: Origin, lookup: Prediction, port: int, protocol: str
) -> tuple[Shot, ...]:
    found = lookup.outcome.addresses
    if UNKNOWN_ADDRESS in found:
        name = lookup.outcome.canonical or lookup.name.removesuffix(".")
        raise UsageError(
            f"{name} is resolved outside of the cluster, and nothing here tells its "
            f"address: say it with --host {name}=IP"
        )
    assumed = api_service(names.cluster)
    if assumed is not None and set(assumed.cluster_ips) & set(found):
        raise UsageError(f"{assumed.reference} is only assumed: the input has no endpoints of it")
    usable = first(lookup.resolver.name, start.addresses, tuple(map(canonical, found)))
    share = Fraction(1, len(usable))
    why = f"DNS gave {lookup.outcome.canonical or lookup.name}"
    if len(usable) > 1:
        why += f" {len(usable)} addresses, and the client takes the first of them"
    return tuple(Shot(address, port, protocol, share, why) for address in usable)


def _untranslated(names: Names, lookup: Prediction, shots: tuple[Shot, ...]) -> Iterator[str]:
    """A port of a headless Service that its endpoints do not listen on: nobody translates it."""
    for said in dict.fromkeys(step.object for step in lookup.steps):
        kind, _, name = said.partition(" ")
        service = names.cluster.service(*name.split("/")) if kind == "Service" else None
        if service is None or not service.headless:
            continue
        ports = [
            p for p in service.ports if (p.port, p.protocol) == (shots[0].port, shots[0].protocol)
        ]
        slices = names.cluster.slices_of(service)
        targets = {e.port for p in ports for f in Family for e in backends(slices, p, f).endpoints}
        if targets and shots[0].port not in targets:
            listed, port = ", ".join(map(str, sorted(targets))), shots[0].port
            yield f"{said} is headless: nobody turns port {port} into {listed}, its targetPort"


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
