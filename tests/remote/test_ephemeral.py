import pytest

from kubehop.model.errors import ClusterError, UsageError
from kubehop.remote import seen
from kubehop.remote.ephemeral import DebugLimits, debug, refuse
from kubehop.remote.look import Looked
from kubehop.remote.pods import Pod, read_pod
from kubehop.remote.requests import Remote
from tests.live.api_server import status
from tests.remote import api
from tests.remote.conftest import Image, pod

PATH = "/api/v1/namespaces/shop/pods/web/ephemeralcontainers"


@pytest.fixture
def web(cluster: api.Remote, remote: Remote, image: Image) -> Pod:
    cluster.pods["shop/web"] = pod()
    cluster.images["busybox"] = image("busybox", "sh", "cat")
    return read_pod(remote, "shop", "web")


def debugged(remote: Remote, web: Pod, image: str = "busybox", seconds: float = 5) -> Looked:
    said: list[str] = []
    return debug(remote, web, image, "w0rd", said.append, DebugLimits(seconds))


def test_it_looks_once_and_its_log_tells(cluster: api.Remote, remote: Remote, web: Pod) -> None:
    cluster.pulling = 2
    said: list[str] = []
    looked = debug(remote, web, "busybox", "w0rd", said.append)
    assert looked.container == "kubehop-w0rd"
    assert looked.whole
    assert [one.name for one in seen.network(looked.parts, True, "").interfaces]
    assert said == ["kubehop-w0rd: ContainerCreating"] * 2
    assert not cluster.executed, "nothing is run by exec"


def test_it_has_no_capability(cluster: api.Remote, remote: Remote, web: Pod) -> None:
    debugged(remote, web)
    (added,) = [body for method, _, body in cluster.bodies if method == "PATCH"]
    (entry,) = added["spec"]["ephemeralContainers"]
    assert entry["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert set(added["spec"]) == {"ephemeralContainers"}
    assert "targetContainerName" not in entry


def test_a_patch_whose_answer_is_lost_adds_one(
    cluster: api.Remote, remote: Remote, web: Pod
) -> None:
    def obey_and_fail(handler: api.ApiHandler) -> None:
        cluster.pods["shop/web"]["spec"]["ephemeralContainers"] = [
            {**handler.body["spec"]["ephemeralContainers"][0], "seen": 0}
        ]
        handler.close_connection = True

    cluster.next_faults[PATH].append(obey_and_fail)  # type: ignore[arg-type]
    assert debugged(remote, web).parts
    assert len(cluster.pods["shop/web"]["spec"]["ephemeralContainers"]) == 1


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName"])
def test_an_image_that_cannot_be_had(
    cluster: api.Remote, remote: Remote, web: Pod, reason: str
) -> None:
    cluster.pulling, cluster.waiting = 10_000, reason
    with pytest.raises(ClusterError, match=f"kubehop-w0rd: {reason}: as told; it stays"):
        debugged(remote, web)


def test_time_is_over(cluster: api.Remote, remote: Remote, web: Pod) -> None:
    cluster.pulling = 10_000
    with pytest.raises(ClusterError, match=r"ContainerCreating after 0\.1 s; it stays"):
        debugged(remote, web, seconds=0.1)


def test_an_image_without_a_shell(
    cluster: api.Remote, remote: Remote, web: Pod, image: Image
) -> None:
    cluster.images["empty"] = image("empty")
    with pytest.raises(ClusterError, match=r"exit code 128: .*executable file not found"):
        debugged(remote, web, "empty")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (404, r"before 1\.25"),
        (403, "a right that is missing or by an admission rule"),
        (422, "refused with 422"),
    ],
)
def test_refusals(cluster: api.Remote, remote: Remote, web: Pod, code: int, why: str) -> None:
    cluster.faults[PATH] = status(code)
    with pytest.raises(ClusterError, match=f"{why}.*: as told"):
        debugged(remote, web)


def test_pods_that_take_none(cluster: api.Remote, remote: Remote) -> None:
    static = {"annotations": {"kubernetes.io/config.mirror": "abc"}}
    cluster.pods["shop/a"] = pod("a", metadata=static)
    cluster.pods["shop/b"] = pod("b", status={"phase": "Succeeded"})
    with pytest.raises(UsageError, match="static pod"):
        refuse(read_pod(remote, "shop", "a"))
    with pytest.raises(UsageError, match="is Succeeded"):
        refuse(read_pod(remote, "shop", "b"))
