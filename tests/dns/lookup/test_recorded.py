"""The shared recordings, and a runner that notices what is wrong with one."""

import json
from typing import Any

import pytest

from kubehop.dns.lookup.resolvers import RESOLVERS
from tests.conformance import resolver, resolvers
from tests.conformance.__main__ import load, run
from tests.shared_files import shared


def recordings() -> dict[str, Any]:
    return load(shared("cases/resolver.jsonl"))


def test_every_recorded_lookup_is_predicted() -> None:
    outcomes = run("resolver", shared("cases/resolver.jsonl"))
    assert {o.case: o.problem for o in outcomes if o.problem} == {}
    assert len(outcomes) > 1000


ELSEWHERE = (
    "glibc-getaddrinfo-AF_INET",
    "musl-getaddrinfo-1.2.2",
    "nslookup-bind9",
    "go-pure-ip4",
    "c-ares-1.18",
    "node-20-resolve4",
    "dnspython-resolve",
    "busybox-nslookup-1.36.1-musl-type-a",
)
"""Resolvers that the reference tells of and the shared file leaves out."""


def test_every_recorded_resolver_has_a_machine_and_every_machine_a_recording() -> None:
    recorded = {case["resolver"] for case in recordings()["cases"]} | set(ELSEWHERE)
    found = {name: resolvers.resolver_named(name) for name in recorded}
    assert None not in found.values()
    assert {machine.name for machine in found.values() if machine} == set(RESOLVERS)


def test_an_unknown_resolver_fails_and_says_so() -> None:
    document = recordings()
    case = {**document["cases"][0], "resolver": "windows"}
    assert resolver.lookup(case, document) == "unsupported resolver windows"


def _fewer(case: dict[str, Any]) -> dict[str, Any]:
    return {**case, "queries": case["queries"][:-1]}


def _more(case: dict[str, Any]) -> dict[str, Any]:
    return {**case, "queries": [*case["queries"], case["queries"][0]]}


def _elsewhere(case: dict[str, Any]) -> dict[str, Any]:
    last = {**case["queries"][-1], "server": "127.0.0.77"}
    return {**case, "queries": [*case["queries"][:-1], last]}


def _slower(case: dict[str, Any]) -> dict[str, Any]:
    stdout = case["stdout"].replace("0.0", "5.0", 1)
    return {**case, "elapsed_s": case["elapsed_s"] + 5, "stdout": stdout}


def _other_outcome(case: dict[str, Any]) -> dict[str, Any]:
    return {**case, "stdout": "0.0s ERR -3 Temporary failure\n", "exit": 2}


@pytest.mark.parametrize("spoil", [_fewer, _more, _elsewhere, _slower, _other_outcome])
def test_a_recording_that_says_something_else_is_noticed(spoil: Any) -> None:
    document = recordings()
    wanted = ("glibc-getaddrinfo", "musl-getaddrinfo-1.2.5")
    cases = [
        case
        for case in document["cases"]
        if case["resolver"] in wanted and case["queries"] and case["scenario"] == "nxdomain"
    ]
    assert len(cases) > 10
    for case in cases:
        spoilt = json.loads(json.dumps(spoil(case)))
        assert resolver.lookup(spoilt, document) != "", case["id"]
