"""The DNS servers that are compared: one worker each, the same names, started one by one."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.dns_mix import DOMAIN, Address

START_SECONDS = 120
STOP_SECONDS = 10
TICKS = os.sysconf("SC_CLK_TCK")

COREFILE = """\
.:53 {{
    errors
    kubernetes {domain} in-addr.arpa ip6.arpa {{
        endpoint {api}
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }}
    forward . 127.0.0.1:1
    cache 30 {{
        disable success {domain}
        disable denial {domain}
    }}
    loadbalance
}}
"""
"""kubeadm's, without what opens further ports; ours and CoreDNS read the same text."""

UNBOUND = """\
server:
    interface: 127.0.0.1@{port}
    num-threads: 1
    chroot: ""
    username: ""
    pidfile: ""
    directory: "{folder}"
    use-syslog: no
    logfile: ""
    verbosity: 0
    module-config: "iterator"
    local-zone: "{domain}." static
    include: "{folder}/names"
"""
KNOT = """\
server:
    rundir: "{folder}"
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: error
database:
    storage: "{folder}"
zone:
  - domain: {domain}
    file: "{folder}/zone"
    zonefile-load: whole
    journal-content: none
"""
SOA = "SOA ns.dns.{domain}. hostmaster.{domain}. 1 7200 1800 86400 30"


class MissingError(Exception):
    """A server that this machine does not have; says what it needs."""


@dataclass(frozen=True)
class Running:
    """A server that answers on a port of 127.0.0.1; `report` is what ours says of itself."""

    process: "subprocess.Popen[str]"
    port: int
    report: str = ""

    @property
    def cpu_seconds(self) -> float:
        """User and system time of all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @property
    def megabytes(self) -> float:
        """Resident memory."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def program(name: str) -> str:
    """The path of a program, which may be one for root."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if not found:
        raise MissingError(f"needs {name}")
    return found


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def started(
    command: list[str], port: int, *, reports: bool = False, **environment: str
) -> Iterator[Running]:
    """Run a server on the first core until the body ends; begins when it answers."""
    process = subprocess.Popen(
        ["taskset", "-c", "0", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if reports else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | environment,
    )
    try:
        _wait(process, command[0], port)
        report = process.stdout.readline() if process.stdout else ""
        yield Running(process, port, report)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: "subprocess.Popen[str]", program: str, port: int) -> None:
    query = bytes.fromhex("000101000001000000000000") + b"\7cluster\5local\0\0\6\0\1"
    end = time.monotonic() + START_SECONDS
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", port))
        sock.settimeout(0.2)
        while time.monotonic() < end and process.poll() is None:
            try:
                sock.send(query)
                if len(sock.recv(512)) > len(query):
                    return
            except OSError:
                time.sleep(0.1)
    raise MissingError(f"{Path(program).name} does not start")


@contextmanager
def kubehop(scale: float, folder: Path) -> Iterator[Running]:
    """Ours; its first line of output are its own figures."""
    port = free_port()
    (folder / "Corefile").write_text(COREFILE.format(domain=DOMAIN, api="http://127.0.0.1:1"))
    serve = ["-m", "benchmarks.dns_serve", str(scale), str(port), str(folder / "Corefile")]
    with started([sys.executable, *serve], port, reports=True) as running:
        yield running


@contextmanager
def coredns(path: str, api: str, folder: Path) -> Iterator[Running]:
    port = free_port()
    text = COREFILE.format(domain=DOMAIN, api=api).replace(":53", f":{port}")
    text = text.replace("errors", "errors\n    bind 127.0.0.1")
    (folder / "Corefile").write_text(text)
    command = [path, "-conf", str(folder / "Corefile")]
    with started(command, port, GOMAXPROCS="1") as running:
        yield running


@contextmanager
def unbound(names: list[Address], folder: Path) -> Iterator[Running]:
    port = free_port()
    records = [f'local-data: "{name} 30 A {address}"\n' for name, address in names]
    soa = f'local-data: "{DOMAIN}. 30 {SOA.format(domain=DOMAIN)}"\n'
    (folder / "names").write_text("".join((soa, *records)))
    (folder / "conf").write_text(UNBOUND.format(port=port, folder=folder, domain=DOMAIN))
    with started([program("unbound"), "-d", "-c", str(folder / "conf")], port) as running:
        yield running


@contextmanager
def knot(names: list[Address], folder: Path) -> Iterator[Running]:
    port = free_port()
    records = [f"{name} 30 A {address}\n" for name, address in names]
    head = f"{DOMAIN}. 30 {SOA.format(domain=DOMAIN)}\n{DOMAIN}. 30 NS ns.dns.{DOMAIN}.\n"
    (folder / "zone").write_text("".join((head, *records)))
    (folder / "conf").write_text(KNOT.format(port=port, folder=folder, domain=DOMAIN))
    with started([program("knotd"), "-c", str(folder / "conf")], port) as running:
        yield running
