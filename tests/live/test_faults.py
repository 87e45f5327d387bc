import socket
from dataclasses import replace

import pytest

from kubehop.live.fetch import fetch
from kubehop.model.errors import ClusterError, InputError
from kubehop.model.pod import Pod
from tests.live import recorded
from tests.live.api_server import (
    Cluster,
    Fault,
    answer,
    cut_body,
    drop,
    drop_in_body,
    hang,
    status,
)
from tests.live.conftest import FAST, Write

HTML = answer(b"<html>please log in</html>", "text/html; charset=utf-8")
GARBAGE = answer(b'{"items": nonsense')
BRIEF = replace(FAST, connect_seconds=1000, read_seconds=0.1, attempts=2)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(drop, id="dropped without an answer"),
        pytest.param(drop_in_body, id="dropped in the middle of the body"),
        pytest.param(cut_body, id="body cut, length unknown"),
        pytest.param(GARBAGE, id="no JSON"),
        pytest.param(status(500), id="500"),
        pytest.param(status(503), id="503"),
        pytest.param(answer(b"<html>", "text/html", 502), id="502 of a load balancer"),
        pytest.param(status(429), id="429 without Retry-After"),
    ],
)
def test_what_may_pass_is_asked_again(cluster: Cluster, write: Write, fault: Fault) -> None:
    cluster.next_faults[recorded.PODS].extend([fault, fault])
    write(cluster)
    found = fetch(limits=FAST)
    assert len(found.of(Pod)) == len(cluster.lists[recorded.PODS])
    assert "Pod" in found.complete
    assert len(cluster.asked(recorded.PODS)) == 3


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (drop, "Remote end closed connection without response"),
        (drop_in_body, "IncompleteRead"),
        (cut_body, "cannot be read"),
        (GARBAGE, "cannot be read"),
        (answer(b'{"kind": "Status", "status": "Success"}'), 'kind is "Status", not a list'),
        (status(500, "etcd is away"), "answered 500 Internal Server Error: etcd is away"),
        (status(429), "answered 429 Too Many Requests"),
    ],
)
def test_what_does_not_pass_is_one_line(
    cluster: Cluster, write: Write, fault: Fault, words: str
) -> None:
    cluster.faults[recorded.PODS] = fault
    write(cluster)
    with pytest.raises(ClusterError) as caught:
        fetch(limits=FAST)
    assert f"{cluster.url}: GET {recorded.PODS}: " in str(caught.value)
    assert words in str(caught.value)
    assert len(cluster.asked(recorded.PODS)) == FAST.attempts


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (HTML, "answered 200 with text/html, so this is not the Kubernetes API"),
        (answer(b"no", "text/plain", 403), "answered 403 with text/plain"),
        (answer(b"", "", 302), "answered 302 with no content type"),
        (status(400, "unknown field"), "answered 400 Bad Request: unknown field"),
    ],
)
def test_what_will_not_pass_is_not_asked_again(
    cluster: Cluster, write: Write, fault: Fault, words: str
) -> None:
    cluster.faults[recorded.PODS] = fault
    write(cluster)
    with pytest.raises(ClusterError) as caught:
        fetch(limits=FAST)
    assert words in str(caught.value)
    assert len(cluster.asked(recorded.PODS)) == 1


def test_a_redirect_is_not_followed_with_credentials(cluster: Cluster, write: Write) -> None:
    cluster.faults[recorded.PODS] = status(307, Location=f"{cluster.url}/elsewhere")
    write(cluster, {"token": "secret"})
    with pytest.raises(ClusterError, match="answered 307"):
        fetch(limits=FAST)
    assert not cluster.asked("/elsewhere")


def test_retry_after_is_waited_for_instead_of_the_backoff(cluster: Cluster, write: Write) -> None:
    cluster.next_faults[recorded.PODS].append(status(429, Retry_After="0"))
    write(cluster)
    own_wait_would_give_up = replace(FAST, backoff_seconds=1000)
    assert fetch(limits=own_wait_would_give_up).of(Pod)


def test_a_long_retry_after_is_not_waited_for(cluster: Cluster, write: Write) -> None:
    cluster.faults[recorded.PODS] = status(429, Retry_After="3600")
    write(cluster)
    with pytest.raises(ClusterError, match="it asks to wait 3600 s"):
        fetch(limits=FAST)
    assert len(cluster.asked(recorded.PODS)) == 1


def test_a_silent_server_is_left(cluster: Cluster, write: Write) -> None:
    cluster.faults[recorded.PODS] = hang
    write(cluster)
    with pytest.raises(ClusterError, match="timed out"):
        fetch(limits=BRIEF)


def test_nobody_listens(write: Write) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    write(url)
    with pytest.raises(ClusterError, match=rf"{url}: GET .*: .*Connection refused"):
        fetch(limits=FAST)


def test_an_object_that_breaks_the_schema_is_bad_input(cluster: Cluster, write: Write) -> None:
    cluster.lists[recorded.PODS][0]["spec"]["nodeName"] = 7
    write(cluster)
    with pytest.raises(InputError, match=recorded.PODS):
        fetch(limits=FAST)
    assert len(cluster.asked(recorded.PODS)) == 1


@pytest.mark.parametrize("error", [BrokenPipeError, KeyboardInterrupt])
def test_an_interrupted_fetch_waits_for_nobody(
    cluster: Cluster, write: Write, error: type[BaseException]
) -> None:
    def interrupted(plural: str, objects: int) -> None:
        raise error

    cluster.faults[recorded.PODS] = hang
    write(cluster)
    with pytest.raises(error):
        fetch(limits=replace(FAST, read_seconds=1000), progress=interrupted)
    assert not cluster.close.is_set(), "hang() ended first, so the fetch waited for it"
