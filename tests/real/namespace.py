"""A network of the test's own: network and mount namespaces, made by root or anyone else."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from tests.real.needs import lacks, program

FILES = ("resolv.conf", "hosts", "nsswitch.conf")
"""The files of /etc that a resolver reads: the namespace has its own."""

_SET_UP = """set -e
ip link set lo up
while read -r command; do ip $command; done <"$1/addresses"
for name in {files}; do
  [ ! -e "/etc/$name" ] || mount --bind "$1/$name" "/etc/$name"
done
[ ! -d /run/nscd ] || mount -t tmpfs none /run/nscd # glibc would ask the host's name cache
exec "$2" -ISc "$3" "$4"
"""

# Lives in the namespace, holds it, and hands out its sockets until the test hangs up.
_HOLDER = """
import socket, sys
test = socket.socket(fileno=int(sys.argv[1]))
test.send(b"ready")
while asked := test.recv(2):
    with socket.socket(asked[0], asked[1]) as made:
        socket.send_fds(test, [b"+"], [made.fileno()])
"""


@dataclass(frozen=True)
class Namespace:
    """Loopback with the addresses that the test named; `folder` holds FILES, to write over."""

    folder: Path
    _holder: "subprocess.Popen[bytes]"
    _wire: socket.socket
    _enter: tuple[str, ...]

    def socket(self, family: int = socket.AF_INET, kind: int = socket.SOCK_DGRAM) -> socket.socket:
        """A socket inside, for use from here."""
        self._wire.send(bytes((family, kind)))
        _, fds, _, _ = socket.recv_fds(self._wire, 1, 1)
        return socket.socket(fileno=fds[0])

    def command(self, *command: str) -> tuple[str, ...]:
        """What runs `command` inside."""
        return (*self._enter, *command)

    def lasting(self, *command: str) -> tuple[str, ...]:
        """The same for a server: it ends with us, even if we are killed."""
        return (program("setpriv", "util-linux"), "--pdeathsig", "KILL", *self.command(*command))

    def run(self, *command: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a program inside to its end, with no input and in the C locale."""
        return subprocess.run(
            self.command(*command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env=os.environ | {"LC_ALL": "C"},
        )

    def write(self, name: str, text: str) -> None:
        """Give /etc/NAME inside another content; the file stays the one that is mounted."""
        assert name in FILES
        (self.folder / name).write_text(text)


@contextmanager
def namespace(
    folder: Path, addresses: Iterable[str], source: str = "", nsswitch: str = "hosts: files dns\n"
) -> Iterator[Namespace]:
    """Namespaces with `addresses` on lo; what is sent to them comes from `source`, if given."""
    unshare = [program("unshare", "util-linux"), "--net", "--mount"]
    enter = [program("nsenter", "util-linux"), "--net", "--mount"]
    if os.geteuid() != 0:
        unshare += ["--user", "--map-root-user"]
        enter += ["--user", "--preserve-credentials"]
    program("ip", "iproute2")
    texts = dict.fromkeys(FILES, "") | {"nsswitch.conf": nsswitch}
    (folder / "addresses").write_text("".join(_commands(tuple(addresses), source)))
    for name, text in texts.items():
        (folder / name).write_text(text)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    script = _SET_UP.format(files=" ".join(FILES))
    with ours:
        with theirs:
            fd = theirs.fileno()
            holder = subprocess.Popen(
                [*unshare, "sh", "-c", script, "sh", folder, sys.executable, _HOLDER, str(fd)],
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[fd],
            )
        try:
            if ours.recv(8) != b"ready":
                _, said = holder.communicate(timeout=10)
                lacks(f"user namespaces (unshare -Urnm): {said.decode(errors='replace').strip()}")
            yield Namespace(folder, holder, ours, (*enter, "--target", str(holder.pid)))
        finally:
            ours.close()
            holder.communicate(timeout=10)


def _commands(addresses: tuple[str, ...], source: str) -> Iterator[str]:
    """Arguments of `ip`, one command a line."""
    for address in (*addresses, *([source] if source else [])):
        if not ip_address(address).is_loopback:
            prefix = "32" if ip_address(address).version == 4 else "128 nodad"
            yield f"address add {address}/{prefix} dev lo\n"
    for address in addresses if source else ():
        if ip_address(address).version == ip_address(source).version:
            yield f"route replace table local local {address} dev lo src {source}\n"
