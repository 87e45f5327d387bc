"""`kubehop pod` on a host with containerd 2, as with Debian's 1.6; all of it is in test_commands.

A pod with a user namespace of its own is made as a kubelet does; test_userns has one by hand.
"""

from functools import partial
from pathlib import Path

import pytest

from tests.real.runtimes import said
from tests.real.runtimes.asked import captured, compare, json_of
from tests.real.runtimes.containerd import Containerd
from tests.real.runtimes.host import NOBODY
from tests.real.runtimes.kubelet import hosts_text, resolv_text
from tests.real.runtimes.newer import FIRST_ID
from tests.real.runtimes.test_commands import ASKED

PODS = ("web", "node", "again", "apart")
each_pod = pytest.mark.parametrize("name", PODS)


@each_pod
def test_ip_is_what_ip_and_ss_say(name: str, newer: Containerd) -> None:
    pod, inside = newer.pods[name], partial(newer.inside, newer.pods[name].pid)
    for words, uid in ASKED:
        answer = json_of(newer.host, "ip", f"{pod.namespace}/{pod.name}", *words, uid=uid)
        compare(answer, inside, pod, whole=uid is None)
        assert (answer["network"]["inode"] is None) == (uid is not None)
        pids = {each["id"]: each["pid"] for each in answer["sandbox"]["containers"]}
        if words != ("--source", "cri"):
            assert pids.items() >= {each.id: each.pid for each in pod.containers}.items()
        if uid is None and not words:
            assert (answer["sandbox"]["handler"], answer["sandbox"]["unknown"]) == ("runc", [])


@each_pod
def test_a_pod_by_every_form(name: str, newer: Containerd) -> None:
    pod = newer.pods[name]
    forms = [pod.name, pod.sandbox, *(each.id[:12] for each in pod.containers)]
    forms += [str(each.pid) for each in pod.containers]
    for form in forms + ([] if pod.wanted.host_network else [str(pod.pid), *pod.addresses]):
        assert json_of(newer.host, "ip", form)["sandbox"]["id"] == pod.sandbox


@pytest.mark.parametrize("uid", [None, NOBODY])
def test_list_has_every_pod(uid: int | None, newer: Containerd) -> None:
    found = {each["id"]: each for each in json_of(newer.host, "list", uid=uid)["items"]}
    for pod in newer.pods.values():
        one = found[pod.sandbox]
        assert (one["namespace"], one["name"], one["pid"]) == (pod.namespace, pod.name, pod.pid)
    if uid is None:
        (before,) = newer.pods["again"].older
        assert (found[before]["ready"], found[before]["pid"]) == (False, None)


def test_a_user_namespace_is_what_it_should_be(newer: Containerd) -> None:
    pod = newer.pods["apart"]
    for pid in (pod.pid, *(each.pid for each in pod.containers)):
        assert Path(f"/proc/{pid}/uid_map").read_text().split()[:2] == ["0", str(FIRST_ID)]


def test_files_of_a_user_namespace(newer: Containerd) -> None:
    pod = newer.pods["apart"]
    files = json_of(newer.host, "ip", pod.name)["files"]
    assert (files["hosts"], files["hostname"].strip()) == (hosts_text(pod.wanted), pod.name)
    servers, _, _ = resolv_text(pod.wanted)
    assert all(f"nameserver {one}" in files["resolvConf"] for one in servers)


def test_a_program_in_a_user_namespaces_network(newer: Containerd) -> None:
    pod, inside = newer.pods["apart"], partial(newer.inside, newer.pods["apart"].pid)
    done = newer.host.kubehop("pod", "exec", pod.name, "--files", "--", "ip", "route")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == said.lines(inside, "ip", "route")


@pytest.mark.parametrize("words", [("exec", "{}", "--", "id"), ("capture", "{}", "--seconds", "1")])
def test_ordinary_users_may_not_go_in(words: tuple[str, ...], newer: Containerd) -> None:
    pod = newer.pods["apart"]
    done = newer.host.kubehop("pod", *(word.format(pod.name) for word in words), uid=NOBODY)
    assert (done.returncode, done.stdout) == (2, "")
    assert "needs root, or CAP_SYS_ADMIN" in done.stderr


def test_who_owns_the_user_namespace_may_go_in(newer: Containerd) -> None:
    """runc makes it as the first of the pod's users: user_namespaces(7) lets that one in."""
    pod, inside = newer.pods["apart"], partial(newer.inside, newer.pods["apart"].pid)
    done = newer.host.kubehop("pod", "exec", pod.name, "--", "ip", "route", uid=FIRST_ID)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == said.lines(inside, "ip", "route")


def test_packets_of_a_user_namespace(tmp_path: Path, newer: Containerd) -> None:
    found = captured(newer.host, newer.pods["apart"], tmp_path / "pod.pcap")
    assert "1 packets captured" in found
