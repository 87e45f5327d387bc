import pytest

from kubehop.live.api import Refused
from kubehop.model.errors import ClusterError
from kubehop.remote.requests import Remote, core, path
from tests.live.api_server import answer, cut_body, drop, status
from tests.remote import api

JOBS = "/apis/batch/v1/namespaces/shop/jobs"


def test_names_cannot_lead_elsewhere() -> None:
    assert core("a/../b", "pods", "x?y=1") == "/api/v1/namespaces/a%2F..%2Fb/pods/x%3Fy%3D1"
    assert path("api", labelSelector="a=b,c") == "/api?labelSelector=a%3Db%2Cc"


@pytest.mark.parametrize("fault", [status(503), status(429, Retry_After="0"), drop])
def test_what_may_pass_is_asked_again(cluster: api.Remote, remote: Remote, fault: object) -> None:
    cluster.next_faults[f"{JOBS}/x"].extend([fault, fault])  # type: ignore[list-item]
    assert remote.send("DELETE", f"{JOBS}/x") == Refused(404, "not found")
    assert len(cluster.asked(f"{JOBS}/x")) == 3


def test_and_not_for_ever(cluster: api.Remote, remote: Remote) -> None:
    cluster.faults["*"] = status(503, "busy")
    with pytest.raises(ClusterError, match=r"DELETE /apis/batch.*503.*busy"):
        remote.send("DELETE", f"{JOBS}/x")
    assert len(cluster.requests) == 4


@pytest.mark.parametrize("code", [400, 403, 404, 409, 410, 422])
def test_refusals_are_answers(cluster: api.Remote, remote: Remote, code: int) -> None:
    cluster.faults["*"] = status(code)
    assert remote.send("POST", JOBS, {}) == Refused(code, "as told")


def test_a_login_page_is_no_api(cluster: api.Remote, remote: Remote) -> None:
    cluster.faults["*"] = answer(b"<html>", "text/html")
    with pytest.raises(ClusterError, match="not the Kubernetes API"):
        remote.send("POST", JOBS, {"secret": "s3cret"})


def test_credentials(cluster: api.Remote, remote: Remote) -> None:
    cluster.faults["*"] = status(401)
    with pytest.raises(ClusterError, match="does not accept the credentials"):
        remote.send("POST", JOBS, {})


def test_a_log_is_bounded(cluster: api.Remote, remote: Remote) -> None:
    cluster.logs["shop/web"] = "x" * 100_000
    where = core("shop", "pods", "web", "log")
    assert b"".join(remote.chunks(where, 100_000)) == b"x" * 100_000
    with pytest.raises(ClusterError, match="more than"):
        list(remote.chunks(where, 99_999))


def test_a_log_that_is_refused_or_breaks_off(cluster: api.Remote, remote: Remote) -> None:
    where = core("shop", "pods", "web", "log")
    with pytest.raises(ClusterError, match="400"):
        list(remote.chunks(where, 100))
    cluster.faults[where] = drop
    with pytest.raises(ClusterError):
        list(remote.chunks(where, 100))
    cluster.faults[where] = cut_body
    assert b"".join(remote.chunks(where, 100)).startswith(b"{")
