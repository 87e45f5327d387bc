"""Jobs against the server: what they print, each way a node fails, and that all are removed."""

import json
from collections.abc import Callable, Iterable

import pytest

from kubehop.model.errors import ClusterError, UsageError
from kubehop.remote import nodes
from kubehop.remote.collect import CollectLimits, Failure, Run
from kubehop.remote.manifest import Settings
from kubehop.remote.requests import Remote
from kubehop.remote.rights import MissingRightsError
from kubehop.remote.stream import Line, checked
from tests.live.api_server import drop, status
from tests.remote import api

SETTINGS = Settings(run="0a1b2c3d", namespace="kubehop-collect", seconds=30)
JOBS = "/apis/batch/v1/namespaces/kubehop-collect/jobs"


def log(node: str, pods: int = 2) -> str:
    lines = [{"kind": "PodNetwork", "node": node, "number": at} for at in range(pods)]
    end = {"kind": "NodeCollected", "node": node, "pods": pods}
    return "".join(json.dumps(each) + "\n" for each in (*lines, end))


def good(node: str) -> Callable[[], api.Log]:
    return lambda: ("Succeeded", log(node))


def collected(
    remote: Remote, names: Iterable[str], clock: Callable[[], float] = lambda: 0
) -> tuple[list[Line | Failure], tuple[str, ...]]:
    run = Run(remote, SETTINGS, limits=CollectLimits(), clock=clock)
    try:
        found = list(run.lines(tuple(names), lambda done, all: None))
    finally:
        left = run.remove()
    return found, left


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def test_all_nodes_print_and_all_jobs_go(cluster: api.Remote, remote: Remote) -> None:
    cluster.nodes = {name: good(name) for name in ("a", "b", "c.example")}
    found, left = collected(remote, cluster.nodes)
    assert [json.loads(each.text)["node"] for each in found if isinstance(each, Line)] == [
        name for name in ("a", "b", "c.example") for _ in range(3)
    ]
    assert not [each for each in found if isinstance(each, Failure)]
    assert (cluster.jobs, cluster.pods, left) == ({}, {}, ())
    assert len(cluster.deleted) == 3
    deletes = [each for each in cluster.requests if each.method == "DELETE"]
    assert {each.query["propagationPolicy"] for each in deletes} == {"Background"}


@pytest.mark.parametrize(
    ("phase", "text", "why"),
    [
        ("Failed", log("a"), "exit code 1"),
        ("Failed", "", "exit code 1"),
        ("Succeeded", "", "the log ends too early"),
        ("Succeeded", log("a").partition("\n")[2], "1 of 2 pods are in the log"),
        ("Succeeded", "Traceback\n" + log("a"), "no line of a collector: Traceback"),
        ("Succeeded", '"\x1b[31m\n', "no line of a collector"),
        ("Succeeded", log("b"), "speaks of node b"),
        ("Pending", "ImagePullBackOff", "ImagePullBackOff: no such image"),
        ("Pending", "ErrImageNeverPull", "ErrImageNeverPull"),
    ],
)
def test_a_node_that_fails_does_not_take_the_others_along(
    cluster: api.Remote, remote: Remote, phase: str, text: str, why: str
) -> None:
    cluster.nodes = {"a": lambda: (phase, text), "z": good("z")}
    found, left = collected(remote, cluster.nodes)
    (failure,) = [each for each in found if isinstance(each, Failure)]
    assert failure.node == "a"
    assert why in failure.why
    assert len([each for each in found if isinstance(each, Line) and '"z"' in each.text]) == 3
    assert (cluster.jobs, left) == ({}, ())


@pytest.mark.parametrize(
    ("phase", "why"),
    [("None", "no pod was made for the Job"), ("Running", "not finished after")],
)
def test_nobody_waits_for_ever(cluster: api.Remote, remote: Remote, phase: str, why: str) -> None:
    cluster.nodes = {"a": lambda: (phase, "")}
    found, _ = collected(remote, ["a"], Clock())
    assert [each.why.startswith(why) for each in found if isinstance(each, Failure)] == [True]
    assert cluster.jobs == {}


def test_a_job_that_its_deadline_ended(cluster: api.Remote, remote: Remote) -> None:
    def ended() -> api.Log:
        (job,) = cluster.jobs.values()
        job["status"] = {
            "conditions": [
                {"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": "m"}
            ]
        }
        return "None", ""

    cluster.nodes = {"a": ended}
    found, _ = collected(remote, ["a"])
    assert found == [Failure("a", "DeadlineExceeded: m")]


def test_a_job_whose_creation_got_no_answer_is_removed(cluster: api.Remote, remote: Remote) -> None:
    """Obeyed and hung up, every time: whether there is a Job nobody told."""
    cluster.nodes = {"a": good("a")}

    def obey_and_hang_up(handler: api.ApiHandler) -> None:
        if handler.command != "POST":
            handler.serve()
            return
        cluster.jobs[f"kubehop-collect/{handler.body['metadata']['name']}"] = handler.body
        drop(handler)

    cluster.faults[JOBS] = obey_and_hang_up  # type: ignore[assignment]
    with pytest.raises(ClusterError, match="POST"):
        collected(remote, ["a"])
    assert cluster.jobs == {}


def test_a_lost_answer_is_asked_for_again(cluster: api.Remote, remote: Remote) -> None:
    cluster.nodes = {"a": good("a")}

    def obey_and_hang_up(handler: api.ApiHandler) -> None:
        path = f"kubehop-collect/{handler.body['metadata']['name']}"
        cluster.jobs[path] = handler.body
        api._kubelets_job(cluster, "kubehop-collect", handler.body)
        drop(handler)

    cluster.next_faults[JOBS].append(obey_and_hang_up)  # type: ignore[arg-type]
    found, _ = collected(remote, ["a"])
    assert len([each for each in found if isinstance(each, Line)]) == 3


def test_what_cannot_be_removed_is_named(cluster: api.Remote, remote: Remote) -> None:
    cluster.nodes = {"a": good("a")}
    cluster.rights = {
        (verb, resource, "kubehop-collect")
        for verb, resource in (
            ("create", "jobs.batch"),
            ("list", "jobs.batch"),
            ("list", "pods"),
            ("get", "pods/log"),
        )
    }
    found, left = collected(remote, ["a"])
    assert len(found) == 3
    assert left == tuple(each.partition("/")[2] for each in cluster.jobs)
    assert len(left) == 1


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (404, "namespaces not found", ClusterError),
        (403, 'jobs.batch is forbidden: User "jane" cannot create', MissingRightsError),
    ],
)
def test_where_no_job_can_be_made_at_all(
    cluster: api.Remote, remote: Remote, code: int, message: str, kind: type[Exception]
) -> None:
    cluster.nodes = {"a": good("a")}
    cluster.next_faults[JOBS].append(status(code, message))
    with pytest.raises(kind):
        collected(remote, ["a"])


def test_an_admission_rule_refuses_one_node(cluster: api.Remote, remote: Remote) -> None:
    cluster.nodes = {"a": good("a"), "b": good("b")}
    cluster.next_faults[JOBS].append(status(403, "jobs is forbidden: exceeded quota"))
    found, _ = collected(remote, ["a", "b"])
    assert found[0] == Failure("a", "the Job is refused: jobs is forbidden: exceeded quota")
    assert len(found) == 4


def test_nodes_are_checked(cluster: api.Remote, remote: Remote) -> None:
    cluster.nodes = {"a": good("a"), "b": good("b")}
    assert nodes.named(remote, ("b", "a", "b")) == ("b", "a")
    assert nodes.selected(remote, "") == ("a", "b")
    with pytest.raises(UsageError, match="no node c in"):
        nodes.named(remote, ("a", "c"))
    cluster.nodes = {}
    with pytest.raises(UsageError, match="there is no node"):
        nodes.selected(remote, "")


def test_more_nodes_than_a_page(cluster: api.Remote, remote: Remote) -> None:
    cluster.nodes = {f"n{at:04}": good("n") for at in range(1203)}
    assert nodes.selected(remote, "") == tuple(cluster.nodes)
    assert len(cluster.asked("/api/v1/nodes")) == 3


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_lines_however_the_log_is_cut(size: int) -> None:
    text = log("ä", 5).encode()
    chunks = [text[at : at + size] for at in range(0, len(text), size)]
    assert len(list(checked(chunks, "ä"))) == 6


def test_a_line_without_end() -> None:
    with pytest.raises(ClusterError, match="a line of more than 8 MiB"):
        list(checked([b"x" * (1 << 20)] * 10, "a"))
