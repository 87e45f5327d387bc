"""`python -m benchmarks [--scale 0.1] [--dns-scale 1] [--no-lab] [--no-pod]`: figures."""

import argparse
import json
import os
import platform
import sys
import tempfile

from benchmarks import dns, generator, lab, lab_kernel, lab_rules, pod
from benchmarks.measures import MEASURES, apart, command_seconds

Row = tuple[str, str, str, bool | None]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--scale", type=float, default=0.1, help="1.0 is 700 MB of JSON")
    parser.add_argument("--dns-scale", type=float, default=1, help="of the DNS part; 0: without")
    parser.add_argument("--no-lab", dest="lab", action="store_false", help="without the lab's part")
    parser.add_argument("--no-pod", dest="pod", action="store_false", help="without real pods")
    parser.add_argument("--measure", nargs=2, metavar=("NAME", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        name, path = options.measure
        print(json.dumps(MEASURES[name](path)))
        return 0
    with tempfile.TemporaryDirectory(prefix="kubehop-bench-") as folder:
        path = os.path.join(folder, "cluster.json")
        with open(path, "wb") as out:
            size = generator.write(out, options.scale)
        rows = measured(path, size / 1e6, options.scale)
    if options.lab:
        rows += [*lab.rows(), *lab_rules.rows(), *lab_kernel.rows()]
    if options.pod:
        rows += pod.rows()
    if options.dns_scale:
        rows += dns.rows(options.dns_scale)
    show(rows, options.scale)
    return 0


def measured(path: str, megabytes: float, scale: float) -> list[Row]:
    """All rows of the table: what, how much, the target, whether it is reached."""
    ours, plain = apart("kubehop_load", path), apart("json_loads", path)
    peer = apart("official_client", path)
    speed = megabytes / ours["seconds"]
    peer_speed = megabytes / peer["seconds"]
    memory = ours["peak_mb"] / megabytes
    spread_target = 5 * scale
    help_ms = 1000 * command_seconds(["-m", "kubehop", "--help"])
    bare_ms = 1000 * command_seconds(["-c", "pass"])
    rows: list[Row] = [
        ("input", f"{megabytes:.0f} MB", "", None),
        ("load, file to Cluster", f"{speed:.0f} MB/s", ">= 100 MB/s", speed >= 100),
        ("  json.loads alone", f"{megabytes / plain['seconds']:.0f} MB/s", "", None),
        ("  official client, typed lists", f"{peer_speed:.1f} MB/s", "", None),
        (
            "  against the official client",
            f"{speed / peer_speed:.0f} x",
            ">= 10 x",
            speed >= 10 * peer_speed,
        ),
        ("peak memory / input", f"{memory:.2f}", "< 2", memory < 2),
        ("  json.loads alone", f"{plain['peak_mb'] / megabytes:.2f}", "", None),
    ]
    for name in ("pod", "external", "node"):
        micros = ours[f"{name}_us"]
        first = f"first, with its tables, {ours[f'first_{name}_us'] / 1000:.0f} ms"
        rows.append((f"trace from {name} ({first})", f"{micros:.0f} us", "< 1000", micros < 1000))
    seconds = ours["spreads_seconds"]
    rows += [
        (
            "spread of all Services over all nodes",
            f"{seconds:.2f} s",
            f"<= {spread_target:g} s",
            seconds <= spread_target,
        ),
        ("kubehop --help", f"{help_ms:.0f} ms", "<= 120 ms", help_ms <= 120),
        ("  python -c pass", f"{bare_ms:.0f} ms", "", None),
    ]
    return rows


def show(rows: list[Row], scale: float) -> None:
    print(f"{'figure':58} {'measured':>12}  {'target':14} reached")
    for what, value, target, reached in rows:
        verdict = "" if reached is None else "yes" if reached else "NO"
        print(f"{what:58} {value:>12}  {target:14} {verdict}")
    print(f"scale {scale:g}; {os.cpu_count()} cores, Python {platform.python_version()}")


if __name__ == "__main__":
    sys.exit(main())
