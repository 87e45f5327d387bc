"""`kubehop pod list` and `pod ip` on hosts with a real runtime, compared with ip and ss."""

from functools import partial

import pytest

from tests.real.runtimes import said
from tests.real.runtimes.asked import compare, json_of
from tests.real.runtimes.containerd import Containerd
from tests.real.runtimes.docker import Docker
from tests.real.runtimes.host import NOBODY
from tests.real.runtimes.kubelet import Pod
from tests.real.runtimes.test_networks import PODS
from tests.real.runtimes.wanted import SECRET

AS_ROOT = [(), ("--source", "cri"), ("--source", "proc")]
ASKED = [(words, None) for words in AS_ROOT] + [((), NOBODY), (("--source", "proc"), NOBODY)]
each_way = pytest.mark.parametrize(("words", "uid"), ASKED, ids=str)


@each_way
@pytest.mark.parametrize("name", PODS)
def test_ip_is_what_ip_and_ss_say(
    name: str, words: tuple[str, ...], uid: int | None, containerd: Containerd
) -> None:
    pod = containerd.pods[name]
    asked = ("ip", f"{pod.namespace}/{pod.name}", *words)
    answer = json_of(containerd.host, *asked, uid=uid)
    compare(answer, partial(containerd.inside, pod.pid), pod, whole=uid is None)
    assert (answer["network"]["inode"] is None) == (uid is not None)
    if uid:
        assert any("root" in each["needs"] for each in answer["sandbox"]["unknown"])


@pytest.mark.parametrize("name", ["ubuntu", "node"])
@pytest.mark.parametrize(
    ("words", "uid"),
    [((), None), (("--source", "docker"), None), (("--source", "proc"), None)],
    ids=str,
)
def test_ip_with_docker(name: str, words: tuple[str, ...], uid: int | None, docker: Docker) -> None:
    """Docker's containers have no folder of logs that names them: /proc is asked for the id."""
    pod = docker.pods[name]
    text = pod.sandbox[:12] if "proc" in words else f"{pod.namespace}/{pod.name}"
    answer = json_of(docker.host, "ip", text, *words, uid=uid)
    if "proc" in words:
        answer["sandbox"]["name"] = pod.name
    compare(answer, partial(docker.inside, pod.pid), pod, whole=True)


@pytest.mark.parametrize("name", PODS)
def test_the_text_has_the_lines_of_ip(name: str, containerd: Containerd) -> None:
    pod, inside = containerd.pods[name], partial(containerd.inside, containerd.pods[name].pid)
    done = containerd.host.kubehop("pod", "ip", f"{pod.namespace}/{pod.name}")
    assert done.returncode == 0, done.stderr
    shown = [line.strip() for line in said.without_time(done.stdout.splitlines())]
    for command in (("addr",), ("-4", "route"), ("-6", "route")):
        real = [line.strip() for line in said.lines(inside, "ip", *command)]
        assert [line for line in real if line not in shown] == []


@pytest.mark.parametrize("uid", [None, NOBODY])
def test_list_has_every_pod(uid: int | None, containerd: Containerd) -> None:
    answer = json_of(containerd.host, "list", uid=uid)
    found = {each["id"]: each for each in answer["items"]}
    for pod in containerd.pods.values():
        one = found[pod.sandbox]
        assert (one["namespace"], one["name"], one["pid"]) == (pod.namespace, pod.name, pod.pid)
        if not pod.wanted.host_network:
            assert set(pod.addresses) <= set(one["addresses"])
        if uid is None:
            inode = containerd.inside(pod.pid, "readlink", "/proc/self/ns/net").stdout.strip()
            assert f"net:[{one['inode']}]" == inode
            assert one["hostInterfaces"] == _host_interfaces(containerd, pod)


def _host_interfaces(containerd: Containerd, pod: Pod) -> list[str]:
    routes = said.answered(containerd.host.run, "route")
    return sorted({route["dev"] for route in routes if route["dst"] in pod.addresses})


def test_a_name_of_two_pods(containerd: Containerd) -> None:
    one, other = containerd.pods["twin"], containerd.pods["other twin"]
    done = containerd.host.kubehop("pod", "ip", one.name)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{one.namespace}/{one.name}" in done.stderr
    assert f"{other.namespace}/{other.name}" in done.stderr


def test_nothing_of_the_host_is_shown_for_what_a_container_plants(containerd: Containerd) -> None:
    pod = containerd.pods["planted"]
    for container in pod.containers:
        for output in ((), ("-o", "json")):
            done = containerd.host.kubehop("pod", "ip", pod.name, "-c", container.name, *output)
            assert done.returncode == 0
            assert SECRET.strip() not in done.stdout + done.stderr


def test_a_program_of_the_host_in_the_network_of_a_pod(containerd: Containerd) -> None:
    pod = containerd.pods["many"]
    done = containerd.host.kubehop("pod", "exec", pod.name, "--", "ip", "route")
    assert done.stdout.splitlines() == said.lines(
        partial(containerd.inside, pod.pid), "ip", "route"
    )
