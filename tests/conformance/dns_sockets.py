"""DNS cases over sockets: a running server, clients with the addresses of the cases, upstreams.

All in a network namespace, whose loopback has those addresses. dnspython writes the queries and
reads the replies, so that two implementations have to agree on every octet.
"""

import dataclasses
import json
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset

from kubehop.dns.chain import Asked, Serving
from kubehop.dns.corefile import parse
from kubehop.dns.corefile.plugins.forward import Forward
from kubehop.dns.corefile.zones import split_address
from kubehop.dns.message import Question, Rcode, Record, Reply
from kubehop.dnsserver import Listen, Server
from tests.conformance.dns import SERIAL, Runner, client_of
from tests.conformance.dns_scene import Scene
from tests.conformance.dns_upstream import Upstream
from tests.conformance.outcome import Case, Outcome, run_case
from tests.dnsserver.upstreams import FakeUpstream
from tests.real.namespace import namespace

SERVER = "198.18.0.53"
PATIENCE = 15
"""Seconds; CoreDNS takes six to give up a dead upstream."""
ROOT = Path(__file__).parents[2]

Message = dns.message.Message


class Sockets:
    """A server for a scene; clients ask it from addresses of their own."""

    upstreams: dict[str, FakeUpstream] = {}  # noqa: RUF012
    """Those that any scene has, by address: each does what the scene that is asked says."""

    def __init__(self, scene: Scene) -> None:
        corefile, data = parse(scene.corefile), scene.data()
        serial = SERIAL if scene.synced else 0
        self._scene = scene
        self._serving = Serving(corefile, data, own=scene.own, serial=serial)
        self._server = Server(self._serving, [Listen(SERVER, 0)])
        self._server.start()
        plugins = (plugin for block in corefile.blocks for plugin in block.plugins)
        lists = (plugin.servers for plugin in plugins if isinstance(plugin, Forward))
        self._forwards_to = {server for servers in lists for server in servers}

    def ask(self, asked: Asked) -> Reply:
        """The reply as it arrived. A static one is asked for again: then a table has it."""
        for server in self._forwards_to:
            self._behave(server)
        reply = self._once(asked)
        if self._serving.is_static(asked.question):
            again = self._once(asked)
            assert _sets(again) == _sets(reply), f"first {reply}, then {again}"
        return reply

    def _behave(self, server: str) -> None:
        if server not in self.upstreams:
            address, port = split_address(server) or (server, "53")
            self.upstreams[server] = FakeUpstream(lambda *_: [], address, int(port)).__enter__()
        self.upstreams[server].behaviour = lambda query, _: _said(self._scene.upstream, query)

    def _once(self, asked: Asked) -> Reply:
        payload = asked.payload
        edns = 0 if payload else False
        name, type = asked.question.name, asked.question.type
        query = dns.message.make_query(name, type, use_edns=edns, payload=payload)
        ask = _stream if asked.transport == "tcp" else _datagram
        messages = ask(query, asked.client, self._server.ports[0])
        for message in messages:
            assert message.id == query.id
            assert str(message.question[0].name) == name, "spelt as it was asked"
            assert (message.edns, message.payload) == ((0, payload) if payload else (-1, 0))
        return _reply(messages)


def _datagram(query: Message, client: str, port: int) -> list[Message]:
    ask = dns.query.udp(
        query, SERVER, PATIENCE, port, source=client, one_rr_per_rrset=True, ignore_trailing=False
    )
    return [ask]


def _stream(query: Message, client: str, port: int) -> list[Message]:
    """A transfer is over when the SOA comes again."""
    with socket.create_connection((SERVER, port), PATIENCE, (client, 0)) as sock:
        dns.query.send_tcp(sock, query)
        messages: list[Message] = []
        while True:
            messages.append(dns.query.receive_tcp(sock, one_rr_per_rrset=True)[0])
            answer = [rrset for message in messages for rrset in message.answer]
            transfer = answer and answer[0].rdtype == dns.rdatatype.SOA and _is_transfer(query)
            if not transfer or (len(answer) > 1 and answer[-1].rdtype == dns.rdatatype.SOA):
                return messages


def _is_transfer(query: Message) -> bool:
    return query.question[0].rdtype in (dns.rdatatype.AXFR, dns.rdatatype.IXFR)


def _reply(messages: list[Message]) -> Reply:
    first = messages[0]
    return Reply(
        Rcode(first.rcode()),
        tuple(_record(rrset) for message in messages for rrset in message.answer),
        tuple(_record(rrset) for rrset in first.authority),
        tuple(_record(rrset) for rrset in first.additional),
        authoritative=bool(first.flags & dns.flags.AA),
        recursive=bool(first.flags & dns.flags.RA),
        truncated=bool(first.flags & dns.flags.TC),
    )


def _record(rrset: dns.rrset.RRset) -> Record:
    return Record(str(rrset.name), rrset.ttl, dns.rdatatype.to_text(rrset.rdtype), str(rrset[0]))


def _sets(reply: Reply) -> tuple[object, ...]:
    """A reply without the order of its records; of a truncated one only how many there are."""
    sections = (reply.answer, reply.authority, reply.additional)
    found = [len(s) if reply.truncated else frozenset(s) for s in sections]
    return (reply.rcode, reply.authoritative, reply.truncated, *found)


def _said(upstream: Upstream, octets: bytes) -> list[bytes]:
    """What an upstream sends back for a query."""
    query = dns.message.from_wire(octets)
    asked = query.question[0]
    said = upstream(Question(str(asked.name), dns.rdatatype.to_text(asked.rdtype)))
    if said is None:
        return []
    reply = dns.message.make_response(query, recursion_available=said.recursive)
    reply.set_rcode(dns.rcode.from_text(said.rcode.name))
    reply.flags |= dns.flags.AA if said.authoritative else 0
    for section, records in ((reply.answer, said.answer), (reply.authority, said.authority)):
        section.extend(dns.rrset.from_text(r.name, r.ttl, "IN", r.type, r.data) for r in records)
    return [reply.to_wire()]


# From outside the namespace, and inside it


def outcomes(path: Path) -> list[Outcome]:
    """The outcome of every case of a file, asked over sockets; skips without namespaces."""
    cases: list[Case] = json.loads(path.read_text())["cases"]
    python = ("env", f"PYTHONPATH={ROOT}", sys.executable)
    clients = {client_of(case) for case in cases}
    with (
        tempfile.TemporaryDirectory(prefix="kubehop-test-") as folder,
        namespace(Path(folder), [SERVER, *sorted(clients)]) as inside,
    ):
        done = subprocess.run(
            inside.command(*python, "-m", __name__, str(path.resolve())),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return [Outcome(**outcome) for outcome in json.loads(done.stdout)]


def main(path: Path) -> None:
    """Inside the namespace: print the outcomes as JSON."""
    document: Case = json.loads(path.read_text())
    runner = Runner(document, Sockets)
    suite = {"": lambda case, _: runner.check(case)}
    found = [run_case(suite, case, document) for case in document["cases"]]
    print(json.dumps([dataclasses.asdict(outcome) for outcome in found]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
