"""The benchmarks' input is what kubehop reads; no times are tested."""

import io
from pathlib import Path

import kubehop
from benchmarks import dns_mix, generator
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


def test_four_fifths_of_the_queries_are_misses_and_half_are_for_ipv6() -> None:
    lines = dns_mix.queries(0.001)
    assert lines == dns_mix.queries(0.001)
    names = {name for name, _ in dns_mix.addresses(0.001)}
    hits = [line for line in lines if line.split()[0] in names]
    assert (len(names), len(hits), len(lines)) == (10, 20, 100)
    assert sum(line.endswith(" AAAA") for line in lines) == 50


def test_the_clusters_of_ours_and_of_coredns_have_the_same_names() -> None:
    objects = list(dns_mix.objects(0.001))
    cluster = dns_mix.cluster(0.001)
    assert len(objects) == dns_mix.NAMESPACES + 10 + 10 + 150
    found = {f"{s.name}.{s.namespace}.svc.cluster.local." for s in cluster.services}
    assert found == {name for name, _ in dns_mix.addresses(0.001)}
