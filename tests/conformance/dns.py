"""What CoreDNS answers, against the plugin chain or a server that is asked over sockets.

Cases of one configuration are asked of one server, in the order of the file: a cache remembers.
Records are compared as sets. Of a truncated answer the records that fit depend on the order in
which a server put them, so their number counts, and that each is one of the whole answer.
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, Literal, Protocol

from kubehop.dns.chain import Asked, Serving
from kubehop.dns.corefile import parse
from kubehop.dns.message import Question, Record, Reply
from kubehop.dns.wire.compiled import fit
from tests.conformance.dns_scene import Scene, scene_of
from tests.conformance.outcome import Case, Check, differs

SERIAL = 1_700_000_000
NOW = 1000.0
SECTIONS = ("answer", "authority", "additional")
WILD = re.compile("<[a-z-]+>")
"""What a case leaves open: `<serial>`, `<ttl>`, `<weight>`."""


class Server(Protocol):
    """A server that has been set up for a scene."""

    def ask(self, asked: Asked) -> Reply:
        """The reply as the client sees it: cut to what fits."""


class Pure:
    """The plugin chain without a server around it; upstreams answer at once."""

    def __init__(self, scene: Scene) -> None:
        self._upstream = scene.upstream
        serial = SERIAL if scene.synced else 0
        corefile, data = parse(scene.corefile), scene.data()
        self._serving = Serving(corefile, data, own=scene.own, serial=serial)

    def ask(self, asked: Asked) -> Reply:
        answering = self._serving.answer(asked, NOW)
        try:
            wish = next(answering)
            while True:
                wish = answering.send(self._upstream(wish.question))
        except StopIteration as done:
            reply: Reply = done.value
        transport: Literal["udp", "tcp"] = "tcp" if asked.transport == "tcp" else "udp"
        return fit(asked.question, reply, payload=asked.payload, transport=transport)


Start = Callable[[Scene], Server]


class Runner:
    """Runs cases of one document; servers are started once per configuration."""

    def __init__(self, document: Case, start: Start = Pure) -> None:
        self._document = document
        self._start = start
        self._servers: dict[str, Server] = {}

    def check(self, case: Case) -> str:
        """What is wrong, "" if the server agrees with the case."""
        asked, server = asked_of(case), self._server(case)
        demands_less = "specification" in (case.get("source") or "")
        compared = ("answer",) if demands_less else SECTIONS
        return compare(case["expected"], server.ask(asked), asked, compared)

    def _server(self, case: Case) -> Server:
        configuration = {key: case.get(key) for key in ("server_config", "api", "corefile")}
        if case.get("api") is None:
            # Not observed: the objects of the case are all there are.
            objects = {"objects": case.get("objects"), "name": case["query"]["name"]}
            configuration |= objects
        key = json.dumps(configuration)
        if key not in self._servers:
            self._servers[key] = self._start(scene_of(case, self._document))
        return self._servers[key]


def check(case: Case, document: Case) -> str:
    """Run a case against the plugin chain."""
    runner = document.setdefault(RUNNER, Runner(document))
    problem: str = runner.check(case)
    return problem


RUNNER = "the servers of this document"
SUITE: dict[str, Check] = {"": check}
"""DNS cases are of one kind, which has no name."""


def client_of(case: Case) -> str:
    """The address that asks: what CoreDNS's own tests say where a case says nothing."""
    return (case.get("query") or {}).get("client_ip") or "10.240.0.1"


def asked_of(case: Case) -> Asked:
    """The query of a case."""
    query = case["query"]
    return Asked(
        Question(query["name"], query["type"]),
        client=client_of(case),
        transport="tcp" if query.get("transport") == "tcp" else "udp",
        payload=query.get("edns_payload") or 0,
    )


def compare(
    expected: Case, reply: Reply, asked: Asked, compared: tuple[str, ...] = SECTIONS
) -> str:
    """The first difference, "" if there is none; what is null or absent was not observed.

    The specification leaves all sections but the answer to the server.
    """
    got = {
        "rcode": reply.rcode.name,
        "kind": str(reply.kind),
        "flags": _flags_of(reply, asked),
        "tc": reply.truncated,
        "authority_soa": any(record.type == "SOA" for record in reply.authority),
    }
    if "authority" not in compared:
        del got["authority_soa"]
    found = ""
    for name in (name for name in got if expected.get(name) is not None):
        wanted = sorted(expected[name].split()) if name == "flags" else expected[name]
        found = found or differs(name, wanted, got[name])
    for name in (name for name in compared if expected.get(name) is not None):
        found = found or _section(name, expected[name], getattr(reply, name), reply.truncated)
    return found


def _flags_of(reply: Reply, asked: Asked) -> list[str]:
    flags = {
        "QR": True,
        "AA": reply.authoritative,
        "TC": reply.truncated,
        "RD": asked.recursion_desired,
        "RA": reply.recursive,
    }
    return sorted(name for name, is_set in flags.items() if is_set)


def _section(name: str, expected: Any, records: Iterable[Record], truncated: bool) -> str:
    got = sorted(map(str, records))
    if isinstance(expected, dict):
        return _counted(name, expected, got, truncated)
    patterns = [_pattern(line) for line in expected]
    missing = any(not _some(pattern, got) for pattern in patterns)
    extra = any(not any(p.fullmatch(line) for p in patterns) for line in got)
    return f"{name}: expected {expected}, got {got}" if missing or extra else ""


def _counted(name: str, expected: Case, got: list[str], truncated: bool) -> str:
    """A long list: its length, and how it begins, if that is not a matter of order."""
    found = differs(f"{name} count", expected["count"], len(got))
    first = expected.get("first_sorted") or []
    return found if found or truncated else differs(name, first, got[: len(first)])


def _pattern(line: str) -> re.Pattern[str]:
    return re.compile(r"\S+".join(map(re.escape, WILD.split(line))))


def _some(pattern: re.Pattern[str], lines: Iterable[str]) -> bool:
    return any(pattern.fullmatch(line) for line in lines)
