"""From the containers of one sandbox to what is known of it; no I/O."""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from kubehop.sandbox.proc.logs import Named, NamedContainer, Names
from kubehop.sandbox.proc.members import Group, Member
from kubehop.sandbox.proc.runtimes import GVISOR, KATA, Kept, handler_of
from kubehop.sandbox.proc.scan import Process
from kubehop.sandbox.values import SHORT, Container, Sandbox, Unknown

NAME = "/proc"
_PAUSE = "pause"
_SOCKET = "the socket of the runtime"
_TRACING = "root, or CAP_SYS_PTRACE"
_APART = {
    GVISOR: "gVisor: the pod's addresses, routes and sockets are in a network stack of its own,"
    " not in the network namespace",
    KATA: "Kata: the pod's routes and sockets are in its virtual machine; the network namespace"
    " has what leads there",
}
_APART_NEEDS = "a command that runs in the pod, or what the runtime says"


class Node(Struct, frozen=True):
    """What a sandbox is on: `names` that its kubelet gave, and its own network.

    `inode` and `network` are as a Process has them, None if not known; `boot` is when the ticks
    of processes began, in nanoseconds since 1970, and `tick` their length.
    """

    names: Names
    inode: int | None = None
    network: int | None = None
    boot: int = 0
    tick: int = 10**7


def sandbox(group: Group, node: Node) -> Sandbox:
    """All but its addresses."""
    holder = _holder(group, node.names)
    handler = _handler(group)
    process = _process(group, holder, handler)
    pod = _pod(group, node.names)
    lone = not group.uid and not group.sandbox_id and len(group.members) == 1 and not holder
    id = group.members[0].id if lone else _id(group, holder)
    shown = process or group.members[0].first
    host_network = _host_network(shown, node)
    inside = group.around[-1][:SHORT] if group.around else ""
    found = Sandbox(
        id=id,
        namespace=pod.namespace,
        name=pod.name,
        uid=group.uid or pod.uid,
        attempt=_attempt(holder),
        ready=True if holder or lone else None,
        created=node.boot + shown.start_time * node.tick if node.boot else 0,
        pid=process.pid if process else group.members[0].first.pid if lone else None,
        inode=shown.inode,
        host_network=host_network,
        runtime=_runtime(group),
        handler=handler,
        static=shown.static,
        containers=tuple(
            _container(each, node.names, handler) for each in group.members if each is not holder
        ),
        source=f"{NAME}, in container {inside}" if inside else NAME,
    )
    return _with_unknown(found, node.names, inside)


def _holder(group: Group, names: Names) -> Member | None:
    """The sandbox's own container, of pause or what is in its place; None if there is none.

    1. The one that the shim's sandbox is called by, or conmon calls the pod's own.
    2. The only one whose first process is called pause.
    3. The only one that the kubelet has no log of, where it has one of each other.
    """
    for member in group.members:
        if member.id == group.sandbox_id or _is_own(member):
            return member
    if group.sandbox_id:
        return None
    paused = [each for each in group.members if each.first.comm == _PAUSE]
    if len(paused) == 1 and (group.uid or len(group.members) > 1):
        return paused[0]
    unnamed = [each for each in group.members if each.id not in names.containers]
    return unnamed[0] if len(unnamed) == 1 and len(group.members) > 1 and group.uid else None


def _is_own(member: Member) -> bool:
    kept = _kept(member)
    return bool(kept and not kept.container)


def _kept(member: Member) -> Kept | None:
    return member.keeper.kept if member.keeper else None


def _id(group: Group, holder: Member | None) -> str:
    return holder.id if holder else group.sandbox_id


def _process(group: Group, holder: Member | None, handler: str) -> Process | None:
    """That which holds the namespaces; of a virtual machine whatever runs it."""
    if holder:
        return holder.first
    if group.others and (handler == KATA or not group.members):
        return min(group.others, key=lambda each: (each.start_time, each.pid))
    return None


def _handler(group: Group) -> str:
    told = next((each.handler for each in group.keepers if each.handler), "")
    return told or handler_of((each.first for each in group.members), group.others)


def _runtime(group: Group) -> str:
    told = [each.runtime for each in group.keepers]
    told += [each.first.runtime for each in group.members]
    return next((each for each in told if each), "")


def _attempt(holder: Member | None) -> int:
    kept = _kept(holder) if holder else None
    return kept.attempt if kept else 0


def _pod(group: Group, names: Names) -> Named:
    """By the uid, by the log of a container, by what conmon calls one; unknown is ""."""
    if group.uid in names.pods:
        return names.pods[group.uid]
    if found := names.containers.get(group.sandbox_id):
        return found.pod
    for member in group.members:
        if member.id in names.containers:
            return names.containers[member.id].pod
        if kept := _kept(member):
            return Named(kept.namespace, kept.pod, kept.uid)
    return Named("", "", "")


def _host_network(process: Process, node: Node) -> bool | None:
    for own, nodes in ((process.inode, node.inode), (process.network, node.network)):
        if own is not None and nodes is not None:
            return own == nodes
    return None


def _container(member: Member, names: Names, handler: str) -> Container:
    named, kept = names.containers.get(member.id), _kept(member)
    name = named.name if named else kept.container if kept else ""
    attempt = named.attempt if named else kept.attempt if kept else 0
    # gVisor's first process of a container serves files, in an empty network namespace.
    pid = None if handler == GVISOR else member.first.pid
    return Container(member.id, name, pid, True, attempt)


def _with_unknown(found: Sandbox, names: Names, inside: str) -> Sandbox:
    """`inside` is the container that is its host, "" if that is ours."""
    unknown = []
    if not found.name:
        unread = needs = " and ".join(names.unread)
        if unread and inside:
            unread, needs = f"{unread} of container {inside}", _TRACING
        why = f"{unread} may not be read" if unread else "no log file of it has a name"
        unknown.append(Unknown("name", why, f"{needs}, or {_SOCKET}" if needs else _SOCKET))
    if not found.id:
        unknown.append(Unknown("id", "no process is the sandbox's own", _SOCKET))
    if found.inode is None:
        why = "/proc/PID/ns/net of another user's process may not be read"
        unknown.append(Unknown("network namespace", why, _TRACING))
    if found.host_network is None:
        why = "this node's own network namespace cannot be seen"
        unknown.append(Unknown("host_network", why, _TRACING))
    if found.handler in _APART:
        unknown.append(Unknown("network", _APART[found.handler], _APART_NEEDS))
    return replace(found, unknown=tuple(unknown))


def with_bundles(names: Names, told: Mapping[str, NamedContainer]) -> Names:
    """`told` by the id of a sandbox or container; what the kubelet's logs say counts first."""
    pods = {each.pod.uid: each.pod for each in told.values() if each.pod.uid}
    return Names(pods | names.pods, dict(told) | names.containers, names.unread)


def unnamed(group: Group, names: Names) -> tuple[str, ...]:
    """Ids of its sandbox and containers that nothing has told a name of."""
    ids = dict.fromkeys((group.sandbox_id, *(each.id for each in group.members)))
    missing = tuple(id for id in ids if id and id not in names.containers)
    known = group.uid in names.pods
    return tuple(id for id in missing if not (known and id == group.sandbox_id))
