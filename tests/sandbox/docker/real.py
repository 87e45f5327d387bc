"""Debian's dockerd on a host of its own."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.real.needs import program
from tests.real.runtimes.host import Host, host, wait_for
from tests.real.runtimes.images import busybox, layer

IMAGE = "kubehop:1"
_START = """
for version in "" 6; do
  for one in tables tables-save tables-restore; do
    mkdir -p /run/bin
    ln -s "$1" "/run/bin/ip$version$one"
  done
done
PATH=/run/bin:$PATH exec "$2" --data-root "$3/data" --exec-root /run/docker -p /run/docker.pid \
  -H unix:///run/docker.sock --userland-proxy=false --ipv6 --fixed-cidr-v6 fd00:d0c::/64 \
  --cgroup-parent "/$4"
"""


@dataclass(frozen=True, slots=True)
class Dockerd:
    """`socket` is its path out here."""

    host: Host
    socket: str

    def docker(self, *words: str, stdin: bytes = b"") -> str:
        """What docker's own command printed."""
        command = [program("docker", "docker.io"), "-H", f"unix://{self.socket}", *words]
        done = subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=60)
        assert done.returncode == 0, (words, done.stderr, self.host.said())
        return done.stdout.decode().strip()

    def run(self, name: str, *options: str) -> str:
        """Start a container; its id."""
        return self.docker("run", "-d", "--name", name, *options, IMAGE, "/bin/sleep", "9999")

    def inspected(self, name: str, field: str) -> str:
        return self.docker("inspect", "-f", f"{{{{{field}}}}}", name)

    def addresses(self, pid: int) -> set[str]:
        """Of its network, by `ip`, without those of a link or the loopback."""
        links = json.loads(self.host.inside(pid, "ip", "-j", "addr").stdout)
        return {
            each["local"]
            for link in links
            for each in link["addr_info"]
            if each["scope"] == "global"
        }


@contextmanager
def dockerd() -> Iterator[Dockerd]:
    """A daemon with one image."""
    tables = str(Path(program("xtables-nft-multi", "iptables")).resolve())
    words = (tables, program("dockerd", "docker.io"), "{folder}", "{cgroup}")
    with host("sh", "-c", _START.replace("{", "{{").replace("}", "}}"), "sh", *words) as made:
        daemon = Dockerd(made, str(made.folder / "run/docker.sock"))
        wait_for(lambda: "API listen on" in made.said(), made.said)
        daemon.docker("import", "-", IMAGE, stdin=layer(busybox()))
        yield daemon
