"""A lookup as nslookup prints it: busybox's three forms, and BIND's.

Each form is a function of what was asked and what came back, so that a prediction prints like
the program would, and a real lookup like the program does. Forms read off the programs: busybox
1.28.4, 1.35.0 and 1.36.1, BIND 9.18.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kubehop.dns.lookup.drive import Lookup, Step
from kubehop.dns.lookup.protocol import Silence, Status, Transport
from kubehop.dns.message import Rcode, Reply
from kubehop.dns.names import absolute, reverse
from kubehop.dns.resolv.hosts import NO_HOSTS, Hosts
from kubehop.model.addresses import socket_address
from kubehop.model.errors import printable

PORT = 53


@dataclass(frozen=True, slots=True)
class Printed:
    """What a program writes to standard output and standard error."""

    out: str
    err: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the program was run with: the name as typed, the servers and the hosts file.

    `given` is the server as it stood on the command line, "" without: busybox prints it so, and
    BIND's nslookup is less strict with it.
    """

    name: str
    servers: tuple[str, ...]
    hosts: Hosts = NO_HOSTS
    port: int = PORT
    given: str = ""


Form = Callable[[Asked, Lookup], Printed]


def busybox_1_28(asked: Asked, lookup: Lookup) -> Printed:
    """`Address 1: 10.43.0.1 kubernetes.default.svc.cluster.local`: the form of the field notes."""
    names = _names(asked, lookup)
    server = _line(f"Server:    {asked.servers[0]}") + _numbered(asked.servers[:1], names)
    return _answer_1_28(asked, lookup, names, f"{server}\n", "")


def busybox_1_28_musl(asked: Asked, lookup: Lookup) -> Printed:
    """musl does not tell the program which server it asks."""
    error = "nslookup: can't resolve '(null)'\n"
    return _answer_1_28(asked, lookup, _names(asked, lookup), "\n", error)


def _answer_1_28(
    asked: Asked, lookup: Lookup, names: dict[str, str], head: str, error: str
) -> Printed:
    if lookup.outcome.status is not Status.FOUND:
        return Printed(head, f"{error}{_line(lookup.outcome.text)}")
    found = _numbered(lookup.outcome.addresses, names)
    return Printed(f"{head}{_line(f'Name:      {asked.name}')}{found}", error)


def _numbered(addresses: tuple[str, ...], names: dict[str, str]) -> str:
    return "".join(
        _line(f"Address {number}: {address} {names.get(address, '')}".rstrip())
        for number, address in enumerate(addresses, 1)
    )


def _names(asked: Asked, lookup: Lookup) -> dict[str, str]:
    """Names of addresses: by the hosts file, else by the PTR queries of the lookup."""
    told = {
        step.query.question.name: record.data.removesuffix(".")
        for step, reply in _replies(lookup)
        for record in reply.answer
        if record.type == "PTR"
    }
    addresses = (*asked.servers, *lookup.outcome.addresses)
    pointers = ((a, told.get(reverse(a.partition("%")[0]))) for a in addresses)
    found = ((a, asked.hosts.name_of(a) or name) for a, name in pointers)
    return {address: name for address, name in found if name}


def busybox(asked: Asked, lookup: Lookup) -> Printed:
    """busybox 1.29 and newer: a paragraph for each reply, in the order of arrival."""
    replies = list(_replies(lookup))
    refused = [s for s in lookup.steps if s.result is Silence.UNREACHABLE]
    failed = {step.query.server: "Connection refused" for step in refused}
    if not lookup.steps:  # what is no name makes no query, and it writes as many octets as it can
        failed = dict.fromkeys(asked.servers, "Message too long")
    error = "".join(
        _line(f"nslookup: write to '{asked.given or server}': {why}")
        for server, why in failed.items()
    )
    if not replies:
        return Printed(f"{lookup.outcome.text}\n\n", error)
    server = replies[-1][0].query.server
    head = f"Server:\t\t{asked.given or server}\nAddress:\t{socket_address(server, asked.port)}\n\n"
    return Printed(head + "".join(_paragraph(asked, s, r) for s, r in replies), error)


def _paragraph(asked: Asked, step: Step, reply: Reply) -> str:
    if reply.rcode is not Rcode.NOERROR:
        name = step.query.question.name
        shown = asked.name if absolute(asked.name) == name else name.removesuffix(".")
        return _line(f"** server can't find {shown}: {reply.rcode.name}") + "\n"
    weak = "" if reply.authoritative else "Non-authoritative answer:\n"
    return f"{weak}{''.join(_records(reply))}\n"


def _records(reply: Reply) -> Iterator[str]:
    for record in reply.answer:
        owner, data = record.name.removesuffix("."), record.data.removesuffix(".")
        match record.type:
            case "A" | "AAAA":
                yield _line(f"Name:\t{owner}") + _line(f"Address: {record.data}")
            case "CNAME":
                yield _line(f"{owner}\tcanonical name = {data}")
            case "PTR":
                yield _line(f"{owner}\tname = {data}")


def bind(asked: Asked, lookup: Lookup) -> Printed:
    """BIND's nslookup: what it thinks of each reply, then the records of those that count."""
    if not lookup.steps:
        return Printed("", _line(lookup.outcome.text))
    told, head = [], ""
    replies: list[Reply] = []
    for step, following in zip(lookup.steps, (*lookup.steps[1:], None), strict=True):
        told.append(_complaint(asked, step, following))
        if isinstance(step.result, Reply) and _counts(step, step.result, following):
            server = step.query.server
            head = head or f"Server:\t\t{server}\nAddress:\t{server}#{asked.port}\n\n"
            replies.append(step.result)
            told.append(head if len(replies) == 1 and not _backwards(step) else "")
            told.append(_answers(replies, backwards=_backwards(step)))
    if not replies:
        return Printed(f"{''.join(told)}{lookup.outcome.text}\n\n")
    return Printed("".join((*told, _end(lookup, replies), "\n")))


def _complaint(asked: Asked, step: Step, following: Step | None) -> str:
    """What is printed about a reply that is not good, or that did not come."""
    result, server = step.result, step.query.server
    if not isinstance(result, Reply):
        why = "connection refused" if result is Silence.UNREACHABLE else "timed out"
        return _line(f";; communications error to {server}#{asked.port}: {why}")
    if result.truncated and step.query.transport is Transport.UDP:
        return ";; Truncated, retrying in TCP mode.\n"
    lame = not result.recursive and not asked.given
    if result.rcode is not Rcode.SERVFAIL and not lame:
        return ""
    what = "SERVFAIL reply" if result.rcode is Rcode.SERVFAIL else "recursion not available"
    onward = ", trying next server" if _same_question(step, following) else ""
    return _line(f";; Got {what} from {server}{onward}")


def _counts(step: Step, reply: Reply, following: Step | None) -> bool:
    """False for a reply after which the same is asked again, or the next search domain."""
    goes_on = reply.rcode is Rcode.NXDOMAIN and following is not None
    return not goes_on and not _same_question(step, following)


def _same_question(step: Step, following: Step | None) -> bool:
    return following is not None and following.query.question == step.query.question


def _backwards(step: Step) -> bool:
    return step.query.question.type == "PTR"


def _answers(replies: list[Reply], *, backwards: bool) -> str:
    """The records of the last reply; the second one repeats the CNAMEs of the first."""
    *before, reply = replies
    said = {line for earlier in before for line in _bind_records(earlier)}
    told = [line for line in _bind_records(reply) if line not in said]
    first = _weak(reply) and not backwards and not any(map(_weak, before))
    return ("Non-authoritative answer:\n" if first else "") + "".join(told)


def _weak(reply: Reply) -> bool:
    return reply.rcode is Rcode.NOERROR and not reply.authoritative


def _end(lookup: Lookup, replies: list[Reply]) -> str:
    """The verdict, where there is one."""
    last = replies[-1]
    if lookup.outcome.text:
        return _line(lookup.outcome.text)
    if not any(reply.answer for reply in replies):
        name = lookup.steps[-1].query.question.name.removesuffix(".")
        return _line(f"*** Can't find {name}: No answer")
    if _backwards(lookup.steps[-1]) and not last.authoritative:
        return "\nAuthoritative answers can be found from:\n"
    return ""


def _bind_records(reply: Reply) -> Iterator[str]:
    for line in _records(reply):
        # BIND keeps the root's dot of the names that records point to.
        points = "\tcanonical name = " in line or "\tname = " in line
        yield f"{line[:-1]}.\n" if points else line


def _replies(lookup: Lookup) -> Iterator[tuple[Step, Reply]]:
    """The replies that were listened to: not those that were only asked for again.

    What a search list that has a domain twice asks twice is answered twice.
    """
    for index, step in enumerate(lookup.steps):
        repeats = (s for s in lookup.steps[index + 1 :] if s.query.why.startswith("again"))
        again = any(
            s.query.question == step.query.question and isinstance(s.result, Reply) for s in repeats
        )
        if isinstance(step.result, Reply) and not again:
            yield step, step.result


def _line(content: str) -> str:
    """One line; what a server sent cannot drive the terminal."""
    return "\t".join(map(printable, content.split("\t"))) + "\n"


FORMS: dict[str, Form] = {
    "nslookup": bind,
    "busybox-1.28": busybox_1_28,
    "busybox-1.28-musl": busybox_1_28_musl,
    "busybox-1.29": busybox,
    "busybox-1.30": busybox,
    "busybox": busybox,
}
"""By the name of the resolver whose program prints so; the first is the default."""
