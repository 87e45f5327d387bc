"""What a user does with labs, as root and as nobody."""

import json
import os
import socket
import sys
import time
from pathlib import Path

from tests.lab.inside import as_everyone
from tests.lab.supervisor.scene import (
    Command,
    at_home,
    fine,
    kubehop,
    refused,
    status,
    until,
    up,
)

ASK = """\
import sys, urllib.request
for _ in range(int(sys.argv[2])):
    print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode(), end="")
"""
WEB = "http://web.default.svc.cluster.local"


def inside(where: str, *command: str, stdin: bytes = b"", name: str = "a") -> str:
    return fine("lab", "exec", "--name", name, where, "--", *command, stdin=stdin)


def answers(url: str, count: int = 20, where: str = "client", name: str = "a") -> set[str]:
    """The pods that answered there."""
    said = inside(where, sys.executable, "-I", "-c", ASK, url, str(count), name=name)
    return {line.split()[1] for line in said.splitlines() if line.startswith("pod:")}


@as_everyone
@at_home
def test_up_exec_status_down(uid: int | None, tmp_path: Path) -> None:
    said = up()
    assert "lab a is up" in said
    assert "kubehop lab exec client --name a -- nslookup kubernetes.default" in said
    assert answers(WEB) == {"default/web-1", "default/web-2"}
    found = status()
    assert {pod["name"] for pod in found["pods"] if pod["ready"]} >= {"web-1", "web-2", "client"}
    assert found["rootless"] is (os.geteuid() != 0)
    for thing in (*found["nodes"], *found["pods"]):
        assert Path(f"/proc/{thing['pid']}/comm").read_text() == "pause\n"
    fine("lab", "down", "--name", "a")
    assert refused("lab", "status", "--name", "a").startswith("no lab a")
    assert not any(Path(f"/proc/{pod['pid']}").exists() for pod in found["pods"])


@at_home
def test_two_labs_side_by_side(tmp_path: Path) -> None:
    up("a")
    up("b")
    fine("lab", "scale", "deploy/web", "--replicas", "1", "--name", "b")
    assert answers(WEB, name="a") == {"default/web-1", "default/web-2"}
    assert len(answers(WEB, name="b")) == 1
    assert "is up already" in refused("lab", "up", "--name", "a")
    assert "--name a, --name b" in refused("lab", "down", "--name", "c")
    assert fine("lab", "list", "-o", "name") == "a\nb\n"
    assert [line.split()[0] for line in fine("lab", "list").splitlines()] == ["NAME", "a", "b"]
    items = json.loads(fine("lab", "list", "-o", "json"))["items"]
    assert [(lab["name"], lab["nodes"], lab["pods"]) for lab in items] == [("a", 1, 5), ("b", 1, 4)]
    fine("lab", "down", "--all")
    assert fine("lab", "list", "-o", "name") == ""


@at_home
def test_what_runs_inside_is_as_if_it_ran_outside(tmp_path: Path) -> None:
    up()
    assert inside("client", "cat", stdin=b"some input") == "some input"
    assert inside("client", "hostname").strip() == "client"
    assert inside("node/node-0", "hostname").strip() == "node-0"
    assert "203.0.113.9" in inside("outside", "ip", "addr")
    assert "kubehop" in inside("fabric", "nft", "list", "tables")
    assert inside("pod/client.default", "sh", "-c", "echo $0 $1", "--", "-c").strip() == "-- -c"
    given = fine("lab", "exec", "--name", "a", "client", "sh", "-c", 'printf %s "$1"', "sh", "-n x")
    assert given == "-n x"
    for code in (0, 1, 2, 130):
        said = kubehop("lab", "exec", "--name", "a", "client", "--", "sh", "-c", f"exit {code}")
        assert said.code == code, said
    assert kubehop("lab", "exec", "--name", "a", "client", "--", "/nonexistent").code == 127
    assert "no container x" in refused("lab", "exec", "web-1", "-c", "x", "--name", "a", "--", "ls")
    assert fine("lab", "exec", "web-1", "-c", "side", "--name", "a", "--", "hostname") == "web-1\n"
    assert "web-1" in refused("lab", "exec", "web", "--name", "a", "--", "ls")
    fine("lab", "down", "--name", "a")


@at_home
def test_signals_reach_what_runs_inside(tmp_path: Path) -> None:
    up()
    begun = tmp_path / "begun"
    script = f"touch {begun}; trap 'exit 7' TERM; while :; do sleep 0.02; done"
    running = Command("lab", "exec", "--name", "a", "client", "--", "sh", "-c", script)
    assert until(begun.exists)
    running.signal(15)
    assert running.said().code == 7
    fine("lab", "down", "--name", "a")


@at_home
def test_the_lab_follows_changes_and_says_what_changed(tmp_path: Path) -> None:
    up(nodes=2)
    said = fine("lab", "scale", "deployment/web", "--replicas", "3", "--name", "a")
    assert "pod default/web-3 made" in said
    assert "Service default/web: endpoints 2 -> 3" in said
    assert len(answers(WEB, 60)) == 3
    said = fine("lab", "set", "not-ready", "web-1", "--name", "a")
    assert "pod default/web-1: ready -> not ready" in said
    assert answers(WEB, 40) == {"default/web-2", "default/web-3"}
    fine("lab", "set", "ready", "web-1", "--name", "a")
    fine("lab", "set", "terminating", "web-2", "--name", "a")
    assert "default/web-2" not in answers(WEB, 40)
    other = "{apiVersion: v1, kind: Service, metadata: {name: other}, spec: {selector: {app: web}"
    other += ", ports: [{port: 81, targetPort: 8080}]}}"
    said = fine("lab", "apply", "-f", "-", "--name", "a", stdin=other.encode())
    assert "Service default/other made" in said
    assert "default/web-1" in answers("http://other:81", 40)
    assert fine("lab", "apply", "-f", "-", "--name", "a", stdin=other.encode()) == (
        "nothing to change\n"
    )
    said = fine("lab", "delete", "-f", "-", "--name", "a", stdin=other.encode())
    assert "Service default/other removed" in said
    assert "pod default/client removed" in fine("lab", "delete", "pod", "client", "--name", "a")
    assert "client" not in [pod["name"] for pod in status()["pods"]]
    fine("lab", "down", "--name", "a")


@at_home
def test_what_is_refused_changes_nothing(tmp_path: Path) -> None:
    up()
    before = status()
    for words, why in (
        (("scale", "deploy/wed", "--replicas", "1"), "web"),
        (("scale", "svc/web", "--replicas", "1"), "cannot be scaled"),
        (("set", "sad", "web-1"), "not-ready"),
        (("set", "ready", "wed-1"), "web-1"),
        (("delete", "pod", "web-9"), "web-1"),
        (("delete", "nonsense", "web-9"), "no kind"),
        (("delete",), "-f FILE"),
        (("apply",), "-f FILE"),
        (("trace", "pod/client", "svc/wed:80"), "web"),
        (("exec", "clent", "--", "true"), "client"),
    ):
        assert why in refused("lab", words[0], "--name", "a", *words[1:])
    wrong = b"{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {clusterIP: 10.0.0.1}}"
    assert "clusterIP" in refused("lab", "apply", "-f", "-", "--name", "a", stdin=wrong)
    assert "-: " in refused("lab", "apply", "-f", "-", "--name", "a", stdin=b"{")
    after = status()
    assert {**after, "log": []} == {**before, "log": []}
    fine("lab", "down", "--name", "a")


@at_home
def test_commands_at_the_same_time(tmp_path: Path) -> None:
    """Programs run inside while the lab changes; changes come one after the other."""
    up()
    ask = (sys.executable, "-I", "-c", ASK, WEB, "50")
    running = [Command("lab", "exec", "--name", "a", "client", "--", *ask) for _ in range(2)]
    changing = [
        Command("lab", "scale", "deploy/web", "--replicas", number, "--name", "a")
        for number in ("3", "2", "5")
    ]
    asking = [Command("lab", "status", "--name", "a", "-o", "json") for _ in range(2)]
    for command in (*changing, *asking):
        said = command.said()
        assert said.code == 0, said
    for command in running:
        said = command.said()
        # A pod that is taken away may be asked the moment before; nothing else may fail.
        assert said.code == 0 or "refused" in said.err or "reset" in said.err, said
    fine("lab", "scale", "deploy/web", "--replicas", "2", "--name", "a")
    assert len(answers(WEB, 40)) == 2
    fine("lab", "down", "--name", "a")


@at_home
def test_in_the_foreground_until_interrupted(tmp_path: Path) -> None:
    running = Command("lab", "up", "--foreground", "--name", "a")
    assert until(running.is_up)
    running.signal(2)
    said = running.said()
    assert "lab a is up" in said.out
    assert said.code == 0
    assert "no lab a" in refused("lab", "status", "--name", "a")


@at_home
def test_in_the_foreground_it_ends_with_its_command(tmp_path: Path) -> None:
    for number in (15, 9):
        running = Command("lab", "up", "--foreground", "--name", "a")
        assert until(running.is_up)
        running.signal(number)
        running.said()
        assert until(lambda: not fine("lab", "list", "-o", "name"))


@at_home
def test_predicted_and_observed(tmp_path: Path) -> None:
    up(nodes=2)
    said = kubehop("lab", "trace", "pod/client", "svc/web:80", "--name", "a", "-c", "40")
    assert said.code == 0, said
    assert "prediction and packets agree" in said.out
    fine("lab", "fault", "add", "server-stopped", "--pod", "web-1", "--name", "a")
    said = kubehop("lab", "trace", "pod/client", "svc/web:80", "--name", "a", "-c", "40")
    assert said.code == 1, said
    assert "DIFFERS" in said.out
    fine("lab", "fault", "heal", "--all", "--name", "a")
    said = kubehop("lab", "trace", "pod/client", "svc/web:80", "--name", "a", "-c", "40")
    assert said.code == 0, said
    fine("lab", "down", "--name", "a")


@at_home
def test_a_snapshot_is_what_stands(tmp_path: Path) -> None:
    up()
    fine("lab", "scale", "deploy/web", "--replicas", "3", "--name", "a")
    content = fine("lab", "snapshot", "-", "--name", "a").encode()
    stands = {pod["name"]: pod["addresses"] for pod in status()["pods"]}
    fine("lab", "up", "--name", "b", "-f", "-", "--pod-network", "canal", stdin=content)
    assert {pod["name"]: pod["addresses"] for pod in status("b")["pods"]} == stands
    fine("lab", "down", "--all")


@at_home
def test_no_terminal_or_pipe_is_kept_open(tmp_path: Path) -> None:
    """A pipe that `up` writes to ends with `up`: `kubehop lab up | tee log` comes back."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if not pid:
        ours.close()
        os.dup2(theirs.fileno(), 1)
        os.set_inheritable(theirs.fileno(), True)
        os.execv(sys.executable, [sys.executable, "-m", "kubehop", "lab", "up", "--name", "a"])
    theirs.close()
    ours.settimeout(20)
    said = b""
    while more := ours.recv(1 << 16):
        said += more
    ours.close()
    os.waitpid(pid, 0)
    assert b"lab a is up" in said
    time.sleep(0)
    fine("lab", "down", "--name", "a")
