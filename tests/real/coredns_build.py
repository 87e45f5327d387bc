"""The real CoreDNS, built from the pinned Go modules in `coredns/` into the user's cache."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.real.needs import lacks

SOURCE = Path(__file__).parent / "coredns"
BUILD_SECONDS = 900

Version = tuple[int, ...]


def coredns() -> Path:
    """The program, built now if it is not in the cache; two builders wait for each other."""
    program = _cache() / f"coredns-{_key()}" / "coredns"
    if not program.exists():
        go = _go()
        program.parent.mkdir(parents=True, exist_ok=True)
        with (program.parent / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not program.exists():
                _build(go, program)
    return program


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "kubehop"


def _key() -> str:
    """Names the version for people, and all that it is built from for the cache."""
    whole = b"".join((SOURCE / name).read_bytes() for name in ("go.mod", "go.sum", "main.go"))
    version = _pinned(r"github\.com/coredns/coredns (v\S+)")
    return f"{version}-{os.uname().machine}-{hashlib.sha256(whole).hexdigest()[:12]}"


def _pinned(pattern: str) -> str:
    found = re.search(pattern, (SOURCE / "go.mod").read_text())
    assert found, f"tests/real/coredns/go.mod does not say {pattern}"
    return found[1]


def _go() -> str:
    """The Go command; Debian's is too old, so scripts/system does not install it."""
    wanted = _pinned(r"(?m)^go (\S+)$")
    needs = f"Go {wanted} or newer (go.dev) to build CoreDNS"
    go = shutil.which("go") or lacks(needs, in_ci=False)
    said = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False)
    if _version(said.stdout) < _version(wanted):
        lacks(f"{needs}, and this is {said.stdout.strip() or 'none'}", in_ci=False)
    return go


def _version(text: str) -> Version:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def _build(go: str, program: Path) -> None:
    modules = _run(go, "list", "-deps", ".")
    if modules.returncode:
        lacks(f"the Go modules of {SOURCE.name}: {modules.stderr.strip()[-300:]}")
    fresh = program.with_suffix(f".{os.getpid()}")
    # -buildvcs: the version is CoreDNS's own, whatever repository the source lies in.
    built = _run(
        go, "build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o", str(fresh), "."
    )
    if built.returncode:
        pytest.fail(f"CoreDNS does not build:\n{built.stderr[-3000:]}")
    fresh.replace(program)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=SOURCE, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
    )
