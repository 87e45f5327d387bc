"""`forward`: names that somebody else knows. Source: `plugin/forward/forward.go`."""

from collections.abc import Callable
from dataclasses import replace

from kubehop.dns.chain.handler import MAX_DEPTH, Ask, Rest, Settles
from kubehop.dns.chain.values import Answer, Asked, Serve, Transport, Unwritten, Upstream
from kubehop.dns.corefile.plugins.forward import Forward
from kubehop.dns.corefile.zones import matched, split_address
from kubehop.dns.message import Question, Rcode, Reply
from kubehop.dns.names import folded, within
from kubehop.model.addresses import LOOPBACK, contains, family

NO_HEALTHY = "no healthy proxies"
NO_ANSWER = "i/o timeout"


Itself = Callable[[str], int]
"""A server as `forward` writes it -> the port of CoreDNS itself that it stands for, else 0."""


def by_address(own: frozenset[str], ports: frozenset[int]) -> Itself:
    """CoreDNS in a pod: its own addresses and loopback ones, at the ports of its Corefile."""

    def itself(server: str) -> int:
        address, port = split_address(server) or ("", "0")
        if not port.isdecimal() or int(port) not in ports:
            return 0
        address = address.partition("%")[0]
        own_one = address in own or contains(LOOPBACK[family(address)], address)
        return int(port) if own_one else 0

    return itself


class ForwardHandler:
    """Wants names of its zone asked of its servers; itself among them is asked directly.

    `more` is the next `forward` of the block, which `next` may hand a reply on to.
    """

    __slots__ = ("_ask", "_own", "_servers", "concurrent", "more", "options")

    def __init__(self, options: Forward, ask: Ask, itself: Itself, more: bool) -> None:
        self.options = options
        self.more = more
        self.concurrent = 0
        self._ask = ask
        self._own = [port for server in options.servers if (port := itself(server))]
        self._servers = tuple(server for server in options.servers if not itself(server))

    @property
    def leads_back(self) -> bool:
        """True if there is nobody to ask but CoreDNS itself."""
        return bool(self._own) and not self._servers

    def serve(self, asked: Asked, now: float, rest: Rest) -> Serve:
        options = self.options
        if not self._takes(folded(asked.question.name)):
            return (yield from rest(asked, now))
        if 0 < options.max_concurrent <= self.concurrent:
            error = f"concurrent queries exceeded maximum {options.max_concurrent}"
            return Unwritten(Rcode.REFUSED, error)
        self.concurrent += 1
        try:
            answer = yield from self._exchange(asked, now)
        finally:
            self.concurrent -= 1
        if self.more and isinstance(answer, Reply) and self._hands_on(answer):
            return (yield from rest(asked, now))
        return answer

    def _exchange(self, asked: Asked, now: float) -> Serve:
        if self.leads_back:
            if asked.depth >= MAX_DEPTH:
                return Unwritten(Rcode.SERVFAIL, "socket: too many open files")
            again = replace(asked, port=self._own[0], depth=asked.depth + 1, client="127.0.0.1")
            return (yield from self._ask(again, now))
        reply = yield self._wish(asked)
        answer: Answer = Unwritten(Rcode.SERVFAIL, NO_ANSWER) if reply is None else reply
        return answer

    def _wish(self, asked: Asked) -> Upstream:
        options = self.options
        return Upstream(
            asked.question,
            self._servers,
            policy=options.policy,
            transport=self._transport(asked),
            prefer_udp=options.prefer_udp and not options.force_tcp,
            read=options.read_timeout,
            attempts=options.max_connect_attempts,
            failover=options.failover,
            tls_servername=options.tls_servername,
            max_fails=options.max_fails,
            health_check=options.health_check,
            payload=asked.payload,
            recursion_desired=asked.recursion_desired,
            checking_disabled=asked.checking_disabled,
            dnssec_ok=asked.dnssec_ok,
        )

    def _transport(self, asked: Asked) -> Transport:
        if self.options.transport == "tls":
            return "tls"
        if self.options.force_tcp:
            return "tcp"
        return "udp" if self.options.prefer_udp else asked.transport

    def _hands_on(self, reply: Reply) -> bool:
        empty = reply.rcode is Rcode.NOERROR and not reply.answer
        return reply.rcode in self.options.next_rcodes or (self.options.next_on_nodata and empty)

    def _takes(self, name: str) -> bool:
        options = self.options
        if not within(name, options.zone):
            return False
        return name == options.zone or not matched(options.excepted, name)

    def settles(self, question: Question, name: str) -> Settles:
        return Settles.VARIES if self._takes(name) else Settles.PASSES
