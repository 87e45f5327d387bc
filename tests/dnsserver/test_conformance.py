"""Cases against the running server, each client with the address of its case."""

from pathlib import Path

import pytest

from tests.conformance.dns_sockets import outcomes
from tests.shared_files import shared

MORE = Path(__file__).parents[1] / "data" / "dns-more.json"


@pytest.mark.parametrize("which", ["shared", "more"])
def test_every_dns_case_passes_over_sockets(which: str) -> None:
    file = MORE if which == "more" else shared("cases/dns.json")
    assert {o.case: o.problem for o in outcomes(file) if o.problem} == {}
