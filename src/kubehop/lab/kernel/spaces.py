"""The sandboxes of a lab: namespaces, the process that holds them, and how to get inside.

Namespaces are the calling thread's: it leaves for new ones, starts the pause process there and
comes back. What a thread opens there stays there.
"""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2s
from itertools import count
from pathlib import Path
from socket import if_nametoindex, sethostname

from kubehop.lab.kernel.base import Base
from kubehop.lab.kernel.gone import wait_until_gone
from kubehop.lab.kernel.nft import Rules
from kubehop.lab.kernel.pause import Pause
from kubehop.lab.kernel.rtnetlink import LOOPBACK
from kubehop.lab.kernel.workers import CORES, Workers
from kubehop.lab.plan.values import Sandbox
from kubehop.linux import libc
from kubehop.linux.fds import out_of_the_way
from kubehop.linux.netlink import Netlink
from kubehop.model.errors import ClusterError, UsageError

_KINDS = {"net": libc.NEWNET, "uts": libc.NEWUTS, "ipc": libc.NEWIPC, "mnt": libc.NEWNS}
_ALL = sum(_KINDS.values())
_LINK_LOCAL = "/proc/sys/net/ipv6/conf/default/addr_gen_mode"
"""1: links get no fe80:: address, hence no address detection and no solicitation."""
_FIRST_INDEX = 100
"""Of our devices: below are what modules (ipip, sit, ...) put into every namespace."""


@dataclass
class Space:
    """A sandbox that stands: its pause process, its network namespace, what is open in it."""

    pid: int
    net: int
    files: tuple[tuple[str, str], ...] = ()
    devices: dict[str, int] = field(default_factory=lambda: {"lo": LOOPBACK})
    links: Netlink | None = None
    rules: Rules | None = None
    _indices: Iterator[int] = field(default_factory=partial(count, _FIRST_INDEX))

    def new_index(self, device: str) -> int:
        """An interface index for a device that is about to be made."""
        self.devices[device] = index = next(self._indices)
        return index

    def close(self) -> None:
        """Let go of it; it ends with its pause process and the last socket in it."""
        for held in (self.links, self.rules):
            if held:
                held.close()
        os.close(self.net)


class Spaces:
    """All sandboxes by namespace. Threads may get inside at any time; one makes and removes."""

    def __init__(self, base: Base, workers: Workers) -> None:
        self._base, self._workers = base, workers
        self._pause = Pause(base.folder)
        self._texts: dict[str, str] = {}
        self._version6 = os.path.exists(_LINK_LOCAL)
        self._home = {flag: _open(name) for name, flag in _KINDS.items()}
        self._there = threading.local()
        self._spaces: dict[str, Space] = {}

    def __getitem__(self, namespace: str) -> Space:
        try:
            return self._spaces[namespace]
        except KeyError:
            raise UsageError(f"the lab has no namespace {namespace}") from None

    def __contains__(self, namespace: str) -> bool:
        return namespace in self._spaces

    def __iter__(self) -> Iterator[str]:
        return iter(self._spaces)

    def make(self, sandboxes: Sequence[Sandbox]) -> None:
        """Make them, `lo` still down. Raises ClusterError."""
        for sandbox in sandboxes:
            if sandbox.namespace in self._spaces:
                raise ClusterError(f"there is a namespace {sandbox.namespace} already")
            for _, text in sandbox.files:
                self._kept(text)
        self._workers.each(self._make, sandboxes, 2 * CORES)

    def remove(self, namespaces: Sequence[str]) -> None:
        """End their pause processes and let go of them; waits for the former."""
        gone = [self._spaces.pop(namespace) for namespace in namespaces]
        for space in gone:
            with suppress(ProcessLookupError):
                os.kill(space.pid, signal.SIGKILL)
        for space in gone:
            with suppress(ChildProcessError):
                os.waitpid(space.pid, 0)
            space.close()

    def rewrite(self, sandbox: Sandbox) -> None:
        """Give one that stands other files; a program that has one open keeps the old text."""
        for _, text in sandbox.files:
            self._kept(text)
        self._workers.each(self._rewrite, [sandbox])

    @contextmanager
    def inside(self, namespace: str) -> Iterator[None]:
        """Have the calling thread in its network namespace; may be nested."""
        before = getattr(self._there, "net", self._home[libc.NEWNET])
        there = self[namespace].net
        libc.setns(there, libc.NEWNET)
        self._there.net = there
        try:
            yield
        finally:
            libc.setns(before, libc.NEWNET)
            self._there.net = before

    def links(self, namespace: str) -> Netlink:
        """A netlink socket in it, kept."""
        space = self[namespace]
        if space.links is None:
            with self.inside(namespace):
                space.links = Netlink()
        return space.links

    def rules(self, namespace: str) -> Rules:
        """Its nftables, kept. To be used inside of it."""
        space = self[namespace]
        if space.rules is None:
            with self.inside(namespace):
                space.rules = Rules()
        return space.rules

    def forget_rules(self, namespace: str) -> None:
        """Let go of what libnftables remembers of it: a megabyte after a whole ruleset."""
        space = self[namespace]
        if space.rules is not None:
            space.rules.close()
            space.rules = None

    def index(self, namespace: str, device: str) -> int:
        """The index of a device in it; 0 if there is none."""
        space = self[namespace]
        if device not in space.devices:
            with self.inside(namespace), suppress(OSError):
                return if_nametoindex(device)
        return space.devices.get(device, 0)

    def host_pid(self, namespace: str) -> int:
        """The PID of its pause process as the machine sees it."""
        pidfd = os.pidfd_open(self[namespace].pid)
        try:
            there = f"self/fdinfo/{pidfd}"
            with open(os.open(there, os.O_RDONLY, dir_fd=self._base.outer_proc)) as lines:
                return next(int(line.split()[1]) for line in lines if line.startswith("Pid:"))
        finally:
            os.close(pidfd)

    def close(self, patience: float) -> None:
        """Remove all, and wait until the kernel has done so, but no longer than `patience`."""
        if not self._home:
            return
        self.remove(list(self._spaces))
        if patience:
            self._workers.each(lambda wait: wait(), [partial(wait_until_gone, patience)])
        for fd in self._home.values():
            os.close(fd)
        self._home.clear()

    def _make(self, sandbox: Sandbox) -> None:
        try:
            libc.unshare(_ALL)
            try:
                sethostname(sandbox.hostname)
                self._cover(sandbox.files)
                if self._version6:
                    _write(_LINK_LOCAL, "1")
                net = out_of_the_way(_open("net"))
                self._spaces[sandbox.namespace] = Space(self._pause.start(), net, sandbox.files)
            finally:
                for flag, fd in self._home.items():
                    libc.setns(fd, flag)
        except OSError as error:
            raise ClusterError(f"sandbox {sandbox.namespace}: {error}") from error

    def _rewrite(self, sandbox: Sandbox) -> None:
        """In a thread of its own: only what shares no file system state may change mounts."""
        space = self[sandbox.namespace]
        there = os.pidfd_open(space.pid)
        try:
            libc.unshare(libc.NEWNS)
            libc.setns(there, libc.NEWNS)
            for path, _ in space.files:
                libc.unmount(path)
            self._cover(sandbox.files)
            space.files = sandbox.files
        except OSError as error:
            raise ClusterError(f"files of {sandbox.namespace}: {error}") from error
        finally:
            libc.setns(self._home[libc.NEWNS], libc.NEWNS)
            os.close(there)

    def _cover(self, files: Sequence[tuple[str, str]]) -> None:
        for path, text in files:
            libc.mount(self._texts[text], path, flags=libc.MS_BIND)

    def _kept(self, text: str) -> None:
        """Have a file with this text, one for all sandboxes that have the same."""
        if text not in self._texts:
            name = blake2s(text.encode(), digest_size=12).hexdigest()
            path = Path(self._base.folder, name)
            path.write_text(text, encoding="utf-8")
            self._texts[text] = str(path)


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)  # half as long as a file object takes
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _open(name: str) -> int:
    return os.open(f"/proc/thread-self/ns/{name}", os.O_RDONLY | os.O_CLOEXEC)
