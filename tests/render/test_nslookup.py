"""What nslookup prints, against what it printed: recorded lookups, and BIND's own program."""

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from kubehop import example
from kubehop.dns.lookup.drive import Lookup, drive
from kubehop.dns.lookup.protocol import Query, Silence
from kubehop.dns.lookup.resolvers import RESOLVERS
from kubehop.dns.message import Rcode, Record, Reply
from kubehop.dns.resolv.hosts import NO_HOSTS
from kubehop.dns.settings import DNSSettings
from kubehop.dnsclient.live import ask
from kubehop.dnsclient.sockets import Endpoint
from kubehop.render.nslookup import FORMS, Asked, Printed
from kubehop.trace.lookups import Names
from kubehop.trace.questions import parse_origin
from tests.conformance.resolver import RecordingServer
from tests.conformance.resolvers import HOSTS, resolver_named
from tests.dnsclient.server import Handler, serving
from tests.real.needs import program
from tests.shared_files import shared


def recorded() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every recorded run of a busybox nslookup, with the file's header."""
    with shared("cases/resolver.jsonl").open() as lines:
        header = json.loads(next(lines))
        for line in lines:
            case = json.loads(line)
            if case["resolver"].startswith("busybox-nslookup") and "type-a" not in case["resolver"]:
                yield case, header


def printed(case: dict[str, Any], header: dict[str, Any]) -> tuple[str, str]:
    """What we would print for a recorded run."""
    resolver = resolver_named(case["resolver"])
    assert resolver is not None
    server = RecordingServer(case, header, 1.0)
    lookup = drive(resolver.machine(case["name"], case["resolv_conf"], HOSTS), server.answer)
    conf = resolver.parse(case["resolv_conf"], "")
    found = FORMS[resolver.name](Asked(case["name"], conf.nameservers, HOSTS), lookup)
    return found.out, found.err


def sorted_lines(text: str) -> list[str]:
    """Lines without their order: which of two replies comes first is a race, and getaddrinfo
    numbers addresses by routes that the recording host had (RFC 6724)."""
    return sorted(re.sub(r"^Address \d+:", "Address:", line) for line in text.splitlines())


def test_recorded_runs_print_the_same() -> None:
    compared = 0
    for case, header in recorded():
        if case["name"].startswith(("big.", "huge.")):
            continue  # the file cuts their output off
        out, err = printed(case, header)
        about = f"{case['resolver']} {case['scenario']} {case['name']}"
        assert sorted_lines(out) == sorted_lines(case["stdout"]), about
        assert sorted_lines(err) == sorted_lines(case["stderr"]), about
        compared += 1
    assert compared > 200


def test_the_form_of_the_field_notes() -> None:
    asked = Asked("kubernetes.default", ("10.43.0.10",))
    found = FORMS["busybox-1.28"](asked, notes_lookup())
    assert found == Printed(
        "Server:    10.43.0.10\n"
        "Address 1: 10.43.0.10 kube-dns.kube-system.svc.cluster.local\n"
        "\n"
        "Name:      kubernetes.default\n"
        "Address 1: 10.43.0.1 kubernetes.default.svc.cluster.local\n"
    )


def test_the_failure_of_the_field_notes() -> None:
    asked = Asked("kubernetes.default", ("10.43.0.10",))
    lookup = drive(
        RESOLVERS["busybox-1.28"].machine("kubernetes.default", RESOLV_CONF),
        lambda _: Reply(Rcode.NXDOMAIN),
    )
    assert FORMS["busybox-1.28"](asked, lookup) == Printed(
        "Server:    10.43.0.10\nAddress 1: 10.43.0.10\n\n",
        "nslookup: can't resolve 'kubernetes.default'\n",
    )


RESOLV_CONF = (
    "search default.svc.cluster.local svc.cluster.local cluster.local\n"
    "nameserver 10.43.0.10\n"
    "options ndots:5\n"
)


def notes_lookup() -> Lookup:
    """The lookup of the notes, answered by the example cluster."""
    found = example.cluster()
    names = Names(found, DNSSettings())
    start = parse_origin(found, "pod/busybox", "default")
    predicted = names.lookup("kubernetes.default", start, RESOLVERS["busybox-1.28"])
    return Lookup(tuple(one.step for one in predicted.steps), predicted.outcome, predicted.seconds)


def test_what_a_server_sends_cannot_drive_the_terminal() -> None:
    evil = Record("whoami.", 5, "CNAME", "\x1b]0;owned\x07.example.")
    lookup = drive(
        RESOLVERS["busybox"].machine("whoami.", RESOLV_CONF),
        lambda _: Reply(Rcode.NOERROR, (evil,)),
    )
    printed = FORMS["busybox"](Asked("whoami.", ("10.43.0.10",)), lookup)
    assert "\\x1b]0;owned\\x07" in printed.out
    assert "\x1b" not in printed.out


ZONE = {
    ("one.example.", "A"): ("one.example. 30 A 10.0.0.1",),
    ("two.example.", "A"): ("two.example. 30 A 10.0.0.1", "two.example. 30 A 10.0.0.2"),
    ("two.example.", "AAAA"): ("two.example. 30 AAAA fd00::2",),
    ("alias.example.", "A"): (
        "alias.example. 30 CNAME one.example.",
        "one.example. 30 A 10.0.0.1",
    ),
    ("alias.example.", "AAAA"): ("alias.example. 30 CNAME one.example.",),
    ("nodata.example.", "TXT"): ("nodata.example. 30 TXT text",),
    ("six.example.", "AAAA"): ("six.example. 30 AAAA fd00::6",),
    ("1.0.0.10.in-addr.arpa.", "PTR"): ("1.0.0.10.in-addr.arpa. 30 PTR one.example.",),
}
NAMES = ("one.example.", "two.example.", "alias.example.", "10.0.0.1", "absent.example.")
MORE = ("nodata.example.", "six.example.", "10.0.0.9")
FLAGS = {"authoritative": "QR AA RD", "recursive": "QR RD RA", "both": "QR AA RD RA"}


def answering(flags: str, rcode: str = "NOERROR") -> Handler:
    """A server that knows ZONE; every name that it lacks is NXDOMAIN."""

    def handler(query: dns.message.Message, transport: str) -> list[bytes]:
        question = query.question[0]
        name = question.name.to_text()
        reply = dns.message.make_response(query)
        reply.flags = dns.flags.from_text(flags)
        known = any(name == owner for owner, _ in ZONE)
        reply.set_rcode(dns.rcode.from_text(rcode if known else "NXDOMAIN"))
        found = ZONE.get((name, dns.rdatatype.to_text(question.rdtype)), ())
        for record in found if rcode == "NOERROR" else ():
            owner, ttl, kind, data = record.split(" ", 3)
            reply.answer.append(dns.rrset.from_text(owner, int(ttl), "IN", kind, data))
        return [reply.to_wire()]

    return handler


@pytest.mark.parametrize("rcode", ["NOERROR", "SERVFAIL", "REFUSED"])
@pytest.mark.parametrize("flags", list(FLAGS))
@pytest.mark.parametrize("name", NAMES + MORE)
def test_like_binds_own_program(name: str, flags: str, rcode: str) -> None:
    binary = program("nslookup", "bind9-dnsutils")
    with serving(answering(FLAGS[flags], rcode)) as server:
        address, port = server.endpoint
        theirs = run([binary, f"-port={port}", name, address])
        ours, code = asked("nslookup", name, server.endpoint)
    assert (ours.out, code) == (theirs.stdout, theirs.returncode)


def truncating(query: dns.message.Message, transport: str) -> list[bytes]:
    """Every answer is too long for UDP."""
    (octets,) = answering("QR RD RA")(query, transport)
    if transport == "udp":
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.TC | dns.flags.RA
        return [reply.to_wire()]
    return [len(octets).to_bytes(2, "big") + octets]


@pytest.mark.parametrize("name", ["two.example.", "absent.example."])
def test_like_binds_own_program_over_tcp(name: str) -> None:
    binary = program("nslookup", "bind9-dnsutils")
    with serving(truncating) as server:
        address, port = server.endpoint
        theirs = run([binary, f"-port={port}", name, address])
        ours, code = asked("nslookup", name, server.endpoint)
    assert (ours.out, code) == (theirs.stdout, theirs.returncode)
    assert ours.out.startswith(";; Truncated, retrying in TCP mode.\n")


LONG = ".".join(["a" * 63] * 3 + ["b" * 62])


@pytest.mark.parametrize("name", ["", "a..b", ".a", "..", "a" * 64, f"{'a' * 64}..", LONG])
def test_what_is_no_name_is_refused_as_binds_programs_do(name: str) -> None:
    for tool in ("nslookup", "dig", "host"):
        theirs = run([program(tool, "bind9-dnsutils"), name, "127.0.0.1"])
        outcome = drive(RESOLVERS[tool].machine(name, RESOLV_CONF), _nobody).outcome
        said = theirs.stderr.rpartition(f"{tool}: ")  # it says by which path it was called
        assert (f"{tool}: {said[2]}", theirs.returncode) == (f"{outcome.text}\n", outcome.exit)
    ours, _ = asked("nslookup", name, ("127.0.0.1", 1))
    assert ours == Printed("", f"{outcome.text.replace('host:', 'nslookup:', 1)}\n")


@pytest.mark.parametrize("flags", list(FLAGS))
@pytest.mark.parametrize("name", [*NAMES, *MORE, "a..b"])
def test_like_busyboxs_own_program(name: str, flags: str) -> None:
    binary = program("busybox", "busybox")
    with serving(answering(FLAGS[flags])) as server:
        address, port = server.endpoint
        theirs = run([binary, "nslookup", name, f"{address}:{port}"])
        ours, code = asked("busybox", name, server.endpoint)
    # Replies come in any order.
    assert sorted_lines(ours.out) == sorted_lines(theirs.stdout)
    assert (ours.err, code) == (theirs.stderr, theirs.returncode)


def _nobody(query: Query) -> Silence:
    raise AssertionError(query)


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def asked(style: str, name: str, endpoint: Endpoint) -> tuple[Printed, int | None]:
    """What kubehop prints, and its exit code, when the server stands on the command line."""
    address, port = endpoint
    resolver = RESOLVERS[style]
    conf = resolver.parse(f"nameserver {address}\n", "")
    lookup = ask(resolver.start(name, conf, NO_HOSTS), lambda _: endpoint)
    shown = Asked(name, (address,), NO_HOSTS, port, given=f"{address}:{port}")
    return FORMS[style](shown, lookup), lookup.outcome.exit
