"""A name's lookup and an attempt for each of its addresses, as text and as JSON."""

import errno
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from kubehop.model.addresses import socket_address
from kubehop.model.errors import UsageError, printable
from kubehop.sandbox.answers import Answer
from kubehop.sandbox.connect import Target, connect, send_datagram, target
from kubehop.sandbox.values import Files

if TYPE_CHECKING:
    from kubehop.dns.lookup.drive import Lookup

MOST = 32
"""Addresses that are tried; who sends more may send thousands."""


class Found(Struct, frozen=True):
    """What was asked for and what came of it; `lookup` is None for an address."""

    host: str
    port: int
    protocol: str
    lookup: "Lookup | None"
    answers: tuple[Answer, ...]


def connected(
    host: str,
    port: int,
    udp: bool,
    seconds: float,
    files: Callable[[], Files],
    go_inside: Callable[[], None],
) -> Found:
    """Try each address of `host`, each for so long; `files` are read before `go_inside` is called.

    They are tried in the order in which a program in the pod gets them: see `sandbox.order`.
    Raises UsageError if the pod's resolv.conf is needed and not known.
    """
    plain = target(host.partition("%")[0], port) is not None
    known = Files() if plain else files()
    go_inside()
    lookup = None if plain else _lookup(host, known)
    aims = _aims((host,) if lookup is None else lookup.outcome.addresses, port)
    if plain and not aims:
        raise UsageError(f"{host}: the pod has no such interface")
    attempt = send_datagram if udp else connect
    answers = tuple(attempt(aim, seconds) for aim in aims[:MOST])
    return Found(host, port, "udp" if udp else "tcp", lookup, answers)


def _aims(addresses: Iterable[str], port: int) -> list[Target]:
    """Those that can be tried, in order."""
    aims = {aim.address: aim for each in addresses if (aim := target(each, port))}
    if len(aims) < 2:
        return list(aims.values())
    from kubehop.sandbox.order import in_order
    from kubehop.sandbox.own import sources

    return [aims[address] for address in in_order(aims, sources(aims.values()))]


def _lookup(host: str, files: Files) -> "Lookup":
    from kubehop.dns.lookup.resolvers import RESOLVERS
    from kubehop.dns.names import in_ascii
    from kubehop.dns.resolv import hosts as hosts_file
    from kubehop.dnsclient.live import ask

    if files.resolv_conf is None:
        raise UsageError("the pod's resolv.conf is not known: only addresses can be connected to")
    resolver = RESOLVERS["glibc"]
    conf = resolver.parse(files.resolv_conf, files.hostname or "")
    return ask(resolver.start(in_ascii(host), conf, hosts_file.parse(files.hosts or "")))


def text(pod: str, found: Found) -> str:
    """A line for the lookup, one for each address."""
    where = socket_address(found.host, found.port)
    lines = [f"{pod} to {where} ({found.protocol.upper()})"]
    if found.lookup:
        lines.append(f"  {_looked_up(found)}")
    lines += [f"  {_told(answer)}" for answer in found.answers]
    return "\n".join(map(printable, lines))


def _looked_up(found: Found) -> str:
    assert found.lookup
    lookup, outcome = found.lookup, found.lookup.outcome
    servers = ", ".join(dict.fromkeys(step.query.server for step in lookup.steps))
    how = f"{lookup.queries} queries to {servers}" if servers else "by the hosts file"
    what = ", ".join(outcome.addresses) or f"{outcome.status.value} ({outcome.text})"
    return f"{found.host}: {what}, in {_duration(lookup.seconds)}, {how}"


def _told(answer: Answer) -> str:
    where = socket_address(answer.address, answer.port)
    facts = (
        answer.why,
        f"from {answer.source}" if answer.source else "",
        f"MSS {answer.mss}" if answer.mss is not None else "",
        f"path MTU {answer.path_mtu}" if answer.path_mtu is not None else "",
    )
    told = "; ".join(fact for fact in facts if fact)
    return f"{where}: {answer.result.value} after {_duration(answer.seconds)}; {told}"


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def json_value(pod: str, found: Found) -> dict[str, Any]:
    """A value of kind Connect (docs/json.md)."""
    from kubehop.render.json_common import API_VERSION

    return {
        "apiVersion": API_VERSION,
        "kind": "Connect",
        "pod": pod,
        "host": found.host,
        "port": found.port,
        "protocol": found.protocol,
        "connected": any(answer.reached for answer in found.answers),
        "lookup": _lookup_json(found.lookup) if found.lookup else None,
        "attempts": list(map(_answer_json, found.answers)),
    }


def _lookup_json(lookup: "Lookup") -> dict[str, Any]:
    outcome = lookup.outcome
    return {
        "status": outcome.status.value,
        "addresses": list(outcome.addresses),
        "canonicalName": outcome.canonical or None,
        "error": outcome.text or None,
        "queries": lookup.queries,
        "nameservers": list(dict.fromkeys(step.query.server for step in lookup.steps)),
        "seconds": round(lookup.seconds, 6),
    }


def _answer_json(answer: Answer) -> dict[str, Any]:
    icmp = answer.icmp if answer.icmp and answer.icmp.version else None
    return {
        "address": answer.address,
        "port": answer.port,
        "result": answer.result.value,
        "seconds": answer.seconds,
        "source": answer.source or None,
        "why": answer.why or None,
        "errno": errno.errorcode.get(answer.errno) if answer.errno else None,
        "icmpVersion": icmp.version if icmp else None,
        "icmpType": icmp.type if icmp else None,
        "icmpCode": icmp.code if icmp else None,
        "icmpFrom": (icmp.sender or None) if icmp else None,
        "mss": answer.mss,
        "pathMtu": answer.path_mtu,
        "rttSeconds": answer.rtt,
        "synsSent": answer.sent,
        "octetsReceived": answer.received,
    }
