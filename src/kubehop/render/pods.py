"""The pods of a host as text: a table of them, and what is known of one."""

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from kubehop.model.errors import printable
from kubehop.render.pod_network import network_lines
from kubehop.sandbox.values import (
    NONE_THERE,
    SHORT,
    Container,
    Files,
    Network,
    Sandbox,
    Tried,
    Unknown,
)

NOT_KNOWN, NOTHING = "?", "-"


class Row(Struct, frozen=True):
    """A sandbox of the list; the host's ends of its interfaces, None if they are not known."""

    sandbox: Sandbox
    interfaces: tuple[str, ...] | None = None


def list_lines(rows: Sequence[Row], tried: Sequence[Tried], wide: bool = False) -> list[str]:
    """A table, then what is missing in it, and who was asked and who not."""
    head = ["NAMESPACE", "NAME", "SANDBOX", "PID", "NETNS", "ADDRESSES", "HOST-INTERFACE"]
    head += ["RUNTIME", *(["READY", "ATTEMPT", "HANDLER", "CONTAINERS", "SOURCE"] * wide)]
    table = columns([head, *(_cells(row, wide) for row in rows)]) if rows else []
    missing = unknown_lines(_shared(row.sandbox for row in rows))
    return [*table, *missing, *_asked(tried), *not_asked_lines(tried)]


def _cells(row: Row, wide: bool) -> list[str]:
    sandbox = row.sandbox
    ended = sandbox.ready is False
    unless = NOTHING if ended else NOT_KNOWN
    cells = [
        sandbox.namespace or _unless_named(sandbox),
        sandbox.name or NOT_KNOWN,
        (sandbox.id if wide else sandbox.id[:SHORT]) or NOTHING,
        str(sandbox.pid or unless),
        str(sandbox.inode or unless),
        _addresses(sandbox) or unless,
        _interfaces(row) or unless,
        sandbox.runtime or NOT_KNOWN,
    ]
    if wide:
        ready = {True: "yes", False: "no", None: NOT_KNOWN}[sandbox.ready]
        names = ",".join(each.name or each.id[:SHORT] for each in sandbox.containers)
        cells += [ready, str(sandbox.attempt), sandbox.handler or NOT_KNOWN]
        cells += [names or NOTHING, sandbox.source]
    return cells


def _unless_named(sandbox: Sandbox) -> str:
    """What has a name without a namespace is no pod's: docker's own."""
    return NOTHING if sandbox.name else NOT_KNOWN


def _addresses(sandbox: Sandbox) -> str:
    return "host" if sandbox.host_network else ",".join(sandbox.addresses)


def _interfaces(row: Row) -> str:
    if row.sandbox.host_network:
        return NOTHING
    return "" if row.interfaces is None else ",".join(row.interfaces) or NOTHING


def _shared(sandboxes: Iterable[Sandbox]) -> list[Unknown]:
    """Each kind once, with how many sandboxes it is of."""
    counted: dict[Unknown, int] = {}
    for sandbox in sandboxes:
        for unknown in sandbox.unknown:
            counted[unknown] = counted.get(unknown, 0) + 1
    return [
        replace(unknown, what=f"{unknown.what} of {count} pods" if count > 1 else unknown.what)
        for unknown, count in counted.items()
    ]


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as kubectl aligns them; nothing in them can drive a terminal."""
    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return ["   ".join(map(str.ljust, row, widths)).rstrip() for row in shown]


class Pod(Struct, frozen=True):
    """One pod, its network and files, and who was asked."""

    sandbox: Sandbox
    container: Container | None
    network: Network
    files: Files
    tried: tuple[Tried, ...]


def pod_lines(pod: Pod) -> list[str]:
    """Who it is, its network, its files, and at the end what is not known and why."""
    parts = [
        head_lines(pod),
        network_lines(replace(pod.network, unknown=())),
        *(_file(name, text) for name, text in _texts(pod.files)),
        unknown_lines(all_unknown(pod)),
        not_asked_lines(pod.tried),
    ]
    lines: list[str] = []
    for part in parts:
        lines += ["", *part] if part and lines else part
    return lines


def all_unknown(pod: Pod) -> tuple[Unknown, ...]:
    """Each once, in the order in which it is shown."""
    every = (*pod.sandbox.unknown, *pod.network.unknown, *pod.files.unknown)
    return tuple(dict.fromkeys(every))


def head_lines(pod: Pod) -> list[str]:
    """Name and value a line; what is not known has a `?`, what is not there is left out."""
    sandbox = pod.sandbox
    rows = [
        ("pod" if sandbox.namespace or sandbox.uid else "name", _title(sandbox)),
        ("uid", sandbox.uid and sandbox.uid + (" (static pod)" if sandbox.static else "")),
        ("sandbox", sandbox.id and f"{sandbox.id}{_state(sandbox)}"),
        ("pause PID", _pause(sandbox)),
        ("netns", _namespace(sandbox, pod.network)),
        ("network", _HOST if sandbox.host_network else ""),
        ("addresses", ", ".join(sandbox.addresses)),
        ("runtime", _runtime(sandbox)),
        ("containers", ", ".join(_container(each) for each in sandbox.containers)),
        ("chosen", _container(pod.container) if pod.container else ""),
        ("hostname", (pod.files.hostname or "").strip()),
        ("looked at", pod.network.how),
        ("from", sandbox.source),
    ]
    return [printable(f"{name:<11} {value}") for name, value in rows if value]


_HOST = "the node's own (hostNetwork): interfaces, routes and sockets are the node's"


def reference(sandbox: Sandbox) -> str:
    """What -o name prints and every command takes: `pod/shop/web`, else an id or a PID."""
    if sandbox.name:
        return printable(
            "/".join(part for part in ("pod", sandbox.namespace, sandbox.name) if part)
        )
    return sandbox.id or f"/proc/{sandbox.pid}"


def _title(sandbox: Sandbox) -> str:
    if not sandbox.name:
        return NOT_KNOWN
    return f"{sandbox.namespace}/{sandbox.name}" if sandbox.namespace else sandbox.name


def _state(sandbox: Sandbox) -> str:
    words = [
        {True: "ready", False: "not ready", None: ""}[sandbox.ready],
        f"attempt {sandbox.attempt}" if sandbox.attempt else "",
    ]
    said = ", ".join(word for word in words if word)
    return f" ({said})" if said else ""


def _pause(sandbox: Sandbox) -> str:
    """CRI-O keeps the namespace without a process: others are in it then."""
    if sandbox.pid:
        return str(sandbox.pid)
    if sandbox.ready is False:
        return ""
    others = any(each.pid for each in sandbox.containers)
    return f"{NOTHING} (no process of the sandbox's own)" if others else NOT_KNOWN


def _namespace(sandbox: Sandbox, network: Network) -> str:
    inode = network.inode or sandbox.inode
    if not inode and sandbox.ready is False:
        return ""
    return f"{inode or NOT_KNOWN} {sandbox.netns_path}".rstrip()


def _runtime(sandbox: Sandbox) -> str:
    return f"{sandbox.runtime or NOT_KNOWN}" + (f" ({sandbox.handler})" if sandbox.handler else "")


def _container(container: Container) -> str:
    name = container.name or container.id[:SHORT] or NOT_KNOWN
    if container.pid:
        return f"{name} (PID {container.pid})"
    return f"{name} (exited)" if container.running is False else name


def _texts(files: Files) -> list[tuple[str, str]]:
    """Those that are known and there."""
    both = (("resolv.conf", files.resolv_conf), ("hosts", files.hosts))
    return [(name, text) for name, text in both if text]


def _file(name: str, text: str) -> list[str]:
    lines = text.expandtabs(8).rstrip("\n").split("\n")
    return [f"{name}:", *(f"  {printable(line)}".rstrip() for line in lines)]


def unknown_lines(unknown: Iterable[Unknown]) -> list[str]:
    """With what would tell."""
    lines = [
        f"  {each.what}: {each.why}" + (f" (needs {each.needs})" if each.needs else "")
        for each in unknown
    ]
    return ["unknown:", *map(printable, lines)] if lines else []


def not_asked_lines(tried: Iterable[Tried]) -> list[str]:
    """The sources that are there and could not be asked."""
    return [_not_asked(each) for each in tried if each.found is None and each.why != NONE_THERE]


def _not_asked(tried: Tried) -> str:
    place = tried.source.rpartition(" ")[2]
    why = tried.why.removeprefix(f"{place}: ")
    needs = f" (needs {tried.needs})" if tried.needs else ""
    return printable(f"not asked: {tried.source}: {why}{needs}")


def _asked(tried: Iterable[Tried]) -> list[str]:
    """Those that answered with something."""
    said = ", ".join(f"{each.source} ({each.found})" for each in tried if each.found)
    return [printable(f"from: {said}")] if said else []
