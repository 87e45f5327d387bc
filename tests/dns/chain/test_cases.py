"""Shared cases and more of them, each also with a wrong expectation; how odd ones are read."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import pytest

from kubehop.dns.chain import Asked
from kubehop.dns.message import Question, Rcode, Record, Reply
from tests.conformance.dns import Runner, asked_of, compare
from tests.conformance.dns_scene import scene_of
from tests.conformance.dns_upstream import answer, upstream_of
from tests.conformance.outcome import run_case
from tests.shared_files import shared

Case = dict[str, Any]


MORE = Path(__file__).parents[2] / "data" / "dns-more.json"


@pytest.fixture(scope="module", params=["shared", "more"])
def document(request: pytest.FixtureRequest) -> Case:
    file = MORE if request.param == "more" else shared("cases/dns.json")
    loaded: Case = json.loads(file.read_text())
    return loaded


def test_every_case_passes(document: Case) -> None:
    runner = Runner(document)
    found = {case["id"]: runner.check(case) for case in document["cases"]}
    assert {name: problem for name, problem in found.items() if problem} == {}


def test_a_wrong_expectation_is_noticed(document: Case) -> None:
    for case in document["cases"]:
        for spoiled in _spoiled(case):
            assert Runner(document).check(spoiled) != "", spoiled


def test_whatever_a_case_lacks_it_ends_with_a_line(document: Case) -> None:
    """Keys left out or null, at every level: a problem perhaps, never the end of the run."""
    random = Random(1)
    for case in document["cases"]:
        mangled = _mangled(random, case)
        mangled["id"] = case["id"]
        outcome = run_case({"": lambda one, all: Runner(all).check(one)}, mangled, document)
        assert "\n" not in outcome.problem


def _mangled(random: Random, value: Any, share: float = 0.15) -> Any:
    match value:
        case dict():
            kept = {key: v for key, v in value.items() if random.random() > share}
            return {
                k: _mangled(random, v) if random.random() > share else None for k, v in kept.items()
            }
        case list():
            return [_mangled(random, v) for v in value if random.random() > share]
    return value


def _spoiled(case: Case) -> Iterator[Case]:
    """The case with another rcode, flags, truncation, and one record more and one fewer."""
    expected = case["expected"]
    yield _with(case, rcode="NOTIMP")
    yield _with(case, kind="weather")
    if expected.get("flags"):
        yield _with(case, flags=expected["flags"].replace("QR", "QR AD"))
        yield _with(case, tc=not expected["tc"])
    answer = expected["answer"]
    if isinstance(answer, dict):
        yield _with(case, answer=answer | {"count": answer["count"] + 1})
    else:
        yield _with(case, answer=[*answer, "nosuch. 5 IN A 192.0.2.1"])
        for line in answer:
            yield _with(case, answer=[other for other in answer if other != line])


def _with(case: Case, **changes: object) -> Case:
    spoiled = deepcopy(case)
    spoiled["expected"] |= changes
    return spoiled


def a_case(label: str, query: str, *objects: Case, **expected: object) -> Case:
    name, kind = query.split()
    return {
        "id": "x",
        "source": "here",
        "server_config": label,
        "objects": list(objects),
        "query": {"name": name, "type": kind, "transport": "udp", "edns_payload": None},
        "expected": {"answer": [], "authority": [], "additional": [], **expected},
    }


SERVICE = {
    "kind": "Service",
    "metadata": {"name": "s", "namespace": "testns"},
    "spec": {"clusterIP": "None"},
}


@pytest.mark.parametrize(
    ("label", "line"),
    [
        ("pods insecure", "pods insecure"),
        ("namespaces testns", "namespaces testns"),
        ("endpoint_pod_names, pods verified", "endpoint_pod_names\npods verified"),
        ("ttl 0 + noendpoints", "ttl 0\nnoendpoints"),
        ("spec", ""),
    ],
)
def test_a_label_tells_the_configuration(label: str, line: str) -> None:
    scene = scene_of(a_case(label, "x. A"), {"fixture": {}})
    assert scene.corefile == f".:53 {{\nkubernetes cluster.local {{\n{line}\n}}\n}}\n"


def test_a_label_tells_zones_and_addresses() -> None:
    scene = scene_of(a_case("zones a.b 0.10.in-addr.arpa, bound IP 10.0.0.1", "x. A"), {})
    assert "kubernetes a.b 0.10.in-addr.arpa" in scene.corefile
    assert scene.own == ("10.0.0.1",)


def test_an_api_that_is_not_synced_may_have_given_something() -> None:
    spec = {"clusterIP": "10.0.0.1", "ports": [{"port": 80}]}
    known = {"kind": "Service", "name": "s", "namespace": "testns", **spec}
    soa = "cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. <serial> "
    soa += "7200 1800 86400 5"
    there = a_case("API not synced", "s.testns.svc.cluster.local. A", known, rcode="NOERROR")
    there["expected"] |= {
        "kind": "ANSWER",
        "answer": ["s.testns.svc.cluster.local. 5 IN A 10.0.0.1"],
    }
    missing = a_case("API not synced", "t.testns.svc.cluster.local. A", rcode="SERVFAIL")
    missing["expected"] |= {"kind": "SERVFAIL", "authority": [soa]}
    assert [Runner({}).check(case) for case in (there, missing)] == ["", ""]


def test_pods_may_be_a_few_words() -> None:
    known = {"kind": "Pod", "namespace": "podns", "podIP": "10.240.0.1"}
    case = a_case("pods verified", "10-240-0-1.podns.pod.cluster.local. A", known, rcode="NOERROR")
    line = "10-240-0-1.podns.pod.cluster.local. 5 IN A 10.240.0.1"
    case["expected"] |= {"kind": "ANSWER", "answer": [line]}
    assert Runner({}).check(case) == ""


def test_a_slice_belongs_to_the_service_before_it_or_to_the_one_it_names() -> None:
    plain = {"kind": "EndpointSlice", "endpoints": [{"addresses": ["10.0.0.1"]}]}
    named = {"kind": "EndpointSlice", "of": "t.other", "addresses": ["10.0.0.2"], "hostname": "h"}
    case = a_case("spec", "a.demo.svc.cluster.local. A", SERVICE, plain, named)
    cluster = scene_of(case, {}).cluster
    found = {(s.namespace, s.service_name) for s in cluster.slices}
    assert found == {("testns", "s"), ("other", "t")}
    assert [n.name for n in cluster.namespaces] == ["demo", "other", "testns"]


A1, A2 = {"addresses": ["10.0.0.1"]}, {"addresses": ["10.0.0.2"], "hostname": "h"}


@pytest.mark.parametrize(
    "fragment",
    [
        {"kind": "EndpointSlice", "endpoints": [A1, A2]},
        {"endpoints": [A1, A2], "ports": None},
        {"endpoints": ["10.0.0.1", A2]},
        {"addresses": [{"ip": "10.0.0.1"}, {"address": "10.0.0.2", "hostname": "h"}]},
        {"of": "s.testns", "endpoints": [A1, {**A2, "conditions": None}], "ports": [{"port": -1}]},
        {"of": "testns/s", "endpoints": [A1, {**A2, "ready": True}], "ports": [80]},
        {"kind": "Endpoints", "name": "s", "subsets": [{"addresses": [{"ip": "10.0.0.1"}, A2]}]},
        {
            "kind": "EndpointSlice",
            "metadata": {"name": "s-slice1", "namespace": "testns", "labels": {"a": "b"}},
            "endpoints": [A1, A2],
            "ports": [{"port": 80, "protocol": "tcp", "name": "http"}],
        },
    ],
)
def test_endpoints_are_written_in_many_ways(fragment: Case) -> None:
    name = "s.testns.svc.cluster.local."
    case = a_case("", f"{name} A", SERVICE, fragment, rcode="NOERROR", kind="ANSWER")
    case["expected"]["answer"] = [f"{name} 5 IN A 10.0.0.{n}" for n in (1, 2)]
    assert Runner({}).check(case) == ""
    case["query"]["name"] = f"h.{name}"
    case["expected"]["answer"] = [f"h.{name} 5 IN A 10.0.0.2"]
    assert Runner({}).check(case) == ""


@pytest.mark.parametrize(
    ("name", "zones"),
    [
        ("s.testns.svc.cluster.local.", "cluster.local"),
        ("s.testns.svc.inter.webs.test.", "inter.webs.test."),
        ("a.b.", "cluster.local"),
        ("1.0.0.10.in-addr.arpa.", "cluster.local in-addr.arpa ip6.arpa"),
        ("svc.svc.svc.cluster.local.", "cluster.local"),
    ],
)
def test_without_a_word_the_name_tells_the_zone(name: str, zones: str) -> None:
    scene = scene_of(a_case("spec", f"{name} A"), {})
    assert f"kubernetes {zones} {{" in scene.corefile


def test_what_is_left_out_is_usual_or_not_compared() -> None:
    case = {"id": "x", "query": {"name": "dns-version.cluster.local.", "type": "TXT"}}
    line = 'dns-version.cluster.local. <ttl> IN TXT "1.1.0"'
    case["expected"] = {"rcode": "NOERROR", "answer": [line]}
    assert Runner({}).check(case) == ""
    for wrong in ({"rcode": "NXDOMAIN"}, {"authority_soa": True}, {"answer": {"count": 2}}):
        assert Runner({}).check({**case, "expected": wrong}) != ""


def test_the_api_of_coredns_tests_has_all_namespaces_but_two() -> None:
    case = a_case("pods insecure", "1-2-3-4.pod-nons.pod.cluster.local. A")
    assert scene_of(case, {}).cluster.namespaces == ()


@pytest.mark.parametrize(
    ("label", "rcode"),
    [("upstream refused rcode", Rcode.REFUSED), ("upstream servfail", Rcode.SERVFAIL)],
)
def test_a_label_tells_how_the_upstream_fails(label: str, rcode: Rcode) -> None:
    reply = upstream_of(label)(Question("example.com.", "A"))
    assert reply is not None
    assert reply.rcode is rcode


def test_the_upstream() -> None:
    assert upstream_of("upstream timeout")(Question("example.com.", "A")) is None
    assert answer(Question("com.", "A")).rcode is Rcode.NOERROR
    assert answer(Question("org.", "A")).rcode is Rcode.NXDOMAIN
    assert answer(Question("x.cluster.local.", "A")).authority[0].name == "cluster.local."


def test_what_was_not_observed_is_not_compared() -> None:
    expected: Case = {"rcode": "NOERROR", "kind": "ANSWER", "flags": None, "tc": None}
    expected |= {"answer": ["a. <ttl> IN A 10.0.0.1"], "authority": [], "additional": []}
    asked = Asked(Question("a.", "A"))
    record = Record("a.", 77, "A", "10.0.0.1")
    assert compare(expected, Reply(Rcode.NOERROR, (record,), recursive=True), asked) == ""
    assert compare(expected, Reply(Rcode.NOERROR), asked) != ""


def test_a_case_is_a_query() -> None:
    case = a_case("spec", "a. A")
    case["query"] |= {"transport": "tcp", "edns_payload": 1232, "client_ip": "10.0.0.3"}
    asked = asked_of(case)
    assert (asked.transport, asked.payload, asked.client) == ("tcp", 1232, "10.0.0.3")
