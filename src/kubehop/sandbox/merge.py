"""One list of sandboxes from what several sources say of them; pure.

The first source that knows a field wins, the others fill what it leaves open. A PID is a source's
word only: another PID namespace, or a process that has ended, would make it somebody else's.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from kubehop.sandbox.values import Container, Sandbox, Unknown

Confirmed = Callable[[int, str], bool]
"""Whether a PID is, as far as this host's /proc shows, a process of the container with this id."""

FIRST_KNOWN = (
    "id", "namespace", "name", "uid", "attempt", "ready", "created", "netns_path", "inode",
    "host_network", "addresses", "runtime", "handler", "static", "names",
)  # fmt: skip
_NOTHING: tuple[Any, ...] = (None, "", 0, (), False)
_OPEN: dict[str, tuple[Any, ...]] = {"ready": (None,), "host_network": (None,)}
"""What says that a field is not known; of these two False is an answer."""

_ANSWERED: dict[str, tuple[str, ...]] = {
    "details": ("pid", "addresses"),
    "network namespace": ("inode",),
    "netns_path": ("inode", "netns_path"),
}
"""What an Unknown is about -> the fields that answer it, any of them; else the field itself."""


class Part(Struct, frozen=True):
    """What one source, the how manieth in order, says of a sandbox."""

    source: int
    sandbox: Sandbox


Group = tuple[Part, ...]


def grouped(answers: Sequence[Iterable[Sandbox]]) -> tuple[Group, ...]:
    """The parts of each sandbox, in the order of the sources; `answers` has one item for each.

    1. The same id.
    2. The same container: a container is in one sandbox.
    3. The same pod and attempt, or the pod's only ready sandbox, where one of the two has no id.
    """
    groups: list[list[Part]] = []
    index = _Index()
    for source, sandboxes in enumerate(answers):
        for sandbox in sandboxes:
            at = index.find(sandbox, groups, source)
            if at is None:
                at = len(groups)
                groups.append([])
            groups[at].append(Part(source, sandbox))
            index.add(sandbox, at)
    return tuple(tuple(parts) for parts in groups)


class _Index:
    """Which group an id, a container or a pod is in."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._containers: dict[str, int] = {}
        self._uids: dict[str, list[int]] = {}

    def add(self, sandbox: Sandbox, at: int) -> None:
        if sandbox.id:
            self._ids.setdefault(sandbox.id, at)
        for container in sandbox.containers:
            if container.id:
                self._containers.setdefault(container.id, at)
        if sandbox.uid and at not in self._uids.setdefault(sandbox.uid, []):
            self._uids[sandbox.uid].append(at)

    def find(self, sandbox: Sandbox, groups: list[list[Part]], source: int) -> int | None:
        if sandbox.id in self._ids:
            return self._ids[sandbox.id]
        others = [
            at
            for at in self._candidates(sandbox)
            if not any(part.source == source for part in groups[at])
        ]
        held = [self._containers.get(one.id) for one in sandbox.containers if one.id]
        for at in others:
            if at in held:
                return at
        others = [at for at in others if not (sandbox.id and _id(groups[at]))]
        return _of_pod(sandbox, {at: groups[at] for at in others})

    def _candidates(self, sandbox: Sandbox) -> list[int]:
        held = (self._containers.get(one.id) for one in sandbox.containers if one.id)
        found = [at for at in held if at is not None]
        return list(dict.fromkeys([*found, *self._uids.get(sandbox.uid, ())]))


def _of_pod(sandbox: Sandbox, groups: dict[int, list[Part]]) -> int | None:
    """Of the groups of this pod, the one of this attempt, else the only ready one."""
    groups = {at: parts for at, parts in groups.items() if sandbox.uid}
    ready = [at for at, parts in groups.items() if any(part.sandbox.ready for part in parts)]
    same = [
        at
        for at, parts in groups.items()
        if parts[0].sandbox.attempt == sandbox.attempt and parts[0].sandbox.ready is not False
    ]
    return next((found[0] for found in (same, ready) if len(found) == 1), None)


def _id(parts: list[Part]) -> str:
    return next((part.sandbox.id for part in parts if part.sandbox.id), "")


def merged(group: Group, confirmed: Confirmed) -> Sandbox:
    """The one sandbox that the parts tell of. `group` is not empty."""
    parts = [part.sandbox for part in group]
    if len(parts) == 1 and _needs_nothing(parts[0]):
        return parts[0]
    known = _all_known(parts) if len(parts) > 1 else parts[0]
    pid, doubts = _pid(parts, known.id, confirmed)
    sandbox = replace(
        known,
        pid=pid,
        containers=_containers(parts, confirmed),
        # Those that /proc sees there are the node's.
        addresses=() if known.host_network else known.addresses,
    )
    unknown = [unknown for part in parts for unknown in part.unknown]
    return replace(sandbox, unknown=tuple(_open([*unknown, *doubts], sandbox)))


def _needs_nothing(sandbox: Sandbox) -> bool:
    """One source's word, and nothing in it that has to be confirmed or may be answered."""
    pids = (sandbox.pid, *(container.pid for container in sandbox.containers))
    return not (any(pids) or sandbox.host_network or sandbox.unknown)


def _all_known(parts: Sequence[Sandbox]) -> Sandbox:
    known: dict[str, Any] = {field: _first_known(field, parts) for field in FIRST_KNOWN}
    sources = dict.fromkeys(part.source for part in parts if part.source)
    return Sandbox(**known, source=", ".join(sources))


def _first_known(field: str, parts: Sequence[Any]) -> Any:
    values = [getattr(part, field) for part in parts]
    return next((each for each in values if each not in _OPEN.get(field, _NOTHING)), values[0])


def _pid(
    parts: Sequence[Sandbox], id: str, confirmed: Confirmed
) -> tuple[int | None, list[Unknown]]:
    doubts = []
    for part in parts:
        if part.pid is None:
            continue
        if confirmed(part.pid, part.id or id):
            return part.pid, []
        doubts.append(Unknown("pid", _not_here(part.pid, part.source), _OWN_PIDS))
    return None, doubts


_OWN_PIDS = "the PID namespace of the runtime, and a /proc that shows all processes"


def _not_here(pid: int, source: str) -> str:
    return (
        f"{source or 'a source'} says {pid}, which is no process of this sandbox here:"
        " it has ended, or the runtime counts in another PID namespace"
    )


def _containers(parts: Sequence[Sandbox], confirmed: Confirmed) -> tuple[Container, ...]:
    """By id, in the order of the first who knows them; one without an id by its name."""
    found: dict[str, list[Container]] = {}
    for part in parts:
        for container in part.containers:
            found.setdefault(container.id or f"/{container.name}", []).append(container)
    return tuple(_container(same, confirmed) for same in found.values())


_OF_CONTAINER = ("id", "name", "attempt", "names")


def _container(same: Sequence[Container], confirmed: Confirmed) -> Container:
    known: dict[str, Any] = {field: _first_known(field, same) for field in _OF_CONTAINER}
    running = next((each.running for each in same if each.running is not None), None)
    pids = (each.pid for each in same if each.pid is not None)
    pid = next((pid for pid in pids if confirmed(pid, known["id"])), None)
    return Container(**known, pid=pid, running=running)


def _open(unknown: Iterable[Unknown], sandbox: Sandbox) -> Iterator[Unknown]:
    """Each once, without those that the sandbox answers."""
    for each in dict.fromkeys(unknown):
        fields = _ANSWERED.get(each.what, (each.what,))
        if not any(_is_known(sandbox, field) for field in fields):
            yield each


def _is_known(sandbox: Sandbox, field: str) -> bool:
    if field == "addresses" and sandbox.host_network:
        return True
    value = attrgetter(field)(sandbox) if field in _FIELDS else None
    return value not in _OPEN.get(field, _NOTHING)


_FIELDS = frozenset(Sandbox.__struct_fields__) - {"unknown", "source"}
