"""`kubehop dns serve` as a user runs it: a process, real queries, a source that changes."""

import contextlib
import json
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import dns.message
import dns.query
import dns.rcode
import pytest

from kubehop.cli.main import run
from tests.real.fake_api import FakeApi, State, fake_api
from tests.workload.making import service

WAIT = 15
READY = re.compile(r"serving on (\S+) port (\d+)")


@dataclass
class Served:
    """A running server: the process, its port and what it has said so far."""

    process: subprocess.Popen[str]
    port: int
    said: list[str]

    def says(self, words: str) -> bool:
        """Whether it says that, now or soon."""
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline:
            if any(words in line for line in self.said):
                return True
            time.sleep(0.01)
        return False

    def ask(self, name: str, kind: str = "A", *, tcp: bool = False) -> tuple[str, list[str]]:
        """The rcode and the answer's data."""
        query = dns.message.make_query(name, kind)
        send = dns.query.tcp if tcp else dns.query.udp
        reply = send(query, "127.0.0.1", port=self.port, timeout=5)
        found = [str(record) for rrset in reply.answer for record in rrset]
        return dns.rcode.to_text(reply.rcode()), found

    def until(self, name: str, expected: tuple[str, list[str]]) -> list[tuple[str, list[str]]]:
        """Ask until the answer is as expected; every answer on the way."""
        seen, deadline = [], time.monotonic() + WAIT
        while time.monotonic() < deadline:
            seen.append(self.ask(name))
            if seen[-1] == expected:
                return seen
            time.sleep(0.01)
        raise AssertionError(f"{name}: {seen[-1]}, not {expected}")


@contextlib.contextmanager
def serve(*arguments: str) -> Iterator[Served]:
    """The command on a free port; it must end by itself on SIGTERM, with exit code 0."""
    command = [sys.executable, "-m", "kubehop", "dns", "serve", "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    said: list[str] = []
    listener = threading.Thread(target=_listen, args=(process.stderr, said))
    listener.start()
    try:
        yield _ready(process, said)
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT) == 0
        listener.join(WAIT)
        assert "Traceback" not in "".join(said)
    finally:
        process.kill()
        process.wait()
        listener.join(WAIT)
        process.stderr.close()
        if process.stdout:
            process.stdout.close()


def _listen(stderr: IO[str], said: list[str]) -> None:
    for line in stderr:
        said.append(line)


def _ready(process: subprocess.Popen[str], said: list[str]) -> Served:
    while process.poll() is None:
        for line in tuple(said):
            if match := READY.match(line):
                return Served(process, int(match[2]), said)
        time.sleep(0.01)
    raise AssertionError(f"it ended: {said}")


WEB, OTHER = service("web", "clusterIP: 10.43.5.5"), service("web", "clusterIP: 10.43.5.6")
NAME = "web.default.svc.cluster.local."


def test_a_changed_file_changes_the_answers_without_a_gap(tmp_path: Path) -> None:
    manifest = tmp_path / "web.yaml"
    manifest.write_text(WEB)
    with serve("-f", str(manifest)) as served:
        assert served.ask(NAME) == ("NOERROR", ["10.43.5.5"])
        assert served.ask(NAME, tcp=True) == ("NOERROR", ["10.43.5.5"])
        assert served.ask("kubernetes.default.svc.cluster.local.")[0] == "NOERROR"
        manifest.write_text(OTHER)
        seen = served.until(NAME, ("NOERROR", ["10.43.5.6"]))
        assert {answer[0] for answer in seen} == {"NOERROR"}
        manifest.write_text("kind: Service\n  broken")
        time.sleep(1.5)
        assert served.ask(NAME) == ("NOERROR", ["10.43.5.6"])
        manifest.write_text(WEB.replace("name: web", "name: moved"))
        served.until(NAME, ("NXDOMAIN", []))


def test_resolve_live_says_where_the_network_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, content in (("now.yaml", WEB), ("then.yaml", WEB.replace("name: web", "name: old"))):
        (tmp_path / name).write_text(content)
    asked = ["resolve", "web.default", "--live", "-o", "json"]
    with serve("-f", str(tmp_path / "now.yaml")) as served:
        asked += ["--server", f"127.0.0.1:{served.port}", "-f"]
        assert run([*asked, str(tmp_path / "now.yaml")]) == 0
        same = json.loads(capsys.readouterr().out)
        assert run([*asked, str(tmp_path / "then.yaml")]) == 0
        other = json.loads(capsys.readouterr().out)
    assert same["outcome"]["addresses"] == other["outcome"]["addresses"] == ["10.43.5.5"]
    assert same["notes"][1] == "every query and its answer is as predicted"
    name = "web.default.svc.cluster.local. A"
    differs = f"differs from the prediction at query 3: {name} ANSWER, not {name} NXDOMAIN"
    assert other["notes"][1] == differs


COREFILE = ".:53 {\n    kubernetes cluster.local {\n        ttl 7\n    }\n}\n"


def test_the_corefile_of_the_cluster_is_used_and_followed(tmp_path: Path) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "coredns", "namespace": "kube-system"},
        "data": {"Corefile": COREFILE},
    }
    (tmp_path / "web.yaml").write_text(WEB)
    (tmp_path / "corefile.json").write_text(json.dumps(config))
    with serve("-f", str(tmp_path)) as served:
        assert served.ask("example.com.")[0] == "SERVFAIL"  # no forward: nobody wants it
        config["data"] = {"Corefile": COREFILE.replace("cluster.local", "corp.local")}
        (tmp_path / "corefile.json").write_text(json.dumps(config))
        served.until("web.default.svc.corp.local.", ("NOERROR", ["10.43.5.5"]))


def test_health_ready_and_metrics(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(WEB)
    ports = [free_port() for _ in range(3)]
    places = [f"127.0.0.1:{port}" for port in ports]
    options = ["--health", places[0], "--ready", places[1], "--metrics", places[2]]
    with serve("-f", str(tmp_path), *options) as served:
        served.ask(NAME)
        assert get(f"http://{places[0]}/health") == "OK"
        assert get(f"http://{places[1]}/ready") == "OK"
        assert "coredns_dns_requests_total{" in get(f"http://{places[2]}/metrics")


def test_a_live_cluster_is_watched(tmp_path: Path) -> None:
    with (
        fake_api(live_objects("10.43.5.5")) as api,
        serve("--kubeconfig", str(kubeconfig(tmp_path, api))) as served,
    ):
        served.until(NAME, ("NOERROR", ["10.43.5.5"]))
        api.put(*live_objects("10.43.5.6"))
        seen = served.until(NAME, ("NOERROR", ["10.43.5.6"]))
        assert {answer[0] for answer in seen} == {"NOERROR"}


def test_without_rights_it_answers_as_coredns_does_then(tmp_path: Path) -> None:
    with (
        fake_api([], state=State.FORBIDDEN) as api,
        serve("--kubeconfig", str(kubeconfig(tmp_path, api))) as served,
    ):
        assert served.ask(NAME)[0] == "SERVFAIL"
        assert served.says("services")


def live_objects(address: str) -> list[dict[str, object]]:
    """A namespace and a Service, as an API gives them."""
    return [
        {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "default"}},
        {
            "kind": "Service",
            "apiVersion": "v1",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"clusterIP": address, "clusterIPs": [address], "ports": [{"port": 80}]},
        },
    ]


def kubeconfig(folder: Path, api: FakeApi) -> Path:
    path = folder / "kubeconfig"
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    value = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "contexts": [context],
        "clusters": [{"name": "c", "cluster": {"server": api.url}}],
        "users": [{"name": "u", "user": {}}],
    }
    path.write_text(json.dumps(value))
    return path


def free_port() -> int:
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        text: str = answer.read().decode()
        return text


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--listen", "203.0.113.77:53"], "cannot listen on 203.0.113.77:53: "),
        (["--upstream", "ns.example"], "--upstream: 'ns.example' is not an IP address"),
        (["--corefile", "/nonexistent"], "/nonexistent: cannot be read: No such file"),
    ],
)
def test_one_line_for_what_cannot_be(arguments: list[str], problem: str, tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(WEB)
    command = [sys.executable, "-m", "kubehop", "dns", "serve", "-f", str(tmp_path)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"error: {problem}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_corefile_of_the_cluster_is_named(tmp_path: Path) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "coredns", "namespace": "kube-system"},
        "data": {"Corefile": ".:53 {\n kubernets cluster.local\n}\n"},
    }
    (tmp_path / "corefile.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "kubehop", "dns", "serve", "-f", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "error: ConfigMap kube-system/coredns: Corefile:2 - Error during" in done.stderr


def test_it_answers_when_nobody_reads_its_log_any_more(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(WEB)
    with serve("-f", str(tmp_path), "--log", "--health", "127.0.0.1:0") as served:
        assert served.says("/health on 127.0.0.1 port ")
        assert served.process.stdout is not None
        assert served.ask(NAME) == ("NOERROR", ["10.43.5.5"])
        assert f"udp A {NAME} 0 " in served.process.stdout.readline()
        served.process.stdout.close()
        for _ in range(3):
            assert served.ask(NAME) == ("NOERROR", ["10.43.5.5"])
