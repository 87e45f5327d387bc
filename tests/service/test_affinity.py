"""sessionAffinity ClientIP (reference: kube-proxy, section 4)."""

from kubehop.model.service import Service
from kubehop.service.affinity import AffinityTable
from tests.clusters import service

A, B, C = "10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"
EMPTY = AffinityTable(100)


def test_an_unknown_client_may_get_any() -> None:
    assert EMPTY.candidates("x", (A, B), 0) == (A, B)
    assert EMPTY.connected("x", A, 0).candidates("y", (A, B), 1) == (A, B)


def test_a_known_client_gets_its_endpoint_until_the_timeout_after_its_last_connection() -> None:
    table = EMPTY.connected("x", B, 0)
    assert table.candidates("x", (A, B), 100) == (B,)
    assert table.candidates("x", (A, B), 101) == (A, B)
    later = table.connected("x", B, 90)
    assert later.candidates("x", (A, B), 190) == (B,)


def test_traffic_without_a_new_connection_restarts_nothing() -> None:
    table = EMPTY.connected("x", B, 0)
    assert table.candidates("x", (A, B), 99) == (B,)
    assert table.candidates("x", (A, B), 150) == (A, B)


def test_an_endpoint_outside_of_the_set_is_no_candidate() -> None:
    table = EMPTY.connected("x", B, 0)
    assert table.candidates("x", (A, C), 1) == (A, C)
    assert table.candidates("x", (), 1) == ()


def test_of_several_the_first_in_list_order_wins() -> None:
    table = EMPTY.connected("x", B, 0).connected("x", A, 1)
    assert table.candidates("x", (A, B), 2) == (A,)
    assert table.candidates("x", (B, A), 2) == (B,)


def test_a_table_is_a_value() -> None:
    EMPTY.connected("x", A, 0)
    assert EMPTY.seen == {}


def seconds(**spec: object) -> int | None:
    subject: Service = service(**spec)  # type: ignore[arg-type]
    return subject.affinity_seconds


def test_the_timeout_is_three_hours_by_default() -> None:
    assert seconds() is None
    assert seconds(sessionAffinity="None") is None
    assert seconds(sessionAffinity="ClientIP") == 10800
    config = {"clientIP": {"timeoutSeconds": 5}}
    assert seconds(sessionAffinity="ClientIP", sessionAffinityConfig=config) == 5
    assert seconds(sessionAffinityConfig=config) is None
