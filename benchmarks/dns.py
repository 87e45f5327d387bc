"""DNS servers side by side, in one run: queries per second and the server's CPU for each query.

dnsperf asks from the second core. It needs more of it than all of these servers but CoreDNS, so
that queries per second are what it can ask: CPU per query is the figure that tells them apart.
"""

import json
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import dns_mix, dns_servers
from benchmarks.dns_servers import MissingError, Running

ROUNDS, SECONDS = 3, 3
CLIENTS, OUTSTANDING = 20, 200

Row = tuple[str, str, str, bool | None]
Start = Callable[[Path], AbstractContextManager[Running]]


@dataclass(frozen=True)
class Measured:
    """What dnsperf and the kernel say of a server; `figures` are the server's own.

    Queries per second are those of the best round: whatever else runs can only make it worse.
    """

    per_second: float
    cpu_us: float
    megabytes: float
    figures: dict[str, float]


def rows(scale: float) -> Iterator[Row]:
    """The table's rows about DNS; a server that this machine lacks is named."""
    names = dns_mix.addresses(scale)
    servers: dict[str, Start] = {
        "kubehop": lambda folder: dns_servers.kubehop(scale, folder),
        "CoreDNS": lambda folder: _coredns(scale, folder),
        "Knot DNS": lambda folder: dns_servers.knot(names, folder),
        "unbound": lambda folder: dns_servers.unbound(names, folder),
    }
    lines = "\n".join((*dns_mix.queries(scale), ""))
    found = {name: _measured(start, lines) for name, start in servers.items()}
    yield from _own_rows(found["kubehop"], scale)
    yield from _compared_rows(found)


def _own_rows(ours: Measured | str, scale: float) -> Iterator[Row]:
    if isinstance(ours, str):
        yield ("DNS", ours, "", False)
        return
    own = ours.figures
    size = f"{own['services']:.0f} Services, {own['pods']:.0f} pods"
    seconds, target = own["compile_seconds"], 3 * scale
    change = own["change_us"]
    yield (f"DNS: {size}: compiled", f"{seconds:.2f} s", f"<= {target:g} s", seconds <= target)
    yield ("  indexed, without answers", f"{own['index_seconds']:.2f} s", "", None)
    yield ("  one Service changed", f"{change:.0f} us", "<= 1000 us", change <= 1000)
    lookup = own["lookup_us"]
    what = "  lookup predicted (glibc, 10 queries)"
    yield (what, f"{lookup:.0f} us", "< 1000 us", lookup < 1000)
    yield ("  index and answers in memory", f"{own['more_mb']:.0f} MB", "", None)


def _compared_rows(found: dict[str, Measured | str]) -> Iterator[Row]:
    """Ours against half of CoreDNS, and against 100,000 queries a second."""
    coredns = found["CoreDNS"]
    half = coredns.cpu_us / 2 if isinstance(coredns, Measured) else None
    for name, measured in found.items():
        if isinstance(measured, str):
            yield (f"DNS: {name}", measured, "", None)
            continue
        ours = name == "kubehop"
        cpu, speed = measured.cpu_us, measured.per_second
        yield (
            f"DNS: {name}, CPU for a query ({measured.megabytes:.0f} MB resident)",
            f"{cpu:.1f} us",
            f"<= {half:.1f} us" if ours and half else "",
            cpu <= half if ours and half else None,
        )
        target = ">= 100000/s" if ours else ""
        yield ("  queries", f"{speed:.0f}/s", target, speed >= 100_000 if ours else None)


def _measured(start: Start, lines: str) -> Measured | str:
    """Ask one server ROUNDS times after it has seen every query once; or why it cannot be asked."""
    with tempfile.TemporaryDirectory(prefix="kubehop-bench-") as name:
        folder = Path(name)
        (folder / "queries").write_text(lines)
        try:
            with start(folder) as server:
                return _asked(server, folder / "queries")
        except MissingError as missing:
            return str(missing)


def _asked(server: Running, queries: Path) -> Measured:
    figures = json.loads(server.report) if server.report else {}
    _dnsperf(server.port, queries, "-n", "1")
    before = server.cpu_seconds
    rounds = [_dnsperf(server.port, queries, "-l", str(SECONDS)) for _ in range(ROUNDS)]
    cpu = server.cpu_seconds - before
    completed = sum(count for count, _ in rounds)
    best = max(per_second for _, per_second in rounds)
    return Measured(best, cpu / completed * 1e6, server.megabytes, figures)


def _dnsperf(port: int, queries: Path, *options: str) -> tuple[int, float]:
    """How many queries were answered, and per second."""
    command = ["taskset", "-c", "1", dns_servers.program("dnsperf"), "-s", "127.0.0.1"]
    command += ["-p", str(port), "-d", str(queries), "-c", str(CLIENTS), "-T", "1"]
    said = subprocess.run(
        [*command, "-q", str(OUTSTANDING), *options], capture_output=True, text=True, check=True
    ).stdout
    counts = dict(re.findall(r"(Queries completed|Queries per second):\s+([\d.]+)", said))
    return int(counts["Queries completed"]), float(counts["Queries per second"])


@contextmanager
def _coredns(scale: float, folder: Path) -> Iterator[Running]:
    """The real one, built for the tests, with their API server."""
    import pytest

    from tests.real.coredns_build import coredns
    from tests.real.fake_api import fake_api

    try:
        path = str(coredns())
    except pytest.skip.Exception as skipped:
        raise MissingError(str(skipped)) from None
    with (
        fake_api(dns_mix.objects(scale, pods=False)) as api,
        dns_servers.coredns(path, api.url, folder) as running,
    ):
        yield running
