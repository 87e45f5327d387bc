"""`kubehop pod` and pods that have a user namespace of their own."""

import os
from functools import partial
from pathlib import Path

import pytest

from tests.real.runtimes import said
from tests.real.runtimes.asked import captured, compare, json_of
from tests.real.runtimes.containerd import Containerd
from tests.real.runtimes.host import NOBODY
from tests.real.runtimes.kubelet import hosts_text, resolv_text
from tests.real.runtimes.userns import FIRST_ID

each_pod = pytest.mark.parametrize("name", ["plain", "slice"])
OTHERS = (NOBODY, FIRST_ID)
"""Ordinary users; who is root in a pod is one, too, as long as he is out here."""


@each_pod
def test_they_are_what_they_should_be(name: str, userns: Containerd) -> None:
    """Who is root in there is an ordinary user, and the network is the user namespace's."""
    pod = userns.pods[name]
    root = Path("/proc/self/ns/user").stat().st_ino
    for pid in (pod.pid, *(one.pid for one in pod.containers)):
        assert Path(f"/proc/{pid}").stat().st_uid >= FIRST_ID
        assert Path(f"/proc/{pid}/ns/user").stat().st_ino != root
    done = userns.host.run(
        "nsenter", "--target", str(pod.pid), "--user", "--net", "ip", "link", "set", "lo", "up"
    )
    assert (done.returncode, done.stderr) == (0, "")


@each_pod
def test_root_sees_all(name: str, userns: Containerd) -> None:
    pod, inside = userns.pods[name], partial(userns.inside, userns.pods[name].pid)
    answer = json_of(userns.host, "ip", f"{pod.namespace}/{pod.name}")
    compare(answer, inside, pod, whole=True)
    assert answer["sandbox"]["unknown"] == answer["network"]["unknown"] == []
    found = {one["id"]: (one["name"], one["pid"]) for one in answer["sandbox"]["containers"]}
    assert found == {one.id: (one.name, one.pid) for one in pod.containers}
    routes = said.answered(userns.host.run, "route")
    (end,) = {route["dev"] for route in routes if route["dst"] in pod.addresses}
    (peer,) = answer["network"]["peers"]
    assert (peer["name"], peer["verified"]) == (end, True)
    files, (servers, _, _) = answer["files"], resolv_text(pod.wanted)
    assert files["hosts"] == hosts_text(pod.wanted)
    assert all(f"nameserver {one}" in files["resolvConf"] for one in servers)
    assert files["hostname"] == pod.name


@each_pod
@pytest.mark.parametrize("uid", OTHERS)
def test_ordinary_users_see_what_they_may(uid: int, name: str, userns: Containerd) -> None:
    pod = userns.pods[name]
    answer = json_of(userns.host, "ip", f"{pod.namespace}/{pod.name}", uid=uid)
    compare(answer, partial(userns.inside, pod.pid), pod, whole=False)
    needs = {one["what"]: one["needs"] for one in answer["sandbox"]["unknown"]}
    assert "root" in needs["network namespace"]
    assert answer["network"]["inode"] is None


@pytest.mark.parametrize("uid", OTHERS)
@pytest.mark.parametrize(
    "words", [("exec", "{}", "--", "id"), ("capture", "{}"), ("connect", "{}", "[::1]:8080")]
)
def test_ordinary_users_may_not_go_in(words: tuple[str, ...], uid: int, userns: Containerd) -> None:
    pod = userns.pods["plain"]
    done = userns.host.kubehop("pod", *(word.format(pod.name) for word in words), uid=uid)
    assert (done.returncode, done.stdout) == (2, "")
    assert "needs root, or CAP_SYS_ADMIN" in done.stderr


def test_a_program_in_its_network(userns: Containerd) -> None:
    pod, inside = userns.pods["plain"], partial(userns.inside, userns.pods["plain"].pid)
    done = userns.host.kubehop("pod", "exec", pod.name, "--", "ip", "route")
    assert done.stdout.splitlines() == said.lines(inside, "ip", "route")
    script = "hostname; ls /sys/class/net; cat /etc/hosts"
    done = userns.host.kubehop("pod", "exec", pod.name, "--files", "--", "sh", "-c", script)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{pod.name}\neth0\nlo\n{hosts_text(pod.wanted)}"


def test_a_connection_from_one_to_another(userns: Containerd) -> None:
    there, here = userns.pods["plain"], userns.pods["slice"]
    for address in there.addresses:
        target = f"[{address}]:8080" if ":" in address else f"{address}:8080"
        done = userns.host.kubehop("pod", "connect", here.name, target)
        assert (done.returncode, done.stderr) == (0, ""), done


def test_its_packets(tmp_path: Path, userns: Containerd) -> None:
    path = tmp_path / "pod.pcap"
    assert "1 packets captured" in captured(userns.host, userns.pods["plain"], path)
    assert path.stat().st_uid == os.geteuid()
