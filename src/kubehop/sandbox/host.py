"""The pods of the host that this runs on: all sources asked, as little as answers a question."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from kubehop.model.errors import UsageError
from kubehop.sandbox import find as finding
from kubehop.sandbox.merge import Group, grouped, merged
from kubehop.sandbox.source import Source
from kubehop.sandbox.values import NONE_THERE, Container, Sandbox, SourceError, Tried, Unknown

if TYPE_CHECKING:
    from kubehop.sandbox.proc.scan import Process, Processes

Openers = Mapping[str, Callable[[], Sequence[Source]]]
"""Kind of source, for people -> what opens those that there are, in order."""


Numbered = tuple[tuple[int, Source], ...]
"""Sources, each with how manieth in order it is."""


class Found(Struct, frozen=True):
    """The pod that was meant, in full; `container` if one was named; `notes` are for people."""

    sandbox: Sandbox
    container: Container | None = None
    notes: tuple[str, ...] = ()


class Host:
    """Asks the sources of `openers`, and /proc last unless `proc` is false.

    Sources are asked once for their list; a source that cannot be asked is noted in `tried`.
    Ends with `close`, which leaves `processes` and `tried` to be read.
    """

    def __init__(self, openers: Openers, root: str = "/", proc: bool = True) -> None:
        self._openers, self._root, self._proc = openers, root, proc
        self._tried: list[Tried] = []

    @property
    def tried(self) -> tuple[Tried, ...]:
        """Which sources were asked so far, and what came of it."""
        return tuple(self._tried)

    @cached_property
    def processes(self) -> "Processes":
        """What /proc shows. Raises UsageError without one."""
        from kubehop.sandbox.proc.scan import Processes

        proc = f"{self._root.rstrip('/')}/proc"
        try:
            return Processes(proc)
        except OSError as error:
            raise UsageError(f"{proc} cannot be read: {error.strerror}") from error

    def sandboxes(
        self, detailed: bool = False, namespace: str | None = None
    ) -> tuple[Sandbox, ...]:
        """All of them, or those of one namespace; merged, by namespace and name."""
        groups = self._groups
        if namespace is not None:
            named = zip(self._merged(groups), groups, strict=True)
            groups = tuple(group for known, group in named if known.namespace == namespace)
        if detailed:
            groups = self._detailed(groups, self._sources)
        return tuple(sorted(self._merged(groups), key=_order))

    def find(self, text: str, namespace: str | None = None, container: str | None = None) -> Found:
        """What `text` means: see `kubehop.sandbox.find`. `container` is one's name, as of -c.

        Only the sandbox that is meant is asked for in full; for an address, all whose addresses
        no list tells. Raises UsageError if nothing, or more than one pod, is meant.
        """
        named = finding.Named(text, namespace, self._process_in(text), self._holders(text))
        for groups in self._looks(named):
            by_sandbox = dict(zip(self._merged(groups), groups, strict=True))
            choice = finding.chosen(named, tuple(by_sandbox))
            if choice:
                return self._found(choice, by_sandbox[choice.match.sandbox], container)
        raise UsageError(self._nothing(named))

    def close(self) -> None:
        """Let go of all connections."""
        for _, source in self.__dict__.get("_runtimes", ()):
            source.close()

    @cached_property
    def _runtimes(self) -> Numbered:
        opened: list[Source] = []
        for kind, opener in self._openers.items():
            sources = opener()
            if not sources:
                self._tried.append(Tried(kind, None, NONE_THERE))
            opened += sources
        return tuple(enumerate(opened))

    @cached_property
    def _by_proc(self) -> Numbered:
        if not self._proc:
            return ()
        from kubehop.sandbox.proc.source import Proc

        return ((len(self._runtimes), Proc(self._root, self.processes)),)

    @property
    def _sources(self) -> Numbered:
        return (*self._runtimes, *self._by_proc)

    @cached_property
    def _told(self) -> tuple[tuple[Sandbox, ...], ...]:
        """What each source lists but /proc."""
        return tuple(self._listed(source) for _, source in self._runtimes)

    @cached_property
    def _groups(self) -> tuple[Group, ...]:
        return grouped([*self._told, *(self._listed(source) for _, source in self._by_proc)])

    def _listed(self, source: Source) -> tuple[Sandbox, ...]:
        try:
            found = source.sandboxes()
        except SourceError as error:
            self._tried.append(Tried(source.name, None, error.why, error.needs))
            return ()
        self._tried.append(Tried(source.name, len(found)))
        return found

    def _merged(self, groups: Iterable[Group]) -> tuple[Sandbox, ...]:
        return tuple(self._placed(merged(group, self._confirmed)) for group in groups)

    def _with_pids(self, sandbox: Sandbox) -> Sandbox:
        """With the first process of each container, where no source tells it."""
        if not self._proc:
            return sandbox
        containers = tuple(
            each if each.pid or not each.id else replace(each, pid=self._first_pid(each.id))
            for each in sandbox.containers
        )
        pid = sandbox.pid or (self._first_pid(sandbox.id) if sandbox.id else None)
        found = replace(sandbox, pid=pid, containers=containers)
        return found if found == sandbox else replace(found, source=f"{sandbox.source}, /proc")

    def _first_pid(self, id: str) -> int | None:
        found = self.processes.of_container(id)
        return found[0].pid if found else None

    def _placed(self, sandbox: Sandbox) -> Sandbox:
        """With the inode of its namespace, where no source tells it (a lab's)."""
        if sandbox.inode is not None or sandbox.pid is None:
            return sandbox
        process = self.processes.process(sandbox.pid)
        return replace(sandbox, inode=process.inode if process else None)

    def _confirmed(self, pid: int, id: str) -> bool:
        """Sandboxes without an id are a lab's, which counts in our PID namespace."""
        process = self.processes.process(pid)
        return process is not None and (not id or process.container_id == id)

    def _detailed(self, groups: Sequence[Group], sources: Numbered) -> tuple[Group, ...]:
        """The groups, their parts completed by the sources that told them, each asked once."""
        completed: dict[tuple[int, int], Sandbox] = {}
        for number, source in sources:
            asked = [
                (at, part.sandbox)
                for at, group in enumerate(groups)
                for part in group
                if part.source == number
            ]
            answers = _in_full(source, [sandbox for _, sandbox in asked])
            completed |= {
                (at, number): answer for (at, _), answer in zip(asked, answers, strict=True)
            }
        return tuple(
            tuple(
                replace(part, sandbox=completed.get((at, part.source), part.sandbox))
                for part in group
            )
            for at, group in enumerate(groups)
        )

    def _looks(self, named: finding.Named) -> Iterator[tuple[Group, ...]]:
        """What to look in, the cheapest first.

        Where all who were asked answered, they know every pod, and /proc need not be read for its
        list; of an address they may not.
        """
        told = self._told
        if all(each.found is not None or each.why == NONE_THERE for each in self._tried):
            yield grouped(told)
        yield self._groups
        if not finding.is_address(named.text):
            return
        yield self._detailed(self._groups, self._sources)

    def _process_in(self, text: str) -> finding.Whose | None:
        process = self._process(text)
        return _whose(process) if process else None

    def _holders(self, text: str) -> tuple[finding.Whose, ...]:
        address = finding.packed(text)
        if address is None or not self._proc:
            return ()
        from kubehop.sandbox.proc.network import holders

        return tuple(map(_whose, holders(address, self.processes)))

    def _found(self, choice: finding.Choice, group: Group, container: str | None) -> Found:
        listed = {part.source for part in group}
        asked = self._runtimes if max(listed) < len(self._runtimes) else self._sources
        (complete,) = self._detailed([group], asked)
        sandbox = self._placed(self._with_pids(merged(complete, self._confirmed)))
        match = choice.match
        if container is not None:
            return Found(sandbox, finding.container_named(sandbox, container), choice.notes)
        wanted = match.container.id if match.container else ""
        same = (each for each in sandbox.containers if wanted and each.id == wanted)
        return Found(sandbox, next(same, match.container), choice.notes)

    def _nothing(self, named: finding.Named) -> str:
        """Why nothing was found, what is near, and who might have known."""
        from kubehop.render.pods import not_asked_lines

        sandboxes = self._merged(self._groups)
        near = finding.near(named.text, sandboxes)
        parts = [
            self._what(named, sandboxes),
            f"did you mean {near}?" if near else "",
            *not_asked_lines(self._tried),
        ]
        return "; ".join(part for part in parts if part)

    def _what(self, named: finding.Named, sandboxes: Sequence[Sandbox]) -> str:
        if finding.is_address(named.text) and (sharing := self._sharing(named.text, sandboxes)):
            return sharing
        if process := self._process(named.text):
            where = "this host's network" if process.host else "a network namespace of no pod"
            return f"process {process.pid} ({process.comm}) is of no pod: it is in {where}"
        where = f" in namespace {named.namespace}" if named.namespace else ""
        told = ", ".join(f"{each.source}: {each.found}" for each in self._tried if each.found)
        asked = f" (asked {told})" if told else ""
        return f"no pod of this host is or has {named.text!r}{where}{asked}"

    def _process(self, text: str) -> "Process | None":
        pid = finding.pid_in(text)
        return self.processes.process(pid) if pid else None

    def _sharing(self, text: str, sandboxes: Sequence[Sandbox]) -> str:
        """What to say of an address of this node, "" if it is none."""
        import os

        from kubehop.sandbox.proc.network import network_from_proc

        own = network_from_proc(os.getpid(), f"{self._root.rstrip('/')}/proc")
        addresses = {finding.packed(a.address) for one in own.interfaces for a in one.addresses}
        if finding.packed(text) not in addresses:
            return ""
        pods = sorted({finding.title(each) for each in sandboxes if each.host_network})
        shared = f"; pods in the host's network share it: {', '.join(pods)}" if pods else ""
        return f"{text} is an address of this node itself{shared}"


def _whose(process: "Process") -> finding.Whose:
    return finding.Whose(process.pid, process.container_id, process.pod_uid, process.inode)


def _in_full(source: Source, sandboxes: Sequence[Sandbox]) -> Sequence[Sandbox]:
    if not sandboxes:
        return ()
    try:
        return source.detailed(sandboxes)
    except SourceError as error:
        unknown = Unknown("details", error.why, error.needs)
        return [replace(each, unknown=(*each.unknown, unknown)) for each in sandboxes]


def _order(sandbox: Sandbox) -> tuple[object, ...]:
    return sandbox.namespace, sandbox.name, sandbox.uid, -sandbox.attempt, sandbox.id
