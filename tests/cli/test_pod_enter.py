"""`kubehop pod exec|nslookup|connect|capture` as a user types them, on the pods of a lab."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.test_cli import documented, paths
from tests.lab.inside import NOBODY, run_apart
from tests.real.needs import lacks, program

SECONDS = 60
Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]
ENVIRONMENT = os.environ | {"NO_COLOR": "1"}
"""Of the commands: whose labs they see."""


def run_with(environment: dict[str, str], *words: str, **more: object) -> Done:
    command = (sys.executable, "-m", "kubehop", *words)
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        **more,  # type: ignore[call-overload]
    )
    assert isinstance(done, subprocess.CompletedProcess)
    return done


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Runs commands of `kubehop pod`; the notes' lab is up."""
    environment = ENVIRONMENT
    environment["XDG_RUNTIME_DIR"] = str(tmp_path_factory.mktemp("run"))
    up = run_with(environment, "lab", "up")
    if "a lab needs namespaces" in up.stderr:
        lacks(up.stderr.strip())
    assert up.returncode == 0, up.stderr
    yield lambda *words, **more: run_with(environment, "pod", *words, **more)
    assert run_with(environment, "lab", "down").returncode == 0


def test_a_program_in_the_pods_network(pod: Run) -> None:
    shown = pod("exec", "busybox", "--", "ip", "-j", "addr", "show", "eth0")
    (interface,) = json.loads(shown.stdout)
    assert interface["addr_info"][0]["local"] == "10.42.0.8"
    assert pod("exec", "default/busybox", "sh", "-c", "exit 7").returncode == 7
    assert pod("exec", "busybox", "--", "cat", input="through\n").stdout == "through\n"
    assert pod("exec", "busybox", "--", "no-such-program").returncode == 127


def test_with_the_pods_files(pod: Run) -> None:
    host, its = (
        pod("exec", "busybox", *option, "--", "cat", "/etc/resolv.conf")
        for option in ((), ("--files",))
    )
    assert host.stdout == Path("/etc/resolv.conf").read_text()
    assert "search default.svc.cluster.local svc.cluster.local cluster.local" in its.stdout
    assert pod("exec", "--dns", "busybox", "uname", "-n").stdout == "busybox\n"
    found = pod("exec", "busybox", "--files", "--", "getent", "ahostsv4", "kubernetes.default")
    assert found.stdout.split()[0] == "10.43.0.1"


def test_a_lookup_from_inside(pod: Run) -> None:
    done = pod("nslookup", "busybox", "kubernetes.default", "--style", "busybox-1.28")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Server:    10.43.0.10" in done.stdout
    assert "Address 1: 10.43.0.1 kubernetes.default.svc.cluster.local" in done.stdout
    listed = pod("nslookup", "busybox", "kubernetes.default", "-v")
    assert "kubernetes.default.default.svc.cluster.local. A to 10.43.0.10" in listed.stderr
    assert "Address: 10.43.0.1" in listed.stdout
    absent = pod("nslookup", "busybox", "absent.default")
    assert absent.returncode == 1
    assert "NXDOMAIN" in absent.stdout
    silent = pod("nslookup", "busybox", "kubernetes.default", "--server", "10.42.0.8")
    assert silent.returncode == 1
    assert "connection refused" in silent.stdout


def test_a_connection_from_inside(pod: Run) -> None:
    done = pod("connect", "busybox", "whoami:80")
    assert done.returncode == 0, done
    assert "queries to 10.43.0.10" in done.stdout
    assert ": connected after" in done.stdout
    assert "from 10.42.0.8:" in done.stdout
    refused = pod("connect", "busybox", "10.42.0.8:9")
    assert refused.returncode == 1
    assert "RST from 10.42.0.8" in refused.stdout
    assert pod("connect", "busybox", "absent.default:80").returncode == 1
    udp = pod("connect", "busybox", "10.42.0.8:9", "--udp")
    assert udp.returncode == 1
    assert "ICMP port unreachable from 10.42.0.8" in udp.stdout
    late = pod("connect", "busybox", "10.42.0.8:9", "--udp", "--timeout", "0.5", "-o", "json")
    assert json.loads(late.stdout)["attempts"][0]["icmpFrom"] == "10.42.0.8"


def test_json_is_what_the_documentation_says(pod: Run) -> None:
    printed: set[str] = set()
    for words in (["whoami:80"], ["10.42.0.8:9"], ["whoami:80", "--udp", "--timeout", "0.2"]):
        value = json.loads(pod("connect", "busybox", *words, "-o", "json").stdout)
        assert (value["apiVersion"], value["kind"]) == ("kubehop/v1", "Connect")
        assert (value["pod"], value["port"]) == ("default/busybox", int(words[0].split(":")[1]))
        printed |= paths(value)
    leaves = {p for p in printed if not any(q.startswith((p + ".", p + "[")) for q in printed)}
    assert leaves <= documented("Connect")
    assert documented("Connect") <= printed


def test_packets_to_a_file(pod: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    words = ("capture", "busybox", "-w", str(path), "--count", "2", "--filter", "udp and port 53")
    done = while_looking_up(pod, *words)
    assert done.returncode == 0
    assert "2 packets captured, 0 dropped by the kernel" in done.stderr
    assert path.stat().st_mode & 0o777 == 0o600
    with open(path, "rb") as file:
        read = subprocess.run(
            [program("tcpdump", "tcpdump"), "-nn", "-r", "-"],
            stdin=file,
            capture_output=True,
            text=True,
            check=True,
        )
    assert "10.42.0.8" in read.stdout
    assert "kubernetes.default" in read.stdout
    again = pod(*words)
    assert again.returncode == 2
    assert f"{path} exists; --force overwrites it" in again.stderr
    assert while_looking_up(pod, *words, "--force").returncode == 0


def test_packets_as_lines(pod: Run) -> None:
    done = while_looking_up(pod, "capture", "busybox", "-i", "eth0", "--count", "1")
    assert len(done.stdout.splitlines()) == 1
    assert "eth0" in done.stdout


def test_a_file_is_never_written_through_a_link(pod: Run, tmp_path: Path) -> None:
    kept, link = tmp_path / "kept", tmp_path / "link"
    kept.write_text("kept")
    link.symlink_to(kept)
    for force in ((), ("--force",)):
        done = pod("capture", "busybox", "-w", str(link), "--seconds", "0", *force)
        assert done.returncode == 2
        assert str(link) in done.stderr
    assert kept.read_text() == "kept"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_capture_in_order(pod: Run, tmp_path: Path, number: int) -> None:
    path = tmp_path / "a.pcap"
    command = (sys.executable, "-m", "kubehop", "pod", "capture", "busybox", "-w", str(path))
    with subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True) as started:
        assert started.stderr
        assert started.stderr.readline() == "capturing on any\n"
        started.send_signal(number)
        assert "packets captured, 0 dropped" in started.stderr.read()
    assert started.returncode == 0
    assert path.read_bytes()[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")


def while_looking_up(pod: Run, *words: str) -> Done:
    """What a capture does while the pod asks for a name, again and again."""
    end = threading.Event()

    def ask() -> None:
        while not end.wait(0.2):
            pod("nslookup", "busybox", "kubernetes.default")

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        return pod(*words, "--seconds", "40")
    finally:
        end.set()
        thread.join()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["exec", "busibox", "--", "true"], "busibox"),
        (["connect", "busybox", "whoami"], "HOST:PORT"),
        (["connect", "busybox", "fd00::1:80"], "brackets"),
        (["connect", "busybox", "whoami:0"], "HOST:PORT"),
        (["connect", "busybox", "[fe80::1%nowhere]:80"], "no such interface"),
        (["nslookup", "busybox", "web", "--style", "none"], "no style"),
        (["nslookup", "busybox", "web", "--server", "web"], "not an address"),
        (["capture", "busybox", "-i", "eth7"], "no interface eth7; it has lo, eth0"),
        (["capture", "busybox", "--filter", "tcp or udp"], "and"),
        (["capture", "busybox", "-w", "/nonexistent/a"], "/nonexistent/a"),
    ],
)
def test_what_is_refused_is_said_in_one_line(pod: Run, words: list[str], why: str) -> None:
    done = pod(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become an ordinary user")
def test_an_ordinary_user_with_a_lab_of_his_own(tmp_path: Path) -> None:
    """Rootless: in through the user namespace that is his."""

    def body() -> list[tuple[int, str]]:
        folder = tempfile.mkdtemp()
        environment = os.environ | {"XDG_RUNTIME_DIR": folder, "NO_COLOR": "1"}
        path = f"{folder}/a.pcap"
        try:
            return [
                (done.returncode, done.stdout + done.stderr)
                for words in (
                    ("lab", "up"),
                    ("pod", "exec", "busybox", "--files", "--", "cat", "/etc/resolv.conf"),
                    ("pod", "exec", "busybox", "--", "ip", "addr"),
                    ("pod", "nslookup", "busybox", "kubernetes.default"),
                    ("pod", "connect", "busybox", "whoami:80"),
                    ("pod", "capture", "busybox", "-w", path, "--seconds", "0.2"),
                )
                for done in (run_with(environment, *words),)
            ]
        finally:
            run_with(environment, "lab", "down")
            shutil.rmtree(folder)

    up, files, addresses, looked_up, connected, captured = run_apart(body, uid=NOBODY)
    if "a lab needs namespaces" in up[1]:
        lacks(up[1].strip())
    for (code, said), expected in (
        (files, "search default.svc.cluster.local"),
        (addresses, "inet 10.42.0.8"),
        (looked_up, "Address: 10.43.0.1"),
        (connected, ": connected after"),
        (captured, "packets captured"),
    ):
        assert code == 0, said
        assert expected in said
