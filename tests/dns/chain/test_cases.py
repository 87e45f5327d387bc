"""The shared cases, each also with a wrong expectation, and how odd cases are read."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from kubehop.dns.chain import Asked
from kubehop.dns.message import Question, Rcode, Record, Reply
from tests.conformance.dns import Runner, asked_of, compare
from tests.conformance.dns_scene import scene_of
from tests.conformance.dns_upstream import answer, upstream_of
from tests.shared_files import shared

Case = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Case:
    loaded: Case = json.loads(shared("cases/dns.json").read_text())
    return loaded


def test_every_shared_case_passes(document: Case) -> None:
    runner = Runner(document)
    found = {case["id"]: runner.check(case) for case in document["cases"]}
    assert {name: problem for name, problem in found.items() if problem} == {}


def test_a_wrong_expectation_is_noticed(document: Case) -> None:
    for case in document["cases"]:
        for spoiled in _spoiled(case):
            assert Runner(document).check(spoiled) != "", spoiled


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
