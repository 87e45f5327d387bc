"""Which containers are of one sandbox, by what the processes of a host show; no I/O.

1. Containers of one pod uid. Where shims say that some are of one sandbox and some of another
   (an old one that still ends), they are parted.
2. Else those of one shim that keeps a whole sandbox.
3. Else those in one network namespace that is not the host's.
4. Else each alone.
"""

from collections.abc import Hashable, Iterable, Mapping

from msgspec import Struct

from kubehop.sandbox.proc.runtimes import Keeper, keeper
from kubehop.sandbox.proc.scan import Process, Processes

Around = tuple[str, ...]


class Member(Struct, frozen=True):
    """A container that has processes; the first of them is what the runtime started.

    `around` are the containers around it; `keeper` is the shim or conmon, None if not found.
    """

    id: str
    around: Around
    processes: tuple[Process, ...]
    keeper: Keeper | None

    @property
    def first(self) -> Process:
        return self.processes[0]

    @property
    def sandbox_id(self) -> str:
        return self.keeper.id if self.keeper and self.keeper.of_sandbox else ""


class Group(Struct, frozen=True):
    """One sandbox: its containers, and processes of the pod that are in none.

    `sandbox_id` is what the shim says, "" if there is none. `keepers` are those of the group.
    """

    uid: str
    sandbox_id: str
    members: tuple[Member, ...]
    others: tuple[Process, ...]
    keepers: tuple[Keeper, ...]

    @property
    def around(self) -> Around:
        return (*(each.around for each in self.members), *(each.outer for each in self.others))[0]


def groups(processes: Processes) -> tuple[Group, ...]:
    """In the order of their PIDs' groups. Nothing that is in no container is in any."""
    keepers = {
        each.pid: found
        for each in processes.all
        if each.command and (found := keeper(each)) is not None
    }
    members = _members(processes, keepers)
    lone_others = [each for each in processes.all if each.pod_uid and not each.container_id]
    held: dict[Hashable, list[Member]] = {}
    for key, member in _keyed(members):
        held.setdefault(key, []).append(member)
    others: dict[Hashable, list[Process]] = {}
    for each in lone_others:
        others.setdefault(("pod", each.outer, each.pod_uid), []).append(each)
    return tuple(
        group
        for key in dict.fromkeys((*held, *others))
        for group in _parted(held.get(key, []), others.get(key, []), keepers)
    )


def _members(processes: Processes, keepers: Mapping[int, Keeper]) -> list[Member]:
    found: dict[tuple[Around, str], list[Process]] = {}
    for each in sorted(processes.all, key=lambda each: (each.start_time, each.pid)):
        if each.container_id:
            found.setdefault((each.outer, each.container_id), []).append(each)
    return [
        Member(id, around, tuple(there), _keeper_of(there, around, keepers))
        for (around, id), there in _outermost(found).items()
    ]


def _outermost(
    found: dict[tuple[Around, str], list[Process]],
) -> dict[tuple[Around, str], list[Process]]:
    """Without those that have the id, or are of the pod, of one that is less deep.

    Who may make groups below a container's can call them anything.
    """
    depths: dict[str, int] = {}
    for (around, id), there in found.items():
        for name in (id, there[0].pod_uid):
            depths[name] = min(depths.get(name, len(around)), len(around))
    return {
        (around, id): there
        for (around, id), there in found.items()
        if depths[id] == len(around)
        and (not there[0].pod_uid or depths[there[0].pod_uid] == len(around))
    }


def _keeper_of(
    processes: Iterable[Process], around: Around, keepers: Mapping[int, Keeper]
) -> Keeper | None:
    """That which started a process of the container, if it says so itself.

    Arguments may lie, so it must be where it could have started the container: not in it.
    """
    for each in processes:
        found = keepers.get(each.parent)
        if found and found.around == around and (found.of_sandbox or found.id == each.container_id):
            return found
    return None


def _keyed(members: Iterable[Member]) -> Iterable[tuple[Hashable, Member]]:
    for member in members:
        yield _key(member), member


def _key(member: Member) -> Hashable:
    first = member.first
    if first.pod_uid:
        return "pod", member.around, first.pod_uid
    if member.sandbox_id:
        return "shim", member.around, member.sandbox_id
    network = first.network if first.inode is None else first.inode
    if network is not None and not first.host:
        return "network", member.around, network
    return "alone", member.around, member.id


def _parted(
    members: list[Member], others: list[Process], keepers: Mapping[int, Keeper]
) -> Iterable[Group]:
    """One group for each sandbox that a shim names; what no shim names goes to the only one."""
    uid = members[0].first.pod_uid if members else others[0].pod_uid
    beside = [keepers[each.pid] for each in others if each.pid in keepers]
    ids = dict.fromkeys(each.sandbox_id for each in members if each.sandbox_id)
    ids |= dict.fromkeys(each.id for each in beside if each.of_sandbox)
    if len(ids) <= 1:
        yield _group(uid, next(iter(ids), ""), members, others, beside)
        return
    for id in ids:
        yield _group(uid, id, [each for each in members if each.sandbox_id == id],
                     [], [each for each in beside if each.id == id])  # fmt: skip
    if left := [each for each in members if not each.sandbox_id]:
        yield _group(uid, "", left, [], [])


def _group(
    uid: str, id: str, members: list[Member], others: list[Process], beside: list[Keeper]
) -> Group:
    kept = [each.keeper for each in members if each.keeper]
    return Group(uid, id, tuple(members), tuple(others), tuple(dict.fromkeys((*kept, *beside))))
