"""What a pod may be called, and which of a host's pods that is; pure.

The forms are tried in the order of `FORMS`, and the first that fits some pod counts:

1. a name: `NAME`, `NAMESPACE/NAME`, `pod/NAME`;
2. docker's name of a container;
3. an address, in any spelling;
4. a PID, of any process of a pod; `/proc/PID` is never taken for anything else;
5. an id, of a container or a sandbox: whole, or four digits of its beginning or more;
   `containerd://ID`, as a Pod's status has it, is never taken for anything else.
"""

import re
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from msgspec import Struct

from kubehop.model.errors import UsageError
from kubehop.sandbox.values import SHORT, Container, Sandbox

SHORTEST = 4
"""Digits of a short id."""
_HEXADECIMAL = re.compile(rf"[0-9a-fA-F]{{{SHORTEST},64}}")
_RUNTIME = re.compile(r"[a-z][a-z0-9+.-]*://([0-9a-fA-F]+)")
_PROCESS = re.compile(r"/proc/([0-9]{1,9})/?")
_NUMBER = re.compile(r"[0-9]{1,9}")
_SHOWN = 20
"""Digits of an id in an error: more than anybody types."""
_LISTED = 10
"""Pods that an error names."""


class Match(Struct, frozen=True):
    """A sandbox that is meant, by its container `container` if that was what was named."""

    sandbox: Sandbox
    container: Container | None = None


class Whose(Struct, frozen=True):
    """What tells whose a process is; `inode` is its network namespace's, None if not known."""

    pid: int
    container_id: str = ""
    pod_uid: str = ""
    inode: int | None = None


class Named(Struct, frozen=True):
    """A question: `text` as it was asked, `namespace` None for any.

    `process` is the one that the text may mean; None if it means none. `holders` are processes
    with the address that the text is, each of another pod.
    """

    text: str
    namespace: str | None = None
    process: Whose | None = None
    holders: tuple[Whose, ...] = ()


class Choice(Struct, frozen=True):
    """The match that counts, and what else the text could have meant."""

    match: Match
    notes: tuple[str, ...] = ()


def pid_in(text: str) -> int | None:
    """The PID that a text may mean."""
    found = _PROCESS.fullmatch(text) or _NUMBER.fullmatch(text)
    return int(found[found.lastindex or 0]) if found else None


def is_address(text: str) -> bool:
    """Whether it can be one."""
    return packed(text) is not None


def packed(text: str) -> bytes | None:
    """An address as octets, the same for every spelling: brackets, a zone, IPv4 in IPv6."""
    text = text.strip().removeprefix("[").removesuffix("]").partition("%")[0]
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError, ValueError):
            found = socket.inet_pton(family, text)
            mapped = family == socket.AF_INET6 and found[:12] == b"\0" * 10 + b"\xff\xff"
            return found[12:] if mapped else found
    return None


def chosen(named: Named, sandboxes: Sequence[Sandbox]) -> Choice | None:
    """The sandbox that is meant; None if nothing fits.

    Of several sandboxes of one pod the ready one counts, then the newest. Raises UsageError if
    several pods fit.
    """
    fitting = [(form, found) for form, by in FORMS if (found := by(named, sandboxes))]
    if not fitting:
        return None
    form, found = fitting[0]
    match = _one(named, form, found)
    notes = [
        f"{named.text!r} is taken as {form}; it is also {other} of {title(each.sandbox)}"
        for other, others in fitting[1:]
        for each in _pods(others)
        if pod_of(each.sandbox) != pod_of(match.sandbox)
    ]
    return Choice(match, (*notes, *_other_sandboxes(match, form, found)))


def _one(named: Named, form: str, found: Sequence[Match]) -> Match:
    ids = {id for _, id in _with_ids(found)}
    if form == ID and len(ids) > 1:
        shown = _listed(sorted(f"{id[:_SHOWN]} ({title(one)})" for one, id in _with_ids(found)))
        raise UsageError(f"{named.text!r} begins {len(ids)} ids: {shown}")
    pods = _pods(found)
    if len(pods) == 1:
        return _within_pod(form, found)
    titles = _listed(sorted(title(match.sandbox) for match in pods))
    if len({title(match.sandbox) for match in pods}) == 1:
        sources = _listed(sorted(match.sandbox.source for match in pods))
        raise UsageError(
            f"{named.text!r} is {form} of {len(pods)} pods: of {sources}; choose one's PID, or"
            " a source (--source lab:NAME for one lab)"
        )
    if form == NAME:
        raise UsageError(f"{named.text!r} is in several namespaces: {titles}; choose with -n")
    raise UsageError(f"{named.text!r} is {form} of {len(pods)} pods: {titles}")


def _with_ids(found: Iterable[Match]) -> list[tuple[Sandbox, str]]:
    """Sandboxes, each with the id that fitted."""
    return [
        (match.sandbox, match.container.id if match.container else match.sandbox.id)
        for match in found
    ]


def _within_pod(form: str, found: Sequence[Match]) -> Match:
    """The best sandbox; the container only if it is the one that fits in it."""
    best = max((match.sandbox for match in found), key=rank)
    of_best = [match for match in found if match.sandbox is best]
    return of_best[0] if len(of_best) == 1 else Match(best)


def rank(sandbox: Sandbox) -> tuple[bool, bool, int, int]:
    """Greater for the sandbox of a pod that counts."""
    return sandbox.ready is True, sandbox.ready is None, sandbox.attempt, sandbox.created


def _other_sandboxes(match: Match, form: str, found: Sequence[Match]) -> list[str]:
    others = [each for each in found if each.sandbox is not match.sandbox]
    alive = [each for each in others if each.sandbox.ready is not False]
    if not alive:
        return []
    return [f"{title(match.sandbox)} has {len(found)} sandboxes; the newest that is ready is shown"]


def _pods(found: Iterable[Match]) -> list[Match]:
    return list({pod_of(match.sandbox): match for match in found}.values())


def pod_of(sandbox: Sandbox) -> tuple[str, ...]:
    """The same for all sandboxes of one pod."""
    if sandbox.name:
        # A lab's pods and a runtime's may have the same name.
        lab = sandbox.source if not (sandbox.id or sandbox.uid) else ""
        return sandbox.namespace, sandbox.name, lab
    return ("", sandbox.uid or sandbox.id or str(sandbox.pid))


def title(sandbox: Sandbox) -> str:
    """`shop/web`; of what has no name, its uid or id."""
    if sandbox.name:
        return f"{sandbox.namespace}/{sandbox.name}" if sandbox.namespace else sandbox.name
    if sandbox.uid:
        return f"pod with uid {sandbox.uid}"
    return f"sandbox {sandbox.id[:SHORT]}" if sandbox.id else f"process {sandbox.pid}"


def _by_name(named: Named, sandboxes: Sequence[Sandbox]) -> list[Match]:
    """As kubectl does, `pod/web` is a kind and a name, and so is not namespace `pod`."""
    first, slash, rest = named.text.rpartition("/")
    namespace = first.removeprefix("pods/").removeprefix("pod/")
    wanted = named.namespace if namespace in ("pod", "pods", "") else namespace
    name = rest if slash else named.text
    return [
        Match(sandbox)
        for sandbox in sandboxes
        if name and sandbox.name == name and wanted in (None, sandbox.namespace)
    ]


def _by_docker_name(named: Named, sandboxes: Sequence[Sandbox]) -> list[Match]:
    """With the slash that docker itself writes before it, or without."""
    name = named.text.removeprefix("/")
    own = [Match(each) for each in sandboxes if name in each.names]
    containers = [
        Match(sandbox, container)
        for sandbox in sandboxes
        for container in sandbox.containers
        if name in container.names
    ]
    return containers or own


def _by_address(named: Named, sandboxes: Sequence[Sandbox]) -> list[Match]:
    wanted = packed(named.text)
    if wanted is None:
        return []
    said = [
        Match(sandbox)
        for sandbox in sandboxes
        if sandbox.ready is not False and any(packed(each) == wanted for each in sandbox.addresses)
    ]
    held = [Match(each.sandbox) for one in named.holders for each in _with_process(one, sandboxes)]
    return list({id(each.sandbox): each for each in (*said, *held)}.values())


def _by_process(named: Named, sandboxes: Sequence[Sandbox]) -> list[Match]:
    return _with_process(named.process, sandboxes) if named.process else []


def _with_process(process: Whose, sandboxes: Sequence[Sandbox]) -> list[Match]:
    """By its container, else its pod, else the network namespace that it is in."""
    own = [Match(each) for each in sandboxes if each.pid == process.pid]
    by_id = _with_id(process.container_id.__eq__, sandboxes) if process.container_id else []
    by_uid = [Match(each) for each in sandboxes if process.pod_uid and each.uid == process.pod_uid]
    by_inode = [
        Match(each)
        for each in sandboxes
        if process.inode is not None and each.inode == process.inode and not each.host_network
    ]
    return by_id or own or by_uid or by_inode


def _by_id(named: Named, sandboxes: Sequence[Sandbox]) -> list[Match]:
    explicit = _RUNTIME.fullmatch(named.text)
    text = (explicit[1] if explicit else named.text).lower()
    if not _HEXADECIMAL.fullmatch(text):
        return []
    return _with_id(lambda id: id.startswith(text), sandboxes)


def _with_id(fits: Callable[[str], bool], sandboxes: Sequence[Sandbox]) -> list[Match]:
    """A container that is its own sandbox (docker's) is both."""
    found = []
    for sandbox in sandboxes:
        containers = [each for each in sandbox.containers if each.id and fits(each.id)]
        found += [Match(sandbox, each) for each in containers]
        if not containers and sandbox.id and fits(sandbox.id):
            found.append(Match(sandbox))
    return found


NAME, ID = "a name", "the id, or its beginning,"
FORMS: tuple[tuple[str, Callable[[Named, Sequence[Sandbox]], list[Match]]], ...] = (
    (NAME, _by_name),
    ("docker's name", _by_docker_name),
    ("an address", _by_address),
    ("the PID of a process", _by_process),
    (ID, _by_id),
)


def container_named(sandbox: Sandbox, name: str) -> Container:
    """The container of -c: the one that runs, then the newest. Raises UsageError."""
    found = [each for each in sandbox.containers if each.name == name]
    if not found:
        names = _listed(sorted({each.name for each in sandbox.containers if each.name}))
        raise UsageError(
            f"{title(sandbox)} has no container {name!r}" + (f"; it has {names}" if names else "")
        )
    return max(found, key=lambda each: (each.running is True, each.attempt))


def near(text: str, sandboxes: Iterable[Sandbox]) -> str:
    """Names like the one that was not found: `shop/web, shop/web-2`, or ""."""
    from difflib import get_close_matches

    wanted = text.rpartition("/")[2]
    names: dict[str, list[str]] = {}
    for sandbox in sandboxes:
        if sandbox.name:
            names.setdefault(sandbox.name, []).append(title(sandbox))
    close = get_close_matches(wanted, names, n=3, cutoff=0.6)
    close += [name for name in names if wanted and name.startswith(f"{wanted}-")]
    return _listed(sorted({each for name in close for each in names[name]}))


def _listed(titles: Sequence[str]) -> str:
    more = f" and {len(titles) - _LISTED} more" if len(titles) > _LISTED else ""
    return ", ".join(titles[:_LISTED]) + more
