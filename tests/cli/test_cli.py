"""Commands as a user types them: exit codes, JSON that the documentation describes, errors."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import kubehop
from kubehop.cli.main import run
from tests.shared_files import shared

ROOT = Path(__file__).parents[2]
EXAMPLE = str(Path(kubehop.__file__).parent / "data" / "notes-cluster.yaml")

# what -> exit code, as the help of each command promises
CODES: list[tuple[list[str], int]] = [
    (["trace", "pod/busybox", "svc/whoami:80"], 0),
    (["trace", "external", "svc/example-service:8765"], 0),
    (["trace", "external", "svc/example-service:8765", "--via", "nodeport"], 1),
    (["trace", "external", "10.43.0.1:443"], 1),
    (["trace", "pod/absent", "svc/whoami:80"], 2),
    (["trace", "pod/busybox", "svc/whoami:81"], 2),
    (["trace", "pod/busybox", "whoami.default:80"], 0),
    (["trace", "pod/busybox", "nosuch:80"], 1),
    (["trace", "pod/busybox", "example.com:80"], 2),
    (["trace", "pod/busybox", "example.com:http", "--host", "example.com=192.0.2.1"], 2),
    (["resolve", "whoami", "--from", "pod/busybox"], 0),
    (["resolve", "whoami", "--from", "pod/busybox", "-o", "name"], 0),
    (["resolve", "whoami"], 0),
    (["resolve", "nosuch", "--from", "pod/busybox"], 1),
    (["resolve", "kubernetes.default", "--resolver", "all"], 1),
    (["resolve", "whoami", "--resolver", "windows"], 2),
    (["resolve", "whoami", "--from", "pod/absent"], 2),
    (["resolve", "whoami", "--host", "a"], 2),
    (["resolve", "whoami", "--host", "a b=192.0.2.1"], 2),
    (["resolve", "whoami", "--host", ".=192.0.2.1"], 2),
    (["resolve", "whoami", "--cluster-domain", "a..b"], 2),
    (["resolve", "whoami", "--cluster-domain", "a b"], 2),
    (["resolve", "whoami", "--cluster-domain", ""], 2),
    (["resolve", "whoami", "--cluster-domain", "corp.internal."], 0),
    (["resolve", "b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example"], 2),
    (["resolve", "whoami", "--corefile", "/dev/zero"], 2),
    (["resolve", "whoami", "--corefile", ""], 2),
    (["resolve", "whoami.defualt"], 1),
    (["resolve", "a..b", "--resolver", "all"], 1),
    (["trace", "pod/busybox", "whoami.default:80", "--via", "nodeport"], 2),
    (["trace", "pod/busybox", "whoami.default:80", "--node", "node-9"], 2),
    (["resolve", "whoami", "--server", "127.0.0.1"], 2),
    (["resolve", "whoami", "--live", "--server", "a"], 2),
    (["resolve", "whoami", "--cluster-dns", "a"], 2),
    (["resolve", "whoami", "--corefile", "/nonexistent"], 2),
    (["nslookup", "whoami", "--server", "a"], 2),
    (["nslookup", "whoami", "--style", "a"], 2),
    (["nslookup", "whoami", "--server", "127.0.0.1:1"], 2),
    (["nslookup", "a..b", "--server", "127.0.0.1:1", "--from", "pod/busybox"], 10),
    (["nslookup", "a", "--server", "[::1]", "--from", "pod/absent"], 2),
    (["dns", "serve", "--listen", "a"], 2),
    (["dns", "serve", "--health", "127.0.0.1"], 2),
    (["dns", "serve", "--metrics", "::1"], 2),
    (["trace", "nonsense", "svc/whoami:80"], 2),
    (["service", "example-service"], 0),
    (["service", "-A"], 0),
    (["service", "absent"], 2),
    (["service", "example-service", "--set", "externalTraficPolicy=Local"], 2),
    (["service", "whoami", "--set", "externalTrafficPolicy=Local"], 2),
    (["service", "example-service", "--set", "ports[0].port=http"], 2),
]


@pytest.mark.parametrize(("arguments", "code"), CODES)
def test_exit_codes(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*arguments, "-f", EXAMPLE]) == code
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err
    assert all(len(line) <= 100 for line in shown.out.splitlines())
    if code == 2:
        assert shown.err.startswith("error: ")
        assert shown.err.count("\n") == 1


def paths(value: Any, at: str = "") -> set[str]:
    """`fates[].hops[].node` and so on, for everything in a JSON value."""
    if isinstance(value, dict):
        inside = {p for k, v in value.items() for p in paths(v, f"{at}.{k}" if at else k)}
        return inside | ({at} if at else set())
    if isinstance(value, list):
        return {p for entry in value for p in paths(entry, at + "[]")} | {at + "[]"}
    return {at}


def documented(kind: str) -> set[str]:
    """The fields of the kind's table in docs/json.md."""
    text = (ROOT / "docs/json.md").read_text()
    section = text.split(f"\n## {kind}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("Trace", ["trace", "external", "svc/example-service:8765"]),
        ("Lookup", ["resolve", "kubernetes.default", "--from", "pod/busybox"]),
        ("Spread", ["service", "example-service", "--set", "externalTrafficPolicy=Cluster"]),
    ],
)
def test_json_is_what_the_documentation_says(
    kind: str, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    run([*arguments, "-f", EXAMPLE, "-o", "json"])
    value = json.loads(capsys.readouterr().out)
    assert (value["apiVersion"], value["kind"]) == ("kubehop/v1", kind)
    printed = {p for p in paths(value) if not p.startswith("after.")}
    leaves = {p for p in printed if not any(q.startswith((p + ".", p + "[")) for q in printed)}
    assert leaves - documented(kind) <= {"notes[]", "unknown[]"}
    assert {p for p in documented(kind) if p not in printed} <= {"notes[]", "unknown[]"}


@pytest.mark.parametrize("folder", ["ingress-nginx", "minikube", "online-boutique"])
def test_real_inputs_are_explained(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["service", "-A", "-f", str(shared(f"data/{folder}"))]) in (0, 1)
    assert "Traceback" not in capsys.readouterr().err


def test_local_with_one_replica_on_three_nodes(capsys: pytest.CaptureFixture[str]) -> None:
    files = str(shared("data/ingress-nginx"))
    name = ["ingress-nginx-controller", "-n", "ingress-nginx"]
    assert run(["service", *name, "-f", files]) == 0
    shown = capsys.readouterr().out
    assert "Load balancer sends to: node-2\n" in shown
    assert "node-0, node-1: outsiders that get there time out" in shown


def test_snapshot_answers_like_its_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = str(tmp_path / "saved.json")
    assert run(["snapshot", saved, "-f", EXAMPLE]) == 0
    assert run(["snapshot", saved, "-f", EXAMPLE]) == 2
    capsys.readouterr()
    answers = []
    for source in (EXAMPLE, saved):
        assert run(["service", "-A", "-f", source, "-o", "json"]) == 0
        answers.append(capsys.readouterr().out)
    assert answers[0] == answers[1]
