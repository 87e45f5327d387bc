"""Where runtimes of this host serve CRI: what the kubelet and crictl are told, then known places.

Reads files and /proc, connects to nothing.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress

from kubehop.sandbox.cri import settings

KNOWN = (
    "/run/containerd/containerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/var/snap/microk8s/common/run/containerd.sock",
    "/run/k0s/containerd.sock",
    "/var/lib/k0s/run/containerd.sock",
    "/run/crio/crio.sock",
    "/run/cri-dockerd.sock",
)
_FILES = (
    ("/var/lib/kubelet/config.yaml", settings.of_kubelet_config),
    ("/var/lib/kubelet/kubeadm-flags.env", settings.of_arguments_file),
    ("/var/snap/microk8s/current/args/kubelet", settings.of_arguments_file),
    ("/etc/crictl.yaml", settings.of_crictl),
)
_KUBELETS = (b"kubelet\n", b"kubelite\n", b"k3s-server\n", b"k3s-agent\n")
"""Names of the processes that are a kubelet, or have one inside."""
_LARGEST = 1 << 20


def path_of(endpoint: str) -> str:
    """The path of a unix socket, of a path or a `unix://` URL; "" for another endpoint."""
    path = endpoint.removeprefix("unix:")
    if path.startswith("//"):
        path = "/" + path.lstrip("/")
    return path if path.startswith("/") and "\0" not in path else ""


def endpoints(root: str = "/") -> list[str]:
    """Paths of the sockets that are there, each socket once, in the order to try.

    First what the environment says (CONTAINER_RUNTIME_ENDPOINT, crictl's), the kubelet's files,
    crictl's; if these name no socket that is there, the arguments of a kubelet that runs. Then
    `KNOWN`. `root` is a folder in which the host's files are; the environment is then not ours.
    """
    found: dict[object, str] = {}
    said = [*_environment(root), *_files(root)]
    _add(found, root, said)
    if not found:
        _add(found, root, _arguments(root))
    _add(found, root, KNOWN)
    return list(found.values())


def _add(
    found: dict[object, str], root: str, candidates: "Iterator[str] | list[str] | tuple[str, ...]"
) -> None:
    for candidate in candidates:
        for path in _places(root, path_of(candidate)):
            identity = _socket(path)
            if identity is not None:
                found.setdefault(identity, path)
                break


def _places(root: str, path: str) -> Iterator[str]:
    """`path` below `root`. /var/run links to /run with a path that would leave another root."""
    base = root.rstrip("/")
    if path.startswith("/var/run/"):
        yield base + path.removeprefix("/var")
    if path:
        yield base + path


def _socket(path: str) -> object | None:
    """What tells the socket at `path` from others; None if there is none.

    Where we may not look it might be, and asking will tell.
    """
    try:
        found = os.stat(path)
    except PermissionError:
        return path
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISSOCK(found.st_mode) else None


def _environment(root: str) -> Iterator[str]:
    endpoint = os.environ.get("CONTAINER_RUNTIME_ENDPOINT", "")
    if endpoint and root == "/":
        yield endpoint


def _files(root: str) -> Iterator[str]:
    for path, read in _FILES:
        with suppress(OSError):
            yield from read(_content(root.rstrip("/") + path).decode(errors="replace"))


def _arguments(root: str) -> Iterator[str]:
    """What kubelets that run were started with. Only their cmdline is read, of all others comm."""
    proc = root.rstrip("/") + "/proc"
    with suppress(OSError):
        for entry in os.listdir(proc):
            if entry.isdigit():
                with suppress(OSError):
                    yield from _of_process(f"{proc}/{entry}")


def _of_process(folder: str) -> Iterator[str]:
    if _content(f"{folder}/comm") in _KUBELETS:
        words = _content(f"{folder}/cmdline").decode(errors="replace").split("\0")
        yield from settings.of_arguments(words)


def _content(path: str) -> bytes:
    """The beginning of a regular file; nothing is waited for."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        return os.read(fd, _LARGEST) if stat.S_ISREG(os.fstat(fd).st_mode) else b""
    finally:
        os.close(fd)
