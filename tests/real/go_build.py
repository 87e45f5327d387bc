"""Real programs, built from pinned Go modules into the user's cache."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.real.needs import lacks

_SECONDS = 900

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Module:
    """What `go build` makes of a folder: `name` is for people, `pinned` the module they mean.

    `packages` and `options` are the build's; `files` are all that it is built from.
    """

    source: Path
    name: str
    pinned: str
    packages: tuple[str, ...] = (".",)
    options: tuple[str, ...] = ("-ldflags=-s -w",)
    files: tuple[str, ...] = ("go.mod", "go.sum")

    def version(self) -> str:
        return self._said(rf"(?m)\b{re.escape(self.pinned)} (v\S+)")

    def built(self) -> Path:
        """The folder of its programs, built now if it is not in the cache.

        Two builders wait for each other.
        """
        folder = _cache() / f"{self.source.name}-{self._key()}"
        done = folder / "built"
        if not done.exists():
            go = self._go()
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / "lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not done.exists():
                    self._build(go, folder)
                    done.touch()
        return folder

    def _key(self) -> str:
        """Names the version for people, and all that it is built from for the cache."""
        whole = b"".join((self.source / name).read_bytes() for name in self.files)
        whole += "\0".join((*self.packages, *self.options)).encode()
        machine = os.uname().machine
        return f"{self.version()}-{machine}-{hashlib.sha256(whole).hexdigest()[:12]}"

    def _said(self, pattern: str) -> str:
        found = re.search(pattern, (self.source / "go.mod").read_text())
        assert found, f"{self.source}/go.mod does not say {pattern}"
        return found[1]

    def _go(self) -> str:
        """The Go command; Debian's is too old, so scripts/system does not install it."""
        wanted = self._said(r"(?m)^go (\S+)$")
        needs = f"Go {wanted} or newer (go.dev) to build {self.name}"
        go = shutil.which("go") or lacks(needs, in_ci=False)
        said = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False)
        if _version(said.stdout) < _version(wanted):
            lacks(f"{needs}, and this is {said.stdout.strip() or 'none'}", in_ci=False)
        return go

    def _build(self, go: str, folder: Path) -> None:
        modules = self._run(go, "list", "-deps", *self.packages)
        if modules.returncode:
            lacks(f"the Go modules of {self.name}: {modules.stderr.strip()[-300:]}")
        fresh = folder / f"fresh.{os.getpid()}"
        fresh.mkdir(exist_ok=True)
        # -buildvcs: the version is the program's own, whatever repository the source lies in.
        always = ("-buildvcs=false", "-trimpath", "-o", f"{fresh}/")
        built = self._run(go, "build", *always, *self.options, *self.packages)
        if built.returncode:
            pytest.fail(f"{self.name} does not build:\n{built.stderr[-3000:]}")
        for program in fresh.iterdir():
            program.replace(folder / program.name)
        fresh.rmdir()

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.source,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "kubehop"


def _version(text: str) -> Version:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])
