"""Case files: the shared one, and more of the same schema that rules of the reference give."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import proxy
from tests.conformance.__main__ import main, run
from tests.shared_files import shared

UNSUPPORTED = {"netpol", "conntrack"}
MORE = Path(__file__).parent / "data" / "proxy-more.json"


def test_every_shared_proxy_case_passes_or_is_of_a_kind_that_is_not_supported() -> None:
    outcomes = run("proxy", shared("cases/proxy.json"))
    wrong = {o.case: o.problem for o in outcomes if o.problem and o.kind not in UNSUPPORTED}
    assert wrong == {}
    refused = {o.problem for o in outcomes if o.kind in UNSUPPORTED}
    assert refused == {f"unsupported kind {kind}" for kind in UNSUPPORTED}


def test_every_further_proxy_case_passes() -> None:
    assert {o.case: o.problem for o in run("proxy", MORE) if o.problem} == {}


def test_there_are_further_cases_of_every_supported_kind() -> None:
    assert {o.kind for o in run("proxy", MORE)} == set(proxy.SUITE)


def test_ids_are_unique() -> None:
    ids = [case["id"] for file in (MORE, shared("cases/proxy.json")) for case in _cases(file)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("case", json.loads(MORE.read_text())["cases"], ids=lambda case: case["id"])
def test_a_wrong_expectation_is_noticed(case: dict[str, Any]) -> None:
    """A runner that agrees with everything would pass every case."""
    document = {**json.loads(MORE.read_text()), "cases": [_spoiled(case)]}
    check = proxy.SUITE[case["kind"]]
    assert check(_spoiled(case), document) != ""


def test_the_last_line_counts_and_the_exit_code_tells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["proxy", str(MORE)]) == 0
    assert capsys.readouterr().out == f"{len(_cases(MORE))} passed, 0 failed\n"
    document = json.loads(MORE.read_text())
    broken = [{"id": "x", "kind": "weather"}, {"id": "y", "kind": "flow"}, *document["cases"][:3]]
    file = tmp_path / "some.json"
    file.write_text(json.dumps({**document, "cases": broken}))
    assert main(["proxy", str(file)]) == 1
    *lines, last = capsys.readouterr().out.splitlines()
    assert last == "3 passed, 2 failed"
    assert lines[0] == "FAIL x: unsupported kind weather"
    assert lines[1].startswith("FAIL y: ")


def test_wrong_arguments_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert main(["weather", str(MORE)]) == 2
    assert "usage: " in capsys.readouterr().err


def _cases(file: Path) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads(file.read_text())["cases"]
    return cases


def _spoiled(case: dict[str, Any]) -> dict[str, Any]:
    """The case with another expectation."""
    expect = json.loads(json.dumps(case["expect"]))
    match case["kind"]:
        case "categorize":
            expect["has_any_endpoints"] = not expect["has_any_endpoints"]
        case "flow":
            flow = expect["flows"][-1]
            flow["verdict"] = "drop" if flow["verdict"] != "drop" else "reject"
        case "slices":
            name = next(iter(expect["endpoints_by_port"]))
            expect["endpoints_by_port"][name].append("192.0.2.1:1")
        case "frontends":
            expect["frontends"].append("IPv4 192.0.2.1:1/TCP lb")
        case "health":
            health = expect["healthCheckNodePort"]
            expect["healthCheckNodePort"] = None if health else {"status": 200, "localEndpoints": 1}
        case "controller":
            expect["endpoint"] = None if expect["endpoint"] else {"ready": True}
        case "hints":
            expect["hints"] = [{"forZones": ["elsewhere"], "forNodes": []}]
        case "affinity":
            expect["steps"][-1]["picked"] = "192.0.2.1:1"
    return {**case, "expect": expect}
