"""The public API: small, typed, and exactly this."""

from pathlib import Path

import kubehop

EXAMPLE = Path(kubehop.__file__).parent / "data" / "notes-cluster.yaml"


def test_public_names() -> None:
    assert kubehop.__all__ == [
        "Cluster",
        "ClusterError",
        "InputError",
        "KubehopError",
        "UsageError",
        "load",
        "load_live",
        "resolve",
        "set_fields",
        "spread",
        "trace",
    ]
    assert all(hasattr(kubehop, name) for name in kubehop.__all__)


def test_load_trace_spread_and_change() -> None:
    cluster = kubehop.load(EXAMPLE)
    first = kubehop.trace(cluster, "external", "svc/example-service:8765")
    # Once more: importing the package of the same name must not hide the function.
    assert kubehop.trace(cluster, "external", "svc/example-service:8765") == first
    assert {fate.source_seen for fate in first.fates} == {"203.0.113.9"}
    (today,) = kubehop.spread(cluster, "example-service")
    changed = kubehop.set_fields(cluster, "example-service", ["externalTrafficPolicy=Cluster"])
    (then,) = kubehop.spread(changed, "example-service")
    assert (float(today.balance.client_kept), float(then.balance.client_kept)) == (1.0, 0.0)


def test_resolve_and_trace_by_name() -> None:
    cluster = kubehop.load(EXAMPLE)
    found = kubehop.resolve(cluster, "example-service", "pod/busybox", resolver="musl")
    assert (found.outcome.status, found.queries) == ("found", 2)
    answer = kubehop.trace(cluster, "pod/busybox", "example-service:8765")
    assert answer.lookup is not None
    assert answer.lookup.outcome.addresses == found.outcome.addresses
