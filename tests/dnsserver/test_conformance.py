"""The shared cases against the running server, each client with the address of its case."""

from tests.conformance.dns_sockets import outcomes
from tests.shared_files import shared


def test_every_shared_dns_case_passes_over_sockets() -> None:
    assert {o.case: o.problem for o in outcomes(shared("cases/dns.json")) if o.problem} == {}
