"""Service rules of a lab's node: how long a kernel takes to get them, and to have one changed.

`python -m benchmarks.lab_rules [SERVICES]` measures in a network namespace of its own.
"""

import json
import statistics
import subprocess
import sys
import time
from dataclasses import replace

import msgspec

from benchmarks.lab_cluster import cluster
from kubehop.lab.kernel.nft import Rules
from kubehop.lab.plan.rules import change_text, load_text, node_rulesets
from kubehop.lab.plan.values import Nft
from kubehop.model.cluster import Cluster

Row = tuple[str, str, str, bool | None]
Figures = dict[str, float]

SERVICES = 10_000
PODS_OF_A_NODE = 100
"""Of as many pods as Services; each Service has four of them."""
NODE = "node-0"
CHANGES = 20
LOAD_SECONDS, CHANGE_MS = 1.5, 2.0
"""What the lab is to reach for SERVICES."""


def rows(services: int = SERVICES) -> list[Row]:
    """The rows of the benchmark table."""
    found = measured(services)
    load, change = found["load_seconds"], found["change_ms"]
    return [
        (
            f"rules of {services:,} Services on a node, in its kernel",
            f"{load:.2f} s",
            f"<= {LOAD_SECONDS:g} s",
            load <= LOAD_SECONDS,
        ),
        (
            f"  one changed ({found['elements']:,.0f} elements in all)",
            f"{change:.2f} ms",
            f"<= {CHANGE_MS:g} ms",
            change <= CHANGE_MS,
        ),
        (
            f"  compiled, for {services // PODS_OF_A_NODE or 1} nodes",
            f"{found['compile_seconds']:.2f} s",
            "",
            None,
        ),
        ("  compiled again, one changed", f"{found['recompile_ms']:.1f} ms", "", None),
        ("  the text of the change", f"{found['text_ms']:.1f} ms", "", None),
    ]


def measured(services: int) -> Figures:
    """Measure in a network namespace, as anyone may."""
    enter = ["unshare", "--user", "--map-root-user", "--net"]
    command = [*enter, sys.executable, "-m", "benchmarks.lab_rules", "--here", str(services)]
    done = subprocess.run(command, capture_output=True, check=True)
    figures: Figures = json.loads(done.stdout)
    return figures


def here(services: int) -> Figures:
    """Measure in the network namespace that we are in."""
    old = cluster(max(1, services // PODS_OF_A_NODE), services, services)
    begun_at = time.perf_counter()
    ruleset = node_rulesets(old)[NODE]
    compiled = time.perf_counter()
    rules = Rules()
    for text in Nft("", load_text(ruleset)).transactions:
        rules.run(text)
    loaded = time.perf_counter()
    texts, compiling, comparing = [], [], []
    for number in range(CHANGES):
        new = changed(old, number)
        begun = time.perf_counter()
        found = node_rulesets(new, old)[NODE]
        between = time.perf_counter()
        texts.append(change_text(ruleset, found))
        compiling.append(between - begun)
        comparing.append(time.perf_counter() - between)
        old, ruleset = new, found
    return {
        "compile_seconds": compiled - begun_at,
        "load_seconds": loaded - compiled,
        "elements": sum(map(len, ruleset.elements.values())),
        "recompile_ms": 1000 * statistics.median(compiling),
        "text_ms": 1000 * statistics.median(comparing),
        "change_ms": 1000 * statistics.median(_seconds(rules, text) for text in texts),
    }


def _seconds(rules: Rules, text: str) -> float:
    begun = time.perf_counter()
    rules.run(text)
    return time.perf_counter() - begun


def changed(old: Cluster, number: int) -> Cluster:
    """The cluster after one Service lost its last endpoint of a slice."""
    slices = list(old.slices)
    at = number * 7 % len(slices)
    entries = slices[at].endpoints or ()
    slices[at] = msgspec.structs.replace(slices[at], endpoints=entries[:-1])
    return replace(old, slices=tuple(slices))


def main() -> None:
    """Print the figures: as JSON of this namespace, or as rows of a namespace of its own."""
    if sys.argv[1:2] == ["--here"]:
        print(json.dumps(here(int(sys.argv[2]))))
        return
    for what, figure, target, _ in rows(*map(int, sys.argv[1:2])):
        print(f"{what:58} {figure:>12}  {target}")


if __name__ == "__main__":
    main()
