"""One list of sandboxes from several sources."""

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kubehop.sandbox.merge import grouped, merged
from kubehop.sandbox.values import Container, Sandbox, Unknown

S, T, A, B = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)
CRI = Sandbox(
    id=S, namespace="shop", name="web", uid="u", attempt=1, ready=True, created=5, pid=100,
    netns_path="/run/netns/x", host_network=False, addresses=("10.0.0.1",), handler="runc",
    runtime="containerd 1.6", containers=(Container(A, "app", running=True),), source="CRI",
)  # fmt: skip
PROC = Sandbox(
    id=S, uid="u", ready=True, created=6, pid=100, inode=7, runtime="containerd",
    addresses=("10.0.0.1", "10.1.0.1"), containers=(Container(A, pid=101), Container(B, pid=102)),
    source="/proc", unknown=(Unknown("name", "no log file has it", "the socket"),),
)  # fmt: skip


def _one(
    *answers: Iterable[Sandbox], mine: Callable[[int, str], bool] = lambda *_: True
) -> Sandbox:
    (group,) = grouped([tuple(answer) for answer in answers])
    return merged(group, mine)


def test_the_first_who_knows_wins_and_others_fill() -> None:
    found = _one([CRI], [PROC])
    assert found == replace(
        CRI,
        inode=7,
        containers=(Container(A, "app", 101, True), Container(B, pid=102)),
        source="CRI, /proc",
    )


def test_the_other_way_round() -> None:
    found = _one([PROC], [CRI])
    assert (found.name, found.attempt, found.created) == ("web", 1, 6)
    assert found.addresses == ("10.0.0.1", "10.1.0.1")
    assert found.source == "/proc, CRI"
    assert found.unknown == ()


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (Sandbox(id=S), Sandbox(id=S), True),
        (Sandbox(id=S), Sandbox(id=T), False),
        (Sandbox(id=S, uid="u"), Sandbox(id=T, uid="u"), False),
        (Sandbox(id=S, uid="u", ready=True), Sandbox(uid="u"), True),
        (Sandbox(id=S, uid="u", ready=True, attempt=3), Sandbox(uid="u"), True),
        (Sandbox(id=S, uid="u", ready=False, attempt=3), Sandbox(uid="u"), False),
        (Sandbox(id=S, uid="u", ready=True), Sandbox(uid="v"), False),
        (Sandbox(id=S), Sandbox(), False),
        (Sandbox(), Sandbox(), False),
        (
            Sandbox(id=S, uid="u", containers=(Container(A),)),
            Sandbox(containers=(Container(A),)),
            True,
        ),
        (
            Sandbox(id=S, containers=(Container("", "app"),)),
            Sandbox(containers=(Container("", "app"),)),
            False,
        ),
    ],
)
def test_which_are_the_same(first: Sandbox, second: Sandbox, same: bool) -> None:
    assert len(grouped([(first,), (second,)])) == (1 if same else 2)


def test_the_ready_sandbox_of_a_pod_gets_what_has_no_id() -> None:
    """CRI-O: /proc sees containers and the pod's uid, and there is no pause process."""
    old = Sandbox(id=S, uid="u", ready=False, containers=(Container(A, running=False),))
    new = Sandbox(id=T, uid="u", ready=True, attempt=1)
    seen = Sandbox(uid="u", inode=7, containers=(Container(B, pid=5),))
    found = [merged(group, lambda *_: True) for group in grouped([(old, new), (seen,)])]
    assert [(each.id, each.inode) for each in found] == [(S, None), (T, 7)]


def test_sandboxes_of_one_source_are_never_one() -> None:
    two = (Sandbox(uid="u", ready=True), Sandbox(uid="u", ready=True))
    assert len(grouped([two])) == 2


def test_a_pid_that_is_another_container_s() -> None:
    """In another PID namespace, or after the process has ended, it is anybody's."""
    other = replace(CRI, pid=9)
    found = _one([other], mine=lambda pid, id: False)
    assert found.pid is None
    (unknown,) = found.unknown
    assert (unknown.what, "says 9" in unknown.why, bool(unknown.needs)) == ("pid", True, True)
    found = _one([other], [PROC], mine=lambda pid, id: (pid, id) in {(100, S), (101, A)})
    assert (found.pid, found.unknown) == (100, ())
    assert [each.pid for each in found.containers] == [101, None]


def test_what_another_source_answers_is_not_unknown() -> None:
    details = Unknown("details", "it went")
    stays = Unknown("network inside", "gVisor")
    first = replace(CRI, pid=None, addresses=(), unknown=(details, stays, stays))
    assert _one([first], [PROC]).unknown == (stays,)
    assert _one([first]).unknown == (details, stays)


def test_the_node_s_addresses_are_not_the_pod_s() -> None:
    host = replace(CRI, host_network=True, addresses=())
    found = _one([host], [PROC])
    assert (found.host_network, found.addresses) == (True, ())


def test_false_is_an_answer() -> None:
    found = _one(
        [Sandbox(id=S, ready=False, host_network=False)], [replace(PROC, host_network=True)]
    )
    assert (found.ready, found.host_network) == (False, False)


_ids = st.sampled_from(["", S, T])
_sandboxes = st.builds(
    Sandbox,
    id=_ids,
    uid=st.sampled_from(["", "u", "v"]),
    ready=st.sampled_from([True, False, None]),
    attempt=st.integers(0, 2),
    pid=st.none() | st.integers(1, 3),
    containers=st.lists(st.builds(Container, id=st.sampled_from(["", A, B])), max_size=2).map(
        tuple
    ),
)


@given(st.lists(st.lists(_sandboxes, max_size=4), max_size=4))
def test_nothing_is_lost_or_doubled(answers: list[list[Sandbox]]) -> None:
    groups = grouped(answers)
    parts = sorted((part.source, id(part.sandbox)) for group in groups for part in group)
    assert parts == sorted((at, id(one)) for at, answer in enumerate(answers) for one in answer)
    by_id = [next((p.sandbox.id for p in group if p.sandbox.id), "") for group in groups]
    named = [id for id in by_id if id]
    assert len(named) == len(set(named))
    for group in groups:
        assert merged(group, lambda *_: False).pid is None
