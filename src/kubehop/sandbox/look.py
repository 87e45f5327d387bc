"""A sandbox's network by the best way that this user has: from inside, else by /proc."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from msgspec.structs import replace

from kubehop.model.errors import ClusterError
from kubehop.sandbox.namespace import GoneError, NotAllowedError, open_namespace
from kubehop.sandbox.values import Network, Sandbox, Unknown

if TYPE_CHECKING:
    from kubehop.sandbox.proc.scan import Processes

_WHAT = "network"


def look(sandbox: Sandbox, processes: "Processes") -> Network:
    """What is in its network namespace. Without interfaces it could not be seen; `unknown` says
    why. Never raises."""
    try:
        return _from_inside(sandbox, processes)
    except NotAllowedError as error:
        return _by_proc(sandbox, processes, Unknown(_WHAT, error.why, error.needs))
    except GoneError as error:
        return Network(None, unknown=(Unknown(_WHAT, str(error)),))
    except (ClusterError, OSError) as error:
        return _by_proc(sandbox, processes, Unknown(_WHAT, f"the kernel refused: {error}"))


def _from_inside(sandbox: Sandbox, processes: "Processes") -> Network:
    from kubehop.sandbox.network import read_network

    with closing(open_namespace(sandbox)) as namespace:
        found = read_network(namespace)
        process = processes.process(namespace.pid) if namespace.pid else None
        if process and process.outer:
            from kubehop.sandbox.around import with_ends_around

            found = with_ends_around(found, namespace, process.outer[-1], processes)
        return _with_programs(found, namespace.pid, _pids(sandbox, processes), processes.root)


def _by_proc(sandbox: Sandbox, processes: "Processes", why: Unknown) -> Network:
    """By the first of its processes that still is one."""
    from kubehop.sandbox.proc.network import UnreadableError, network_from_proc

    pids = list(_pids(sandbox, processes))
    for pid in pids:
        process = processes.process(pid)
        try:
            found = network_from_proc(pid, processes.root)
        except UnreadableError:
            continue
        if process and processes.is_alive(process):  # so what was read is the process's
            return _with_programs(found, pid, pids, processes.root)
    return Network(None, unknown=(why,))


def _pids(sandbox: Sandbox, processes: "Processes") -> Iterator[int]:
    """The first processes, then all others of its containers; each once."""
    first = (sandbox.pid, *(each.pid for each in sandbox.containers))
    ids = (sandbox.id, *(each.id for each in sandbox.containers))
    others = (each.pid for id in ids if id for each in processes.of_container(id))
    yield from dict.fromkeys(pid for pid in (*first, *others) if pid is not None)


def _with_programs(
    network: Network, pid: int | None, pids: "Iterator[int] | list[int]", root: str
) -> Network:
    """With whose the listening sockets are, as far as `pids` hold them and we may see it."""
    from kubehop.sandbox.proc.network import UnreadableError, listening

    if pid is None or not network.listening:
        return network
    try:
        named = {each.inode: each for each in listening(pid, root, pids) if each.program}
    except UnreadableError:
        return network
    return replace(
        network,
        listening=tuple(
            replace(each, pid=named[each.inode].pid, program=named[each.inode].program)
            if each.inode in named
            else each
            for each in network.listening
        ),
    )
