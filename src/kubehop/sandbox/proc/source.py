"""Sandboxes by /proc alone, as a source."""

import os
import time
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from kubehop.sandbox.proc.building import NAME, Node, sandbox, unnamed, with_bundles
from kubehop.sandbox.proc.bundles import named
from kubehop.sandbox.proc.logs import Names, read_names
from kubehop.sandbox.proc.members import Around, Group, groups
from kubehop.sandbox.proc.network import UnreadableError, addresses
from kubehop.sandbox.proc.runtimes import GVISOR
from kubehop.sandbox.proc.scan import Process, Processes
from kubehop.sandbox.values import Sandbox, SourceError, Unknown

_SECOND = 10**9
_NO_HIDING = "root, or /proc mounted without hidepid"
_OTHER_PIDS = "the PID namespace of the host (hostPID for a pod)"


class Proc:
    """What is running; ended sandboxes have no process. A `Source`.

    `root` is where the host's /proc and /var are. Without `processes` it looks for itself, once.
    """

    def __init__(self, root: str = "/", processes: Processes | None = None) -> None:
        self._root, self._processes = root, processes

    @property
    def name(self) -> str:
        return NAME

    @property
    def incomplete(self) -> str:
        """Why there may be more sandboxes than it sees, or ""."""
        return self._scanned().hidden

    def sandboxes(self) -> tuple[Sandbox, ...]:
        """Raises SourceError where there is no /proc, or nothing because it is hidden."""
        processes = self._scanned()
        found = groups(processes)
        nodes = self._nodes(processes, found)
        made = tuple(sandbox(group, nodes[group.around]) for group in found)
        if not made:
            _raise_if_hidden(processes)
        return made

    def detailed(self, sandboxes: Sequence[Sandbox]) -> tuple[Sandbox, ...]:
        """With their addresses."""
        processes = self._scanned()
        return tuple(self._detailed(each, processes) for each in sandboxes)

    def close(self) -> None:
        """Nothing is open."""

    def _scanned(self) -> Processes:
        if self._processes is None:
            try:
                self._processes = Processes(os.path.join(self._root, "proc"))
            except OSError as error:
                raise SourceError(f"/proc: {error.strerror}") from error
        return self._processes

    def _nodes(self, processes: Processes, found: Iterable[Group]) -> dict[Around, Node]:
        """By what is around: this host, and those that are containers themselves."""
        held: dict[Around, list[Group]] = {}
        for group in found:
            held.setdefault(group.around, []).append(group)
        return {around: self._node(around, there, processes) for around, there in held.items()}

    def _node(self, around: Around, there: list[Group], processes: Processes) -> Node:
        inode, network, root = processes.own_inode, processes.own_network, self._root
        if around:
            first = next(iter(processes.of_container(around[-1])), None)
            inode, network, root = None, None, ""
            if first:
                inode, network = first.inode, first.network
                root = os.path.join(self._root, f"proc/{first.pid}/root")
        names = read_names(root) if root else Names()
        return Node(self._with_bundles(names, there), inode, network, *_ticks())

    def _with_bundles(self, names: Names, there: list[Group]) -> Names:
        """Only for what the logs do not name: it takes a file for each."""
        told = {}
        for group in there:
            shims = [each.pid for each in group.keepers if each.of_sandbox]
            for id in unnamed(group, names) if shims else ():
                if found := named(shims[0], id, self._root):
                    told[id] = found
        return with_bundles(names, told)

    def _detailed(self, known: Sandbox, processes: Processes) -> Sandbox:
        process = _alive(known, processes)
        if process is None:
            return _but(known, "addresses", "its processes have ended")
        if known.host_network or known.handler == GVISOR:
            return known
        if known.host_network is None:
            return _but(known, "addresses", "they may be the node's")
        try:
            found = addresses(process.pid, processes.root)
        except UnreadableError as error:
            return _but(known, "addresses", str(error))
        if not processes.is_alive(process):
            return _but(known, "addresses", "its processes have ended")
        return replace(known, addresses=found)


def _alive(known: Sandbox, processes: Processes) -> Process | None:
    pids = (known.pid, *(each.pid for each in known.containers))
    seen = (processes.process(pid) for pid in pids if pid is not None)
    return next((each for each in seen if each and processes.is_alive(each)), None)


def _but(known: Sandbox, what: str, why: str) -> Sandbox:
    return replace(known, unknown=(*known.unknown, Unknown(what, why)))


def _ticks() -> tuple[int, int]:
    """When the host started, in nanoseconds since 1970, and nanoseconds of a tick."""
    now, since = time.clock_gettime_ns(time.CLOCK_REALTIME), time.CLOCK_BOOTTIME
    return now - time.clock_gettime_ns(since), _SECOND // os.sysconf("SC_CLK_TCK")


def _raise_if_hidden(processes: Processes) -> None:
    if processes.hidden:
        raise SourceError(processes.hidden, _NO_HIDING)
    if processes.own_pids_only:
        raise SourceError("/proc shows the processes of one PID namespace only", _OTHER_PIDS)
