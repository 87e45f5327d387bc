"""Clusters at random: how the data came in changes nothing, and what is listed resolves."""

from dataclasses import replace
from random import Random
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from kubehop.dns.message import Question, Record
from kubehop.dns.names import folded
from kubehop.dns.zone import (
    Found,
    KubernetesZone,
    Without,
    ZoneData,
    names,
    owner_of,
    transfer,
)
from kubehop.model.changes import Change, between
from kubehop.model.cluster import Cluster
from kubehop.model.meta import Object
from tests.dns.zone.objects import (
    cluster,
    endpoint,
    external,
    namespace,
    pod,
    service,
    slice_of,
    zone,
)

T = TypeVar("T")
C = "cluster.local."
SPACES, NAMES = ("a", "b"), ("x", "y", "z")
ADDRESSES = [f"10.0.0.{n}" for n in range(1, 6)] + ["fd00::1", "fd00::2"]
HIDING = "ignore empty_service"
OPTIONS = st.sampled_from(
    [
        "",
        "pods verified",
        "pods insecure",
        "endpoint_pod_names",
        "noendpoints",
        "namespaces a",
        HIDING,
    ]
)
OWN = ("10.0.0.1",)

where = st.builds(lambda a, b: f"{a}/{b}", st.sampled_from(SPACES), st.sampled_from(NAMES))
addresses = st.lists(st.sampled_from(ADDRESSES), max_size=3, unique=True)
hosts = st.sampled_from(["example.com", "1.2.3.4", f"x.a.svc.{C}", f"y.b.svc.{C}", f"Z.a.svc.{C}"])
endpoints = st.builds(
    endpoint,
    st.sampled_from(ADDRESSES),
    st.sampled_from(["", "db-0", "db-1"]),
    st.sampled_from(["", "pod-1"]),
    st.booleans(),
)
ports = st.sampled_from(["http:80/TCP", "http:80/TCP,dns:53/UDP", "", ":81/TCP"])
services = st.builds(lambda w, ips, p: service(w, *ips, ports=p), where, addresses, ports)
slices = st.builds(
    lambda w, e, p, n: slice_of(w, *e, ports=p, nth=n),
    where,
    st.lists(endpoints, max_size=3),
    ports,
    st.integers(0, 1),
)
pods = st.builds(pod, where, st.sampled_from(ADDRESSES), st.sampled_from(["Running", "Failed"]))
spaces = st.builds(namespace, st.sampled_from(SPACES))
objects: st.SearchStrategy[Object] = st.one_of(
    services, slices, pods, spaces, st.builds(external, where, hosts)
)


def world(found: list[Object]) -> Cluster:
    """One object of each kind and name, the last; namespaces only as given."""
    kept = {(type(o), o.namespace, o.name): o for o in found}
    made = cluster(*kept.values())
    given_spaces = {o.name for o in found if type(o).__name__ == "Namespace"}
    return replace(
        made,
        namespaces=tuple(s for s in made.namespaces if s.name in given_spaces or s.name == "a"),
    )


worlds = st.lists(objects, max_size=12).map(world)

LABELS = ("", "db-0.", "pod-1.", "10-0-0-1.", "_http._tcp.", "nosuch.", "fd00--1.")
QUESTIONS = [
    *(
        Question(f"{label}{name}.{space}.svc.{C}", kind)
        for label in LABELS
        for name in (*NAMES, "nosuch")
        for space in SPACES
        for kind in ("A", "AAAA", "SRV", "TXT", "CNAME")
    ),
    *(Question(f"10-0-0-{n}.{space}.pod.{C}", "A") for n in (1, 2) for space in SPACES),
    *(Question(f"{n}.0.0.10.in-addr.arpa.", "PTR") for n in range(1, 6)),
    *(Question(name, kind) for name in (C, f"ns.dns.{C}", f"a.svc.{C}") for kind in ("A", "NS")),
]


def answers(found: KubernetesZone) -> dict[Question, object]:
    """Every answer, records as sets: no order is promised."""
    return {question: answer(found, question) for question in QUESTIONS}


def answer(found: KubernetesZone, question: Question) -> object:
    outcome = found.lookup(question, found.zone_of(folded(question.name)))
    if isinstance(outcome, Without):
        return outcome
    values = [getattr(outcome, field) for field in type(outcome).__slots__]
    return tuple(frozenset(v) if isinstance(v, tuple) else v for v in values)


@given(worlds, OPTIONS, st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_the_order_of_objects_changes_nothing(found: Cluster, options: str, random: Random) -> None:
    def shuffled(table: tuple[T, ...]) -> tuple[T, ...]:
        return tuple(random.sample(table, len(table)))

    other = replace(
        found,
        namespaces=shuffled(found.namespaces),
        services=shuffled(found.services),
        slices=shuffled(found.slices),
        pods=shuffled(found.pods),
    )
    assert answers(zone(found, options, own=OWN)) == answers(zone(other, options, own=OWN))


@given(worlds, worlds, OPTIONS)
@settings(max_examples=100)
def test_applying_a_change_equals_building_anew(old: Cluster, new: Cluster, options: str) -> None:
    changed = zone(old, options, own=OWN)
    answers(changed)
    changed.data.apply(between(old, new))
    fresh = zone(new, options, own=OWN)
    assert answers(changed) == answers(fresh)
    assert _tables(changed.data) == _tables(fresh.data)


@given(worlds, worlds, OPTIONS)
@settings(max_examples=100)
def test_an_answer_that_changed_was_named(old: Cluster, new: Cluster, options: str) -> None:
    found = zone(old, options, own=OWN)
    before = answers(found)
    named = names(found, found.data.apply(between(old, new)))
    after = answers(found)
    for question in QUESTIONS:
        if before[question] != after[question]:
            name = folded(question.name)
            assert "." in named or owner_of(name, found.zone_of(name)) in named, question


@given(worlds)
def test_what_is_taken_out_again_leaves_nothing(found: Cluster) -> None:
    data = ZoneData.of(found)
    data.apply(between(found, Cluster()))
    assert _tables(data) == _tables(ZoneData.of(Cluster()))


@given(worlds, OPTIONS)
def test_a_change_to_the_same_names_nothing_but_is_harmless(found: Cluster, options: str) -> None:
    kept = zone(found, options, own=OWN)
    before = answers(kept)
    kept.data.apply(Change(put=(*found.services, *found.slices, *found.pods)))
    assert answers(kept) == before


@given(worlds, OPTIONS)
@settings(max_examples=100)
def test_everything_that_a_transfer_lists_resolves(found: Cluster, options: str) -> None:
    """But for Services that `ignore empty_service` hides: a transfer lists them all the same."""
    asked = zone(found, "" if options == HIDING else options, own=OWN)
    for record in transfer(asked, C):
        if record.type == "NS" or record.ttl == 0:
            continue
        assert _has(asked, record), record


def _has(asked: KubernetesZone, record: Record) -> bool:
    outcome = asked.lookup(Question(record.name, record.type), C)
    if isinstance(outcome, Without):
        return False
    records = outcome.answer if isinstance(outcome, Found) else outcome.parts
    if record.type != "SRV":
        return record in records
    # A Service without ports is listed with a port that no answer has; weights may differ.
    known = {tuple(r.data.split()[2:]) for r in records if isinstance(r, Record)}
    return record.data.split()[2] == "65535" or tuple(record.data.split()[2:]) in known


def _tables(data: ZoneData) -> object:
    return (
        data.namespaces,
        {name: (b.service, b.slices) for name, b in data.backends.items()},
        data.slices,
        data.by_cluster_ip,
        data.by_endpoint_ip,
        data.pods,
        data.pods_at,
        data.aliases,
    )
