"""The processes of all containers of this host in one pass, and those of their runtimes.

proc(5). A folder of /proc that is held open stays the process's: once that has ended, reading in
it fails, even if another has its PID by then. So what is read of one process is of one process.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property

from msgspec import Struct

from kubehop.sandbox.proc.cgroup import NOWHERE, Place, below, host_around, place
from kubehop.sandbox.proc.files import read, read_made

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NAMESPACE = re.compile(r"(?:net|pid):\[(\d{1,20})\]")
_STATE, _PARENT, _FLAGS, _START_TIME = 0, 1, 6, 19
"""Fields of `stat` after the name."""
_KERNEL_THREAD = 0x00200000
"""PF_KTHREAD: include/linux/sched.h."""
_ENDED = (b"Z", b"X", b"x")
_LONGEST_COMMAND = 1 << 15
_FIRST_PID_NAMESPACE = 0xEFFFFFFC
"""PROC_PID_INIT_INO: include/linux/proc_ns.h."""

TELLING = ("containerd-shim", "docker-containe", "conmon", "runsc", "exe", "pause", "virtiofsd",
           "qemu", "cloud-hyperviso", "firecracker")  # fmt: skip
"""Beginnings of the names (of 15 octets, TASK_COMM_LEN) of those whose arguments are read.

gVisor starts itself again as /proc/self/exe, which makes its name `exe`.
"""
_TELLING_OCTETS = tuple(name.encode() for name in TELLING)


class Process(Struct, frozen=True):
    """A process; `start_time` in ticks since the host's start, with the PID it is unique.

    `command` is () where the arguments are not of interest. `container_id` and `pod_uid` are ""
    outside of any. `inode` is of the network namespace, None if we may not see it; `network` then
    is a number that those in one network namespace share, None if that is not known either.
    `host`: it is in the network namespace of this process.
    """

    pid: int
    parent: int
    start_time: int
    comm: str
    command: tuple[str, ...] = ()
    container_id: str = ""
    pod_uid: str = ""
    inode: int | None = None
    host: bool = False
    static: bool = False
    runtime: str = ""
    outer: tuple[str, ...] = ()
    network: int | None = None


class Processes:
    """The processes of containers and of their runtimes, each as it was when first asked about.

    `process` reads one, `of_container` those of one container. Whoever asks for `all` looks at
    the whole of /proc once, and that answers everything from then on.
    """

    def __init__(self, root: str = "/proc") -> None:
        """Raises OSError without a /proc."""
        os.stat(root)
        self.root = root
        self._seen: dict[int, Process] = {}

    @classmethod
    def scan(cls, root: str = "/proc") -> "Processes":
        """After the look at all. Raises OSError without a /proc."""
        processes = cls(root)
        processes.by_pid  # noqa: B018 - this is the look
        return processes

    @cached_property
    def by_pid(self) -> dict[int, Process]:
        """All of containers and runtimes.

        Left out are those that end meanwhile, and those that neither are in a container nor are
        named like a runtime's: `process` reads any.
        """
        with _folder(self.root) as folder:
            return {each.pid: each for each in _Scan(folder, self._host).processes()}

    @property
    def all(self) -> tuple[Process, ...]:
        return tuple(self.by_pid.values())

    @cached_property
    def hidden(self) -> str:
        """Why some may not be among them, or ""."""
        with _folder(self.root) as folder:
            return _hidden(folder, os.listdir(folder))

    @cached_property
    def own_pids_only(self) -> bool:
        """This process is in a PID namespace of its own: those outside of it cannot be seen."""
        with _folder(self.root) as folder:
            return _inode("self/ns/pid", folder) not in (None, _FIRST_PID_NAMESPACE)

    @cached_property
    def own_inode(self) -> int | None:
        """Of the network namespace of this process, as a Process has it."""
        with _folder(self.root) as folder:
            return _Scan(folder, self._host).own

    @cached_property
    def own_network(self) -> int | None:
        """The same for `Process.network`."""
        with _folder(self.root) as folder:
            return _Scan(folder, self._host).own_network

    def _host(self) -> tuple[str, ...]:
        return self._host_around

    @cached_property
    def _host_around(self) -> tuple[str, ...]:
        with _folder(self.root) as folder:
            first, own = (_placed(_group_of(name, folder)) for name in ("1", "self"))
        return host_around(first, own)

    def process(self, pid: int) -> Process | None:
        """Any process, by its PID; None if there is none, or it is a thread of the kernel."""
        known: dict[int, Process] = self.__dict__.get("by_pid", self._seen)
        found = known.get(pid)
        if not found and pid > 0:
            found = self._read(pid)
            if found:
                self._seen[pid] = found
        return found

    def _read(self, pid: int) -> Process | None:
        try:
            with _folder(self.root) as folder:
                return _Scan(folder, self._host).process(str(pid))
        except (OSError, ValueError):
            return None

    def of_container(self, id: str) -> tuple[Process, ...]:
        """Those of a container, the first of them first; () if it has none.

        Whoever may make groups can make one with another container's name, but only below its
        own. So where an id stands at several depths, the outermost is the container's.
        """
        looked = "by_pid" in self.__dict__
        found = self._by_container.get(id, ()) if looked else self._named(id)
        depth = min((len(each.outer) for each in found), default=0)
        return tuple(each for each in found if len(each.outer) == depth)

    @cached_property
    def _by_container(self) -> dict[str, list[Process]]:
        groups: dict[str, list[Process]] = {}
        for each in _oldest_first(self.by_pid.values()):
            if each.container_id:
                groups.setdefault(each.container_id, []).append(each)
        return groups

    def _named(self, id: str) -> list[Process]:
        """Without a look at all: of those whose groups do not name it, only the groups are read."""
        pids = [pid for pid, text in self._groups.items() if id.encode() in text] if id else ()
        found = (self.process(pid) for pid in pids)
        return _oldest_first(each for each in found if each and each.container_id == id)

    def of_each_pod(self) -> Iterable[Sequence[int]]:
        """PIDs of each pod; of each container where no pod is named."""
        found: dict[object, list[int]] = {}
        places = {text: _placed(text) for text in set(self._groups.values())}
        for pid, text in self._groups.items():
            where = places[text]
            if where.pod_uid or where.container_id:
                found.setdefault((where.outer, where.pod_uid or where.container_id), []).append(pid)
        return found.values()

    @cached_property
    def _groups(self) -> dict[int, bytes]:
        """PID -> what its `cgroup` says."""
        with _folder(self.root) as folder:
            return {int(name): text for name in _pids(folder) if (text := _group_of(name, folder))}

    def is_alive(self, process: Process) -> bool:
        """Whether the PID is still this process's."""
        try:
            found = os.open(f"{self.root}/{process.pid}", _FOLDER)
        except OSError:
            return False
        try:
            return _stat(read_made("stat", found))[2] == process.start_time
        except (OSError, ValueError):
            return False
        finally:
            os.close(found)


def first_of(processes: Iterable[Process]) -> Process | None:
    """That which the runtime started: the oldest; commands run in it later are started the same."""
    return min(processes, key=lambda each: (each.start_time, each.pid), default=None)


def _oldest_first(processes: Iterable[Process]) -> list[Process]:
    return sorted(processes, key=lambda each: (each.start_time, each.pid))


@contextmanager
def _folder(root: str) -> Iterator[int]:
    """/proc, held open. Raises OSError without one."""
    folder = os.open(root, _FOLDER)
    try:
        yield folder
    finally:
        os.close(folder)


def _pids(folder: int) -> Iterator[str]:
    """Of all processes."""
    return (name for name in os.listdir(folder) if name.isdecimal() and name.isascii())


def _placed(text: bytes) -> Place:
    return place(text.decode("utf-8", "replace"))


def _group_of(name: str, folder: int) -> bytes:
    try:
        return read_made(f"{name}/cgroup", folder)
    except OSError:
        return b""


def _stat(line: bytes) -> tuple[str, int, int]:
    """Name, parent, start time: proc_pid_stat(5).

    Raises ValueError for what is none, for a process that ended, and for a thread of the kernel.
    The name may hold anything, parentheses too, so its end is the last one.
    """
    before, closing, after = line.rpartition(b")")
    fields = after.split(None, _START_TIME + 1)
    if not closing or len(fields) <= _START_TIME or fields[_STATE] in _ENDED:
        raise ValueError(line)
    if int(fields[_FLAGS]) & _KERNEL_THREAD:
        raise ValueError(line)
    comm = before.partition(b"(")[2].decode("utf-8", "replace")
    return comm, int(fields[_PARENT]), int(fields[_START_TIME])


class _Scan:
    """What one look at /proc needs to know throughout."""

    def __init__(self, folder: int, host: Callable[[], tuple[str, ...]]) -> None:
        """`host` tells which containers around us are this host."""
        self._folder, self._host = folder, host
        self._places: dict[bytes, Place] = {}
        self._inodes: dict[str, int | None] = {}
        self.own = _inode("self/ns/net", folder)
        self.own_network = _network("self/net/dev", folder)

    def processes(self) -> Iterator[Process]:
        for name in _pids(self._folder):
            try:
                process = self.process(name, every=False)
            except (OSError, ValueError):
                continue
            if process:
                yield process

    def process(self, name: str, every: bool = True) -> Process | None:
        """None unless it is wanted. Raises OSError, ValueError if it ended, or is not for us.

        `stat` is dear, so it is not read of those that are of no container and no runtime.
        """
        folder = os.open(name, _FOLDER, dir_fd=self._folder)
        try:
            where = self._place(folder)
            if where is NOWHERE and not every and not _is_telling(folder):
                return None
            comm, parent, start_time = _stat(read_made("stat", folder))
            inode = self._inode(folder)
            network = _network("net/dev", folder) if inode is None else None
            command = _command(folder) if comm.startswith(TELLING) else ()
        finally:
            os.close(folder)
        host = inode == self.own if inode and self.own else network == self.own_network
        return Process(int(name), parent, start_time, comm, command, where.container_id,
                       where.pod_uid, inode, host and bool(inode or network), where.static,
                       where.runtime, where.outer, network)  # fmt: skip

    def _inode(self, folder: int) -> int | None:
        try:
            link = os.readlink("ns/net", dir_fd=folder)
        except (FileNotFoundError, PermissionError):
            return None
        if link not in self._inodes:
            self._inodes[link] = _numbered(link)
        return self._inodes[link]

    def _place(self, folder: int) -> Place:
        """Most processes of a host share a few groups."""
        try:
            text = read_made("cgroup", folder)
        except FileNotFoundError:
            return NOWHERE  # a kernel without cgroups
        found = self._places.get(text)
        if found is None:
            found = _placed(text)
            found = NOWHERE if found is NOWHERE else below(found, self._host())
            self._places[text] = found
        return found


def _inode(path: str, folder: int) -> int | None:
    """That of a namespace; None if we may not see it: reading the link needs ptrace access."""
    try:
        return _numbered(os.readlink(path, dir_fd=folder))
    except (FileNotFoundError, PermissionError):
        return None


def _numbered(link: str) -> int | None:
    named = _NAMESPACE.fullmatch(link)
    return int(named[1]) if named else None


def _network(path: str, folder: int) -> int | None:
    """What tells network namespaces apart without privilege.

    Each has files of its own below /proc/PID/net, with inode numbers of their own
    (fs/proc/generic.c, proc_register).
    """
    try:
        return os.stat(path, dir_fd=folder).st_ino
    except OSError:
        return None


def _is_telling(folder: int) -> bool:
    return read_made("comm", folder).startswith(_TELLING_OCTETS)


def _command(folder: int) -> tuple[str, ...]:
    try:
        octets = read("cmdline", folder, _LONGEST_COMMAND)
    except PermissionError:
        return ()
    return tuple(octets.decode("utf-8", "replace").split("\0")[:-1])


def _hidden(folder: int, names: list[str]) -> str:
    """proc(5): mounted with hidepid, others' processes are not there. One of PID 1 always is."""
    if "1" in names:
        return ""
    with suppress(OSError):
        for line in read("self/mounts", folder).decode("utf-8", "replace").splitlines():
            match line.split():
                case [_, "/proc", "proc", options, *_] if "hidepid=" in options:
                    option = next(word for word in options.split(",") if "hidepid=" in word)
                    return f"/proc is mounted with {option}: it shows this user's processes only"
    return "/proc does not show PID 1: it shows some processes only"
