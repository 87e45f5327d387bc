"""The network of a process by its /proc/PID/net: readable by everybody, for any process.

It tells addresses, routes and sockets, but little of interfaces, and of an IPv4 address not where
it is: that is concluded from the routes where only one conclusion is possible.
"""

import os
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from types import TracebackType

from msgspec.structs import replace

from kubehop.model.errors import KubehopError
from kubehop.sandbox.proc import netfiles
from kubehop.sandbox.proc.files import read
from kubehop.sandbox.proc.netfiles import Local
from kubehop.sandbox.proc.scan import Process, Processes
from kubehop.sandbox.values import Interface, InterfaceAddress, Listening, Network, Route, Unknown

_ENTERING = "root, or CAP_SYS_ADMIN and CAP_SYS_PTRACE, to look from inside"
_TABLES = (("tcp", "tcp"), ("tcp6", "tcp"), ("udp", "udp"), ("udp6", "udp"))
_SOCKET = "socket:["
_LOOPBACK = "lo"


class UnreadableError(KubehopError):
    """A process that has ended, or whose /proc/PID/net this user may not see."""


def addresses(pid: int | str, root: str = "/proc") -> tuple[str, ...]:
    """Those that others can reach it by: none of the loopback's, none of a link's alone.

    Raises UnreadableError.
    """
    with _Net(pid, root) as net:
        v4 = netfiles.local_addresses(net("fib_trie"))
        v6 = netfiles.interface_addresses(net("if_inet6"))
    found = [each.address for each in v4 if each.prefix == 32]
    found = [each for each in found if not each.startswith("127.")]
    found += [each.address for _, _, each in v6 if each.scope in ("global", "site")]
    return tuple(dict.fromkeys(found))


def holders(address: bytes, processes: Processes) -> tuple[Process, ...]:
    """A process of each pod that has the address, as octets; none in this process's network."""
    found = []
    for pids in processes.of_each_pod():
        pid, has = next(_seen(pids, address, processes.root), (0, False))
        process = processes.process(pid) if has else None
        if process and not process.host:
            found.append(process)
    return tuple(found)


def _seen(pids: Iterable[int], address: bytes, root: str) -> Iterator[tuple[int, bool]]:
    """Of those that can be seen: whether they have it."""
    for pid in pids:
        with suppress(UnreadableError):
            yield pid, _has(pid, address, root)


def _has(pid: int, address: bytes, root: str) -> bool:
    """Most have it not even as text, which is soon seen. Raises UnreadableError."""
    family = socket.AF_INET if len(address) == 4 else socket.AF_INET6
    text = socket.inet_ntop(family, address)
    file, needle = ("fib_trie", text) if family == socket.AF_INET else ("if_inet6", address.hex())
    with _Net(pid, root) as net:
        near = needle.encode() in net(file)
    return near and text in addresses(pid, root)


def network_from_proc(pid: int | str, root: str = "/proc") -> Network:
    """All that /proc tells; `inode` only where this user may see it. Raises UnreadableError.

    `pid` may be `thread-self`: the network that the calling thread is in.
    """
    with _Net(pid, root) as net:
        how = f"by {root}/{pid}/net, without entering it"
        return network_of(net, _inode(pid, root), how, net.missing)


def network_of(
    net: Callable[[str], bytes], inode: int | None, how: str, missing: Sequence[str] = ()
) -> Network:
    """What the files of a /proc/PID/net tell: `net` reads one, b"" if there is none.

    `missing` are those that could not be read, known once all were asked for.
    """
    names = netfiles.device_names(net("dev"))
    main = netfiles.routes(net("route"))
    sixth = netfiles.interface_addresses(net("if_inet6"))
    indices = netfiles.device_indices(net("igmp")) | {name: index for index, name, _ in sixth}
    homed, homeless = _at_home(netfiles.local_addresses(net("fib_trie")), main, names)
    for _, name, address in sixth:
        homed.setdefault(name, []).append(address)
    interfaces = [
        Interface(name, indices.get(name), addresses=tuple(homed.get(name, ()))) for name in names
    ]
    if homeless:
        interfaces.append(Interface("", addresses=homeless))
    return Network(
        inode=inode,
        interfaces=tuple(interfaces),
        routes=(*main, *netfiles.routes6(net("ipv6_route"))),
        listening=_listening(net),
        how=how,
        unknown=_unknown(homeless, names, missing),
    )


def listening(
    pid: int | str, root: str = "/proc", pids: Iterable[int] = ()
) -> tuple[Listening, ...]:
    """The sockets that wait in the network of a process; the program of those that `pids` hold.

    Whose sockets another user's process holds, only root may see. Raises UnreadableError.
    """
    with _Net(pid, root) as net:
        found = _listening(net)
    holders = _holders({each.inode for each in found}, pids, root)
    return tuple(
        replace(each, pid=holder[0], program=holder[1])
        if (holder := holders.get(each.inode))
        else each
        for each in found
    )


class _Net:
    """/proc/PID/net held open: all files are of one process, even if the PID is used again."""

    def __init__(self, pid: int | str, root: str) -> None:
        path = f"{root}/{pid}/net"
        try:
            self._folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise UnreadableError(f"{path}: {error.strerror}") from error
        self.missing: list[str] = []

    def __enter__(self) -> "_Net":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._folder)

    def __call__(self, name: str) -> bytes:
        """b"" for one that is not there: a kernel without IPv6."""
        try:
            return read(name, self._folder)
        except FileNotFoundError:
            return b""
        except OSError:
            self.missing.append(name)
            return b""


def _listening(net: Callable[[str], bytes]) -> tuple[Listening, ...]:
    return tuple(
        each for name, protocol in _TABLES for each in netfiles.listening(net(name), protocol)
    )


def _at_home(
    locals: tuple[Local, ...], main: tuple[Route, ...], names: tuple[str, ...]
) -> tuple[dict[str, list[InterfaceAddress]], tuple[InterfaceAddress, ...]]:
    """Addresses by interface, and those of which it cannot be told."""
    homed: dict[str, list[InterfaceAddress]] = {}
    homeless = []
    for address in (local.address for local in locals if local.prefix == 32):
        if (prefix := _on_loopback(address, locals)) is not None and _LOOPBACK in names:
            homed.setdefault(_LOOPBACK, []).append(InterfaceAddress(address, prefix, "host"))
        elif (home := _home(address, main)) is not None:
            homed.setdefault(home[0], []).append(InterfaceAddress(address, home[1], ""))
        else:
            homeless.append(InterfaceAddress(address, None, ""))
    return homed, tuple(homeless)


def _on_loopback(address: str, locals: tuple[Local, ...]) -> int | None:
    """The length of a prefix that is local as a whole: only the loopback has such."""
    inside = [
        local.prefix
        for local in locals
        if local.prefix < 32 and _is_in(address, local.address, local.prefix)
    ]
    return max(inside, default=None)


def _home(address: str, main: tuple[Route, ...]) -> tuple[str, int] | None:
    """Interface and prefix, by the narrowest net on a link that it is in, if that is one only."""
    found: dict[int, set[str]] = {}
    for route in main:
        net, slash, prefix = route.destination.partition("/")
        on_link = slash and route.device and not route.gateway
        if on_link and _is_in(address, net, int(prefix)):
            found.setdefault(int(prefix), set()).add(route.device)
    if not found or len(devices := found[max(found)]) > 1:
        return None
    return next(iter(devices)), max(found)


def _is_in(address: str, net: str, prefix: int) -> bool:
    """ipaddress would take as long to import as all of this takes."""
    one, other = (int.from_bytes(socket.inet_aton(each), "big") for each in (address, net))
    return (one ^ other) >> (32 - prefix) == 0


def _unknown(
    homeless: tuple[InterfaceAddress, ...], names: tuple[str, ...], missing: Sequence[str]
) -> tuple[Unknown, ...]:
    found = [
        Unknown(
            "interfaces",
            "/proc tells neither their state, kind, MTU, MAC and peer, nor the scopes of IPv4"
            " addresses, nor the tables of IPv6 routes",
            _ENTERING,
        )
    ]
    found += [
        Unknown(
            f"interface and prefix of {each.address}",
            f"no route on a link tells which of {', '.join(names)} has it",
            _ENTERING,
        )
        for each in homeless
    ]
    found += [Unknown(name, f"/proc/PID/net/{name} cannot be read") for name in missing]
    return tuple(found)


def _inode(pid: int | str, root: str) -> int | None:
    with suppress(OSError, ValueError):
        link = os.readlink(f"{root}/{pid}/ns/net")
        return int(link.removeprefix("net:[").removesuffix("]"))
    return None


def _holders(inodes: set[int], pids: Iterable[int], root: str) -> dict[int, tuple[int, str]]:
    """By socket the first process that has it open, with its name."""
    found: dict[int, tuple[int, str]] = {}
    for pid in pids:
        with suppress(OSError):
            for inode in _sockets(f"{root}/{pid}/fd") & inodes - found.keys():
                comm = read(f"{root}/{pid}/comm").decode("utf-8", "replace").rstrip("\n")
                found[inode] = pid, comm
    return found


def _sockets(folder: str) -> set[int]:
    """Raises OSError where this user may not look."""
    found = set()
    for name in os.listdir(folder):
        with suppress(OSError, ValueError):
            link = os.readlink(f"{folder}/{name}")
            if link.startswith(_SOCKET):
                found.add(int(link[len(_SOCKET) : -1]))
    return found
