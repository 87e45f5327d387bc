"""Counters in Prometheus' text form, under the names that CoreDNS gives them.

Dashboards made for CoreDNS find theirs; what CoreDNS does not have is called kubehop_dns_*.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import NamedTuple

from kubehop.dns.message import Rcode
from kubehop.dns.wire.types import type_name
from kubehop.dnsserver.tally import SECONDS, SIZES, Kinds, Tally

ZONE = "."
"""CoreDNS counts by zone of the server block; here all are counted together."""

Labels = Mapping[str, str]


class Gauge(NamedTuple):
    """A value that is read when somebody asks."""

    name: str
    help: str
    value: float
    kind: str = "gauge"


def page(server: str, kinds: Kinds, gauges: Iterable[Gauge]) -> str:
    """The whole page; `server` is the address that CoreDNS would name, dns://:53."""
    lines = [
        *_requests(server, kinds),
        *_responses(server, kinds),
        *_sizes(server, kinds),
        *_durations(server, kinds),
    ]
    for gauge in gauges:
        lines += _head(gauge.name, gauge.kind, gauge.help)
        lines.append(f"{gauge.name} {gauge.value:g}")
    return "\n".join(lines) + "\n"


def _requests(server: str, kinds: Kinds) -> Iterator[str]:
    name = "coredns_dns_requests_total"
    yield from _head(name, "counter", "Counter of DNS requests per zone, protocol and family.")
    for tally in kinds.tallies:
        counts: Counter[int] = Counter()
        for kind, hits in zip(kinds.known, tally.hits, strict=True):
            counts[kind.type] += hits
        for type, count in sorted(counts.items()):
            if count:
                labels = _labels(server, proto=tally.transport, family=tally.family)
                yield f'{name}{{{labels},type="{_type(type)}"}} {count}'


def _responses(server: str, kinds: Kinds) -> Iterator[str]:
    name = "coredns_dns_responses_total"
    yield from _head(name, "counter", "Counter of response status codes.")
    counts: Counter[int] = Counter()
    for tally in kinds.tallies:
        for kind, hits in zip(kinds.known, tally.hits, strict=True):
            counts[kind.rcode] += hits
    for rcode, count in sorted(counts.items()):
        if count:
            text = Rcode(rcode).name if rcode in set(Rcode) else f"RCODE{rcode}"
            yield f'{name}{{{_labels(server)},rcode="{text}",plugin=""}} {count}'


def _sizes(server: str, kinds: Kinds) -> Iterator[str]:
    name = "coredns_dns_response_size_bytes"
    yield from _head(name, "histogram", "Size of the returned response in bytes.")
    for proto in sorted({tally.transport for tally in kinds.tallies}):
        tallies = [tally for tally in kinds.tallies if tally.transport == proto]
        counts = [0] * (len(SIZES) + 1)
        for tally in tallies:
            for kind, hits in zip(kinds.known, tally.hits, strict=True):
                counts[kind.size] += hits
        total = sum(tally.octets for tally in tallies)
        yield from _histogram(name, _labels(server, proto=proto), SIZES, counts, total)


def _durations(server: str, kinds: Kinds) -> Iterator[str]:
    name = "coredns_dns_request_duration_seconds"
    yield from _head(name, "histogram", "Time each request took; those of one batch take alike.")
    columns = zip(*(tally.durations for tally in kinds.tallies), strict=True)
    counts = [sum(column) for column in columns]
    total = sum(tally.seconds for tally in kinds.tallies)
    if counts:
        yield from _histogram(name, _labels(server), SECONDS, counts, total)


def _histogram(
    name: str, labels: str, ends: Iterable[float], counts: Iterable[int], total: float
) -> Iterator[str]:
    sums = list(accumulate(counts))
    for end, count in zip((*ends, "+Inf"), sums, strict=True):
        bound = end if isinstance(end, str) else f"{end:g}"
        yield f'{name}_bucket{{{labels},le="{bound}"}} {count}'
    yield f"{name}_sum{{{labels}}} {total:g}"
    yield f"{name}_count{{{labels}}} {sums[-1]}"


def _head(name: str, kind: str, help: str) -> Iterator[str]:
    yield f"# HELP {name} {help}"
    yield f"# TYPE {name} {kind}"


def _labels(server: str, **more: str) -> str:
    pairs = {"server": server, "zone": ZONE, "view": ""} | more
    return ",".join(f'{key}="{value}"' for key, value in pairs.items())


def _type(number: int) -> str:
    return type_name(number) if number else "other"


def dropped(tallies: Iterable[Tally]) -> int:
    """Messages that got no reply: too short, or replies themselves."""
    return sum(tally.dropped for tally in tallies)
