"""Which sockets are tried, and in which order."""

import os
import shlex
import socket
from pathlib import Path

import pytest

from kubehop.sandbox.cri import cri_sources
from kubehop.sandbox.cri.endpoints import KNOWN, endpoints, path_of
from kubehop.sandbox.cri.settings import of_arguments_file, of_crictl, of_kubelet_config

CONTAINERD, K3S, CRIO = KNOWN[0], KNOWN[1], KNOWN[5]
DOCKERD = "/run/cri-dockerd.sock"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path


def listen(root: Path, *paths: str) -> None:
    here = os.open(".", os.O_RDONLY)
    try:
        for path in paths:
            place = root / path.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            os.chdir(place.parent)  # a socket's path has 107 octets at most
            with socket.socket(socket.AF_UNIX) as sock:
                sock.bind(place.name)
    finally:
        os.fchdir(here)
        os.close(here)


def write(root: Path, path: str, text: str) -> None:
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def process(root: Path, pid: int, comm: str, *command: str) -> None:
    write(root, f"/proc/{pid}/comm", comm + "\n")
    write(root, f"/proc/{pid}/cmdline", "".join(f"{word}\0" for word in command))


def found(root: Path) -> list[str]:
    return [path.removeprefix(str(root)) for path in endpoints(str(root))]


def test_none(root: Path) -> None:
    assert found(root) == []
    assert cri_sources(str(root)) == []


def test_known_places_that_are_there(root: Path) -> None:
    listen(root, CRIO, K3S)
    write(root, CONTAINERD, "no socket")
    assert found(root) == [K3S, CRIO]
    assert [each.name for each in cri_sources(str(root))] == [
        f"CRI at {root}{K3S}",
        f"CRI at {root}{CRIO}",
    ]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/var/lib/kubelet/config.yaml", f"kind: K\ncontainerRuntimeEndpoint: unix://{DOCKERD}\n"),
        ("/var/lib/kubelet/config.yaml", f'containerRuntimeEndpoint: "{DOCKERD}" # ours\n'),
        ("/var/lib/kubelet/config.yaml", f'{{"a":1,"containerRuntimeEndpoint":"unix:{DOCKERD}"}}'),
        (
            "/var/lib/kubelet/kubeadm-flags.env",
            f'KUBELET_KUBEADM_ARGS="--container-runtime-endpoint=unix://{DOCKERD} --x=y"\n',
        ),
        ("/etc/crictl.yaml", f"runtime-endpoint: 'unix:///var{DOCKERD}'\ntimeout: 2\n"),
        (
            "/var/snap/microk8s/current/args/kubelet",
            f"--a=b\n--container-runtime-endpoint={DOCKERD}\n",
        ),
    ],
)
def test_what_files_say_comes_first(root: Path, path: str, text: str) -> None:
    listen(root, CONTAINERD, DOCKERD)
    write(root, path, text)
    assert found(root) == [DOCKERD, CONTAINERD]


def test_the_kubelets_word_before_crictls(root: Path) -> None:
    listen(root, CONTAINERD, CRIO, DOCKERD)
    write(root, "/etc/crictl.yaml", f"runtime-endpoint: unix://{DOCKERD}")
    write(root, "/var/lib/kubelet/config.yaml", f"containerRuntimeEndpoint: unix://{CRIO}")
    assert found(root) == [CRIO, DOCKERD, CONTAINERD]


@pytest.mark.parametrize(
    ("comm", "command", "first"),
    [
        ("kubelet", ("kubelet", f"--container-runtime-endpoint=unix://{CRIO}"), CRIO),
        ("kubelet", ("kubelet", "--container-runtime-endpoint", f"unix://{CRIO}"), CRIO),
        ("k3s-server", ("k3s", "server", f"--container-runtime-endpoint={CRIO}"), CRIO),
        ("kubelet", ("kubelet", "--container-runtime-endpoint"), CONTAINERD),
        ("bash", ("kubelet", f"--container-runtime-endpoint=unix://{CRIO}"), CONTAINERD),
    ],
)
def test_arguments_of_a_kubelet(
    root: Path, comm: str, command: tuple[str, ...], first: str
) -> None:
    listen(root, CONTAINERD, CRIO)
    process(root, 1, "systemd", "/sbin/init")
    process(root, 77, comm, *command)
    (root / "proc/78").mkdir()  # ended meanwhile
    assert found(root)[0] == first


def test_a_socket_by_two_paths_is_one(root: Path) -> None:
    listen(root, CONTAINERD)
    (root / "var").mkdir()
    (root / "var/run").symlink_to("/run")  # absolute, as some have it: it leads out of this root
    write(root, "/etc/crictl.yaml", f"runtime-endpoint: unix:///var{CONTAINERD}")
    (root / "run/k3s/containerd").mkdir(parents=True)
    (root / K3S.lstrip("/")).symlink_to(f"{root}{CONTAINERD}")
    assert found(root) == [CONTAINERD]


def test_the_environment_is_for_this_host(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listen(root, CONTAINERD, "/run/mine.sock")
    monkeypatch.setenv("CONTAINER_RUNTIME_ENDPOINT", f"unix://{root}/run/mine.sock")
    assert endpoints("/")[0] == f"{root}/run/mine.sock"
    assert found(root) == [CONTAINERD]


@pytest.mark.parametrize("odd", ["fifo", "folder", "octets", "large"])
def test_odd_files(root: Path, odd: str) -> None:
    listen(root, CONTAINERD)
    path = root / "etc/crictl.yaml"
    path.parent.mkdir()
    match odd:
        case "fifo":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "octets":
            path.write_bytes(b"runtime-endpoint: \xff\0/x\n")
        case "large":
            path.write_text("runtime-endpoint: " * 200_000)
    assert found(root) == [CONTAINERD]


@pytest.mark.parametrize(
    ("endpoint", "path"),
    [
        ("unix:///run/a.sock", "/run/a.sock"),
        ("unix:/run/a.sock", "/run/a.sock"),
        ("unix:////run/a.sock", "/run/a.sock"),
        ("/run/a.sock", "/run/a.sock"),
        ("tcp://10.0.0.1:80", ""),
        ("npipe:////./pipe/containerd", ""),
        ("run/a.sock", ""),
        ("/run/\0", ""),
    ],
)
def test_paths(endpoint: str, path: str) -> None:
    assert path_of(endpoint) == path


def test_settings_that_only_look_alike() -> None:
    assert not list(of_kubelet_config("# containerRuntimeEndpoint: /x\nfoo: 1\n"))
    assert not list(of_kubelet_config("nested:\n  a: containerRuntimeEndpoint\n"))
    assert not list(of_crictl("image-endpoint: /x\n"))
    assert not list(of_crictl("runtime-endpoint:\n"))
    assert not list(of_crictl('runtime-endpoint: ""\n'))
    assert list(of_crictl("image-endpoint: /y\nruntime-endpoint: /x\n")) == ["/x"]
    words = "--container-runtime-endpoint=/a --container-runtime-endpoint=/b"
    assert list(of_arguments_file(shlex.quote(words))) == ["/b"]
