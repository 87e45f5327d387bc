"""Programs that look names up, run cold against a scenario: recordings of the shared schema."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.real.clients import musl_version
from tests.real.namespace import Namespace, namespace
from tests.real.needs import lacks, program
from tests.real.scene_server import Scene, playing

Command = tuple[str, ...]
SOURCES = Path(__file__).parent / "programs"
HOSTS = "127.0.0.1 localhost\n10.42.0.5 mypod\n10.9.9.9 foo.alias\n"
POD_ADDRESS = "10.42.0.5"
BROKEN_OFF = 61.0
"""Seconds after which a lookup is ended."""
HEADER = {
    "caveats": ["resolv.conf nameserver 127.0.0.99 = nothing listening"],
    "schema": "one lookup per line after this header line",
}


@dataclass(frozen=True, slots=True)
class Program:
    """A program as the recordings call it, and how it is started (given a folder to build in)."""

    name: str
    command: Callable[[Path], Command]


def _tool(name: str, package: str, *options: str) -> Callable[[Path], Command]:
    return lambda folder: (program(name, package), *options)


def _absent(name: str, where: str) -> str:
    return shutil.which(name) or lacks(f"{name} ({where}) on PATH", in_ci=False)


def _built(target: Path, *command: str, **environment: str) -> Path:
    if not target.exists():
        ran = subprocess.run(
            command, capture_output=True, text=True, check=False, env=os.environ | environment
        )
        assert ran.returncode == 0, ran.stderr
    return target


def _libc(compiler: str, package: str, mode: str) -> Callable[[Path], Command]:
    def command(folder: Path) -> Command:
        target = folder / f"libc-{compiler}"
        cc, source = program(compiler, package), str(SOURCES / "libc.c")
        _built(target, cc, "-static" if "musl" in cc else "-O1", source, "-o", str(target))
        return str(target), mode

    return command


def _go(network: str) -> Callable[[Path], Command]:
    def command(folder: Path) -> Command:
        target, source = folder / "lookup-go", str(SOURCES / "lookup.go")
        go = _absent("go", "go.dev")
        _built(target, go, "build", "-o", str(target), source, CGO_ENABLED="0", GOWORK="off")
        return str(target), network

    return command


def _java(folder: Path) -> Command:
    java, javac = _absent("java", "OpenJDK"), _absent("javac", "OpenJDK")
    _built(folder / "Lookup.class", javac, "-d", str(folder), str(SOURCES / "Lookup.java"))
    return java, "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", str(folder), "Lookup"


def _node(call: str) -> Callable[[Path], Command]:
    return lambda folder: (_absent("node", "nodejs.org"), str(SOURCES / "lookup.js"), call)


def _python(script: str) -> Callable[[Path], Command]:
    return lambda folder: (sys.executable, "-B", str(SOURCES / script))


_UTILS = "bind9-dnsutils"
PROGRAMS = (
    Program("glibc-getaddrinfo", _libc("gcc", "gcc", "unspec")),
    Program("glibc-getaddrinfo-AF_INET", _libc("gcc", "gcc", "inet")),
    Program("glibc-gethostbyname", _libc("gcc", "gcc", "byname")),
    Program("musl", _libc("musl-gcc", "musl-tools", "unspec")),
    Program("busybox-nslookup-debian", _tool("busybox", "busybox", "nslookup")),
    Program("dig", _tool("dig", _UTILS)),
    Program("dig+search", _tool("dig", _UTILS, "+search")),
    Program("host", _tool("host", "bind9-host")),
    Program("nslookup-bind9", _tool("nslookup", _UTILS)),
    Program("go-pure", _go("ip")),
    Program("go-pure-ip4", _go("ip4")),
    Program("java-17", _java),
    Program("node-20-lookup", _node("lookup")),
    Program("node-20-resolve4", _node("resolve4")),
    Program("python-3.11", _python("c_python.py")),
    Program("dnspython-resolve", _python("dns_python.py")),
)


@cache
def called(name: str) -> str:
    """The name in a recording: that of musl has its version."""
    return f"musl-getaddrinfo-{musl_version()}" if name == "musl" else name


@dataclass(frozen=True, slots=True)
class Asked:
    """One lookup to record."""

    program: Program
    scenario: str
    resolv_conf: str
    name: str

    def __str__(self) -> str:
        return f"{self.program.name} {self.name} {self.scenario} {self.resolv_conf!r}"


@dataclass(frozen=True, slots=True)
class Studio:
    """A namespace as the shared recordings had it, with nameservers that play scenarios."""

    inside: Namespace
    scene: Scene
    programs: Path

    def record(self, asked: Asked, seconds: float = BROKEN_OFF) -> dict[str, Any]:
        """Run one lookup: a line of a recording."""
        command = self.inside.command(*asked.program.command(self.programs), asked.name)
        self.inside.write("resolv.conf", asked.resolv_conf)
        self.scene.begin(asked.scenario)
        began = time.monotonic()
        ran = _run(command, seconds)
        elapsed = time.monotonic() - began
        return {
            "resolver": called(asked.program.name),
            "version": "of this machine",
            "resolv_conf": asked.resolv_conf,
            "name": asked.name,
            "scenario": asked.scenario,
            "exit": ran.returncode,
            "elapsed_s": round(elapsed, 3),
            "stdout": ran.stdout,
            "stderr": ran.stderr,
            "queries": self.scene.taken(),
        }


def _run(command: Command, seconds: float) -> "subprocess.CompletedProcess[str]":
    running = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"LC_ALL": "C"},
    )
    try:
        stdout, stderr = running.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        running.kill()
        stdout, stderr = running.communicate()
    return subprocess.CompletedProcess(command, running.returncode, stdout, stderr)


@contextmanager
def studio(folder: Path, programs: Path) -> Iterator[Studio]:
    """A studio whose files lie in `folder`; `programs` has what was built."""
    folder.mkdir()
    with namespace(folder, [POD_ADDRESS]) as inside, playing(inside) as scene:
        inside.write("hosts", HOSTS)
        yield Studio(inside, scene, programs)
