"""The benchmarks' input is what kubehop reads; no times are tested."""

import io
from pathlib import Path

import kubehop
from benchmarks import generator
from kubehop.trace.values import Verdict


def written(scale: float) -> bytes:
    out = io.BytesIO()
    assert generator.write(out, scale) == len(out.getvalue())
    return out.getvalue()


def test_generated_cluster_is_deterministic_and_loads(tmp_path: Path) -> None:
    content = written(0.0005)
    assert content == written(0.0005)
    (tmp_path / "cluster.json").write_bytes(content)
    cluster = kubehop.load(tmp_path / "cluster.json")
    assert (len(cluster.nodes), len(cluster.services), len(cluster.pods)) == (3, 5, 75)
    answer = kubehop.trace(cluster, "pod/app-1-0.team-1", "svc/app-1.team-1:80")
    assert answer.probability(Verdict.DELIVERED) == 1
    assert len({fate.endpoint for fate in answer.fates}) == generator.PER_SERVICE
