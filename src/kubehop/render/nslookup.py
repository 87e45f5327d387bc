"""A lookup as nslookup prints it: busybox's three forms, and BIND's.

Each form is a function of what was asked and what came back, so that a prediction prints like
the program would, and a real lookup like the program does. Forms read off the programs: busybox
1.28.4, 1.35.0 and 1.36.1, BIND 9.18.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kubehop.dns.lookup.drive import Lookup, Step
from kubehop.dns.lookup.protocol import Silence, Status
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
    """What the program was run with: the name as typed, the servers and the hosts file."""

    name: str
    servers: tuple[str, ...]
    hosts: Hosts = NO_HOSTS
    port: int = PORT


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
    error = "".join(
        _line(f"nslookup: write to '{server}': Connection refused")
        for server in dict.fromkeys(step.query.server for step in refused)
    )
    if not replies:
        return Printed(f"{lookup.outcome.text}\n\n", error)
    server = replies[-1][0].query.server
    head = f"Server:\t\t{server}\nAddress:\t{socket_address(server, asked.port)}\n\n"
    return Printed(head + "".join(_paragraph(asked, s, r) for s, r in replies) + "\n", error)


def _paragraph(asked: Asked, step: Step, reply: Reply) -> str:
    if reply.rcode is not Rcode.NOERROR:
        name = step.query.question.name
        shown = asked.name if absolute(asked.name) == name else name.removesuffix(".")
        return _line(f"** server can't find {shown}: {reply.rcode.name}") + "\n"
    return "".join(_records(reply)) + "\n"


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
    """BIND's nslookup: the reply that ended the search, then the addresses of the other family."""
    useful = [(s, r) for s, r in _replies(lookup) if not _searched_on(s, r, lookup)]
    silent = "".join(
        _line(f";; communications error to {step.query.server}#{asked.port}: {_silence(step)}")
        for step in lookup.steps
        if not isinstance(step.result, Reply)
    )
    if not useful:
        return Printed(f"{silent}{lookup.outcome.text}\n\n")
    server = useful[-1][0].query.server
    head = f"Server:\t\t{server}\nAddress:\t{server}#{asked.port}\n\n"
    return Printed(silent + head + _bind_answers(asked, lookup, [r for _, r in useful]) + "\n")


def _bind_answers(asked: Asked, lookup: Lookup, replies: list[Reply]) -> str:
    good = [reply for reply in replies if reply.rcode is Rcode.NOERROR]
    told: list[str] = []
    if any(reply.answer and not reply.authoritative for reply in good):
        told.append("Non-authoritative answer:\n")
    # The second query repeats the CNAMEs of the first.
    told += dict.fromkeys(line for reply in good for line in _bind_records(reply))
    if good and not any(reply.answer for reply in good):
        told.append(_line(f"*** Can't find {asked.name}: No answer"))
    return "".join(told) + (_line(lookup.outcome.text) if lookup.outcome.text else "")


def _bind_records(reply: Reply) -> Iterator[str]:
    for line in _records(reply):
        # BIND keeps the root's dot of the names that records point to.
        points = "\tcanonical name = " in line or "\tname = " in line
        yield f"{line[:-1]}.\n" if points else line


def _searched_on(step: Step, reply: Reply, lookup: Lookup) -> bool:
    """NXDOMAIN under a search domain: the next one is asked, and nothing printed."""
    return reply.rcode is Rcode.NXDOMAIN and step is not lookup.steps[-1]


def _silence(step: Step) -> str:
    return "connection refused" if step.result is Silence.UNREACHABLE else "timed out"


def _replies(lookup: Lookup) -> Iterator[tuple[Step, Reply]]:
    """The replies that were listened to: not those that were only asked for again."""
    for index, step in enumerate(lookup.steps):
        later = lookup.steps[index + 1 :]
        again = any(
            s.query.question == step.query.question and isinstance(s.result, Reply) for s in later
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
