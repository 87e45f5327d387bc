"""Which server is tried when, as a transcript; no sockets."""

from collections import Counter

import pytest

from kubehop.dns.chain.values import SelectionPolicy, Upstream
from kubehop.dns.message import Question, Rcode, Reply
from kubehop.dnsserver.forward import Known, trying

ANSWER = Reply(Rcode.NOERROR)
REFUSED = Reply(Rcode.REFUSED)
A, B, C = "10.0.0.1:53", "10.0.0.2:53", "10.0.0.3:53"


def wish(*servers: str, policy: SelectionPolicy = "sequential", **more: object) -> Upstream:
    return Upstream(
        Question("example.com.", "A"),
        servers,
        policy,
        **more,  # type: ignore[arg-type]
    )


def tried(
    subject: Upstream, says: dict[str, Reply], known: Known | None = None
) -> tuple[list[str], Reply | None, float]:
    """The servers that are tried, what comes of it, and when; a silent one takes `read`."""
    clock = 0.0
    seen: list[str] = []
    tries = trying(subject, known or Known(), lambda: clock)
    reply = None
    while True:
        try:
            server = tries.send(reply)
        except StopIteration as end:
            return seen, end.value, clock
        seen.append(server)
        reply = says.get(server)
        clock += 0 if reply else subject.read


def test_the_first_that_answers() -> None:
    assert tried(wish(A, B), {A: ANSWER, B: ANSWER}) == ([A], ANSWER, 0)
    assert tried(wish(A, B), {B: ANSWER}) == ([A, B], ANSWER, 2)


def test_a_dead_server_is_tried_for_six_seconds() -> None:
    # Observed on CoreDNS 1.13.2: 6 s, and 4 s once it is known to be down half way.
    assert tried(wish(A), {}) == ([A, A, A], None, 6)
    assert tried(wish(A, B), {}) == ([A, B, A], None, 6)


def test_attempts_end_it_earlier() -> None:
    assert tried(wish(A, attempts=1), {}) == ([A], None, 2)


def test_servers_that_are_down_are_passed_over() -> None:
    known = Known()
    known[A].fails = 3
    assert tried(wish(A, B), {A: ANSWER, B: ANSWER}, known)[0] == [B]
    known[A].fails = 2  # not more than max_fails
    assert tried(wish(A, B), {A: ANSWER, B: ANSWER}, known)[0] == [A]
    known[A].fails = 100
    assert tried(wish(A, B, max_fails=0), {A: ANSWER}, known)[0] == [A]


def test_if_all_are_down_one_is_tried_all_the_same() -> None:
    known = Known()
    known[A].fails = known[B].fails = 3
    (server,), reply, seconds = tried(wish(A, B), {}, known)
    assert server in (A, B)
    assert (reply, seconds) == (None, 2)


def test_failover_goes_on_and_keeps_nothing() -> None:
    refused = wish(A, B, failover=frozenset({Rcode.REFUSED}))
    assert tried(refused, {A: REFUSED, B: ANSWER}) == ([A, B], ANSWER, 0)
    assert tried(refused, {A: REFUSED, B: REFUSED}) == ([A, B], None, 0)
    known = Known()
    known[A].fails = known[B].fails = 3
    assert tried(refused, {A: REFUSED, B: REFUSED}, known)[1] == REFUSED, "all are down"
    assert tried(wish(A, B), {A: REFUSED, B: ANSWER})[1] == REFUSED


@pytest.mark.parametrize("policy", ["random", "round_robin"])
def test_policies_spread(policy: SelectionPolicy) -> None:
    known = Known()
    says = {A: ANSWER, B: ANSWER, C: ANSWER}
    first = Counter(tried(wish(A, B, C, policy=policy), says, known)[0][0] for _ in range(300))
    assert set(first) == {A, B, C}
    assert min(first.values()) > 50
    assert policy == "random" or set(first.values()) == {100}
