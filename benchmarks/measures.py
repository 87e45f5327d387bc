"""The measurements. Each runs in a process of its own, so that memory is its own too."""

import gc
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

Figures = dict[str, float]

SAMPLE = 15_000
"""Enough for all objects at scale 0.1."""


def peak_mb() -> float:
    """The peak resident memory of this process, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def kubehop_load(path: str) -> Figures:
    """File to Cluster; then traces and the spread of every Service."""
    import kubehop
    from kubehop.service.spread import spreads

    start = time.perf_counter()
    cluster = kubehop.load(path)
    figures = {"seconds": time.perf_counter() - start, "peak_mb": peak_mb()}
    questions: dict[str, tuple[str, str]] = {
        "pod": ("pod/app-1-0.team-1", "svc/app-1.team-1:80"),
        "external": ("external", "svc/app-0.team-0:80"),
        "node": ("node/node-00001", "svc/app-1.team-1:80"),
    }
    for name, (origin, target) in questions.items():
        start = time.perf_counter()
        kubehop.trace(cluster, origin, target)
        figures[f"first_{name}_us"] = (time.perf_counter() - start) * 1e6
    for name, (origin, target) in questions.items():
        again = partial(kubehop.trace, cluster, origin, target)
        figures[f"{name}_us"] = median(again) * 1e6
    start = time.perf_counter()
    for service in cluster.services:
        spreads(cluster, service)
    return {**figures, "spreads_seconds": time.perf_counter() - start}


def json_loads(path: str) -> Figures:
    """What the standard library takes for the same bytes."""
    start = time.perf_counter()
    document = json.loads(Path(path).read_bytes())
    assert document["items"]
    return {"seconds": time.perf_counter() - start, "peak_mb": peak_mb()}


def official_client(path: str) -> Figures:
    """The official client's typed lists of the same objects, as it reads them from the API.

    It is so slow that of each kind at most `SAMPLE` objects are read and the rest is reckoned.
    """
    from kubernetes import client

    client.CoreV1Api()  # not the import is measured
    api: Any = client.ApiClient()
    seconds, kept = 0.0, []
    for kind, (count, body) in _samples(path, SAMPLE).items():
        gc.collect()
        start = time.perf_counter()
        kept.append(found := api.deserialize(body, f"V1{kind}List", "application/json"))
        elapsed = time.perf_counter() - start
        seconds += elapsed * count / len(found.items)
    return {"seconds": seconds, "peak_mb": peak_mb()}


def _samples(path: str, most: int) -> dict[str, tuple[int, str]]:
    """For each kind how many objects there are, and a list of the first `most` as JSON."""
    by_kind: dict[str, list[Any]] = {}
    for item in json.loads(Path(path).read_bytes())["items"]:
        by_kind.setdefault(item["kind"], []).append(item)
    return {
        kind: (len(items), json.dumps({"kind": f"{kind}List", "items": items[:most]}, indent=4))
        for kind, items in by_kind.items()
    }


def median(call: Callable[[], object], runs: int = 200) -> float:
    """The median time of a call, in seconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def command_seconds(arguments: list[str], runs: int = 15) -> float:
    """The median wall time of a Python command in fresh processes, in seconds."""
    command = [sys.executable, *arguments]
    return median(lambda: subprocess.run(command, check=True, capture_output=True), runs)


MEASURES: dict[str, Callable[[str], Figures]] = {
    "kubehop_load": kubehop_load,
    "json_loads": json_loads,
    "official_client": official_client,
}


def apart(name: str, path: str) -> Figures:
    """Run one measure in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--measure", name, path],
        check=True,
        capture_output=True,
        text=True,
    )
    figures: Figures = json.loads(done.stdout)
    return figures
