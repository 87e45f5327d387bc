"""What an image has, from iproute2 to nothing: real programs, in real folders, over real exec."""

import json
import shutil
import subprocess

import pytest

from kubehop.model.errors import ClusterError, UsageError
from kubehop.remote import seen
from kubehop.remote.look import Looked, look
from kubehop.remote.pods import Pod, read_pod
from kubehop.remote.requests import Remote
from kubehop.remote.rights import MissingRightsError
from kubehop.remote.websocket import ExecLimits
from kubehop.sandbox.values import Interface, Network
from tests.live.api_server import Json
from tests.remote import api
from tests.remote.conftest import Image, pod


@pytest.fixture
def web(cluster: api.Remote, remote: Remote) -> Pod:
    cluster.pods["shop/web"] = pod()
    return read_pod(remote, "shop", "web")


def seen_in(remote: Remote, web: Pod, container: str = "") -> Looked:
    return look(remote, web, container, lambda: "==mark==", ExecLimits(seconds=15))


def own_interfaces() -> dict[str, set[str]]:
    """Of this machine's network: the containers of these tests have it."""
    text = subprocess.run(["ip", "-j", "addr"], capture_output=True, check=True).stdout
    links: list[Json] = json.loads(text)
    return {
        link["ifname"]: {each["local"] for each in link["addr_info"] if "local" in each}
        for link in links
    }


def interfaces(network: Network) -> dict[str, set[str]]:
    return {
        one.name: {each.address for each in one.addresses} for one in network.interfaces if one.name
    }


def link_of(one: Interface) -> tuple[object, ...]:
    flags = sorted(each for each in one.flags if each != "M-DOWN")
    return one.name, one.index, one.mtu, one.mac, one.state, one.queue_length, flags


def own_links() -> list[tuple[object, ...]]:
    """What `ip` says of this machine's, by name, index, MTU, MAC, state, queue, flags."""
    text = subprocess.run(["ip", "-j", "link"], capture_output=True, check=True).stdout
    return [
        (
            *(one["ifname"], one["ifindex"], one["mtu"], one["address"], one["operstate"]),
            *(one.get("txqlen"), sorted(each for each in one["flags"] if each != "M-DOWN")),
        )
        for one in json.loads(text)
    ]


IMAGES = {
    "iproute2": ("sh", "cat", "ip"),
    "iproute2 without a shell": ("ip", "cat"),
    "shell and cat": ("sh", "cat"),
    "a shell alone": ("sh",),
    "bash alone": ("bash",),
    "cat alone": ("cat",),
}


@pytest.mark.parametrize("name", list(IMAGES))
def test_every_image_tells_the_same(
    cluster: api.Remote, remote: Remote, web: Pod, image: Image, name: str
) -> None:
    if shutil.which("ip") is None:
        pytest.skip("skipped: needs ip")
    folder = image("app", *IMAGES[name])
    if name == "bash alone":
        (folder / "bash").rename(folder / "sh")
    cluster.images["app"] = folder
    looked = seen_in(remote, web)
    assert looked.whole
    network = seen.network(looked.parts, looked.whole, looked.how)
    found, expected = interfaces(network), own_interfaces()
    assert found.keys() == expected.keys()
    assert set().union(*found.values()) >= {a for each in expected.values() for a in each}
    files = seen.files(looked.parts)
    with open("/etc/resolv.conf") as resolv_conf:
        assert files.resolv_conf == resolv_conf.read()
    with open("/etc/hosts") as hosts:
        assert files.hosts == hosts.read()
    assert files.hostname
    assert [each for each in network.unknown if each.what == "peers on the host"]
    assert [link_of(one) for one in network.interfaces if one.name] == own_links()
    assert len(cluster.executed) <= 1 + 4 + 13 + 1


def test_busybox(cluster: api.Remote, remote: Remote, web: Pod, image: Image) -> None:
    folder = image("app", "busybox")
    for applet in ("sh", "cat", "ip"):
        (folder / applet).symlink_to((folder / "busybox").resolve())
    cluster.images["app"] = folder
    looked = seen_in(remote, web)
    network = seen.network(looked.parts, looked.whole, looked.how)
    assert interfaces(network).keys() == own_interfaces().keys()
    assert len(cluster.executed) == 1


def test_an_image_with_nothing(cluster: api.Remote, remote: Remote, web: Pod, image: Image) -> None:
    cluster.images["app"] = image("app")
    looked = seen_in(remote, web)
    assert not looked.parts
    assert [line for line in looked.why if "container app: sh: " in line]
    assert all("executable file not found" in line for line in looked.why)


def test_another_container_of_the_pod_may_have_more(
    cluster: api.Remote, remote: Remote, image: Image
) -> None:
    cluster.pods["shop/web"] = pod("web", "shop", "app", "sidecar")
    cluster.images |= {"app": image("app"), "sidecar": image("sidecar", "sh", "cat")}
    web = read_pod(remote, "shop", "web")
    assert seen_in(remote, web).container == "sidecar"
    assert seen_in(remote, web, "app").parts == {}


def test_the_default_container_comes_first(cluster: api.Remote, remote: Remote) -> None:
    default = {"annotations": {"kubectl.kubernetes.io/default-container": "b"}}
    cluster.pods["shop/web"] = pod("web", "shop", "a", "b", "c", metadata=default)
    assert read_pod(remote, "shop", "web").running == ("b", "a", "c")


@pytest.mark.parametrize("verb", ["get", "create"])
def test_one_of_the_two_verbs_will_do(
    cluster: api.Remote, remote: Remote, web: Pod, image: Image, verb: str
) -> None:
    """This server is one before 1.35: `get` is what it looks at."""
    cluster.images["app"] = image("app", "sh", "cat")
    cluster.rights = {(verb, "pods/exec", "shop")}
    if verb == "get":
        assert seen_in(remote, web).parts
        return
    with pytest.raises(MissingRightsError) as caught:
        seen_in(remote, web)
    assert 'resources: ["pods/exec"], verbs: ["get"]' in str(caught.value)


def test_neither_verb(cluster: api.Remote, remote: Remote, web: Pod) -> None:
    cluster.rights = set()
    with pytest.raises(MissingRightsError, match=r'"pods/exec".*"create", "get"'):
        seen_in(remote, web)
    assert not cluster.executed


def test_a_container_that_hangs(cluster: api.Remote, remote: Remote, web: Pod) -> None:
    def hang(handler: api.ApiHandler) -> None:
        handler.upgrade()
        handler.cluster.close.wait(10)

    cluster.raw_exec = hang
    with pytest.raises(ClusterError, match=r"sh in container app: no answer within 0\.2 s"):
        look(remote, web, "app", lambda: "m", ExecLimits(seconds=0.2))


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "10.0.0.1/x", "-", "x" * 300])
def test_names_that_are_none(remote: Remote, name: str) -> None:
    with pytest.raises(UsageError, match="is no name of a pod"):
        read_pod(remote, "shop", name)


def test_no_such_pod(remote: Remote) -> None:
    with pytest.raises(UsageError, match='no pod nope in namespace shop of context "dev"'):
        read_pod(remote, "shop", "nope")


def test_fields_of_another_form(cluster: api.Remote, remote: Remote) -> None:
    cluster.pods["shop/web"] = pod(status={"podIPs": None, "containerStatuses": None})
    found = read_pod(remote, "shop", "web")
    assert (found.addresses, found.running) == (("10.42.0.8",), ())
    cluster.pods["shop/web"] = pod(status={"podIP": 5, "ephemeralContainerStatuses": None})
    with pytest.raises(ClusterError, match="cannot be read"):
        read_pod(remote, "shop", "web")
