"""The flow cases of `proxy.json` with packets: facts from Kubernetes' own tests."""

from kubehop.lab.kernel import Base
from tests.conformance.__main__ import load
from tests.conformance.outcome import Case
from tests.lab.differential.flows import run_case, scene
from tests.lab.inside import in_lab
from tests.shared_files import shared

PROXY = shared("cases/proxy.json")


@in_lab
def test_flow_cases_hold_for_packets(base: Base) -> None:
    """Every case in every mode that it names; only SCTP and what has no port is not sent."""
    document = load(PROXY)
    cases: list[Case] = [case for case in document["cases"] if case["kind"] == "flow"]
    wrong, skipped = [], []
    for case in cases:
        for mode in case["modes"]:
            problems, unsent = run_case(base, scene(case, document, mode))
            wrong += problems
            skipped += unsent
    assert not wrong, "\n".join(wrong)
    flows = sum(len(case["modes"]) * len(case["expect"]["flows"]) for case in cases)
    assert len(skipped) * 10 < flows, skipped
