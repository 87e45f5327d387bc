"""What the chain wants asked outside (plugin/forward): which server next, and for how long."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from secrets import SystemRandom

from kubehop.dns.chain.values import SelectionPolicy, Upstream
from kubehop.dns.message import Question, Reply
from kubehop.dnsserver.exchange import Exchanges
from kubehop.dnsserver.loop import Loop

PAUSE = 0.05
"""Seconds before the next try after a server refused at once: CoreDNS does not wait at all."""

PROBE = Question(".", "NS")
"""What a server is asked that has failed, until it says anything (plugin/pkg/proxy/health.go)."""
PROBE_SECONDS = 1.0

Done = Callable[[Reply | None], None]
Trying = Generator[str, Reply | None, Reply | None]
"""Yields the server to try, is sent its reply or None, returns what the chain gets."""

_dice = SystemRandom()


@dataclass(slots=True)
class Server:
    """What is known of an upstream: `fails` are those since it last said anything."""

    fails: int = 0
    probing: bool = False


@dataclass(slots=True)
class Known:
    """All upstreams by address, and whose turn it is in round_robin."""

    servers: dict[str, Server] = field(default_factory=dict)
    turn: int = 0

    def __getitem__(self, address: str) -> Server:
        return self.servers.setdefault(address, Server())

    def down(self, address: str, max_fails: int) -> bool:
        """True if it failed more often than `max_fails`; never if that is 0."""
        return 0 < max_fails < self[address].fails

    def ordered(self, servers: tuple[str, ...], policy: SelectionPolicy) -> list[str]:
        """The order of tries (plugin/forward/policy.go)."""
        order = list(servers)
        if policy == "random":
            _dice.shuffle(order)
        elif policy == "round_robin" and order:
            self.turn += 1
            first = self.turn % len(order)
            order.insert(0, order.pop(first))
        return order


def trying(wish: Upstream, known: Known, now: Callable[[], float]) -> Trying:
    """One server after the other until one answers or time is up (plugin/forward/forward.go).

    Servers that are down are passed over. If all are, one of them is tried all the same,
    once. When all fail over that is the end; CoreDNS asks them again until time is up.
    """
    order = known.ordered(wish.servers, wish.policy)
    deadline = now() + wish.timeout
    index = passed = failed = failovers = 0
    while order and now() < deadline and not 0 < wish.attempts <= failed:
        if index == len(order):
            if failovers == len(order):
                break
            index = passed = failovers = 0
        server = order[index]
        index += 1
        if known.down(server, wish.max_fails):
            passed += 1
            if passed < len(order):
                continue
            server = _dice.choice(order)
        reply = yield server
        last = passed >= len(order)
        if reply is not None and (last or reply.rcode not in wish.failover):
            return reply
        if last:
            break
        failed += reply is None
        failovers += reply is not None
        passed += reply is not None
    return None


class Forwarder:
    """Carries out wishes; every one ends, with a reply or None."""

    def __init__(self, loop: Loop, exchanges: Exchanges) -> None:
        self.known = Known()
        self._loop, self._exchanges = loop, exchanges

    def ask(self, wish: Upstream, done: Done) -> None:
        """Call `done` with what an upstream said, None if none said anything usable."""
        self._go_on(wish, trying(wish, self.known, self._loop.now), done, None)

    def _go_on(self, wish: Upstream, tries: Trying, done: Done, reply: Reply | None) -> None:
        try:
            server = tries.send(reply)
        except StopIteration as end:
            # Not from here: the stack would grow with every try that ends at once.
            self._loop.after(0, partial(done, end.value))
            return
        started = self._loop.now()

        def tried(reply: Reply | None) -> None:
            go_on = partial(self._go_on, wish, tries, done, reply)
            if reply is not None:
                go_on()
                return
            self._probe(server, wish)
            early = self._loop.now() - started < PAUSE
            self._loop.after(PAUSE if early else 0, go_on)

        self._exchanges.start(server, wish, tried)

    def _probe(self, address: str, wish: Upstream) -> None:
        """Ask a server that failed until it says anything, and count how often it does not."""
        server = self.known[address]
        if server.probing or not wish.max_fails:
            return
        server.probing = True

        def probed(reply: Reply | None) -> None:
            if reply is not None:
                server.fails, server.probing = 0, False
                return
            server.fails += 1
            self._loop.after(wish.health_check, again)

        def again() -> None:
            probe = Upstream(
                PROBE,
                (address,),
                transport=wish.transport,
                read=PROBE_SECONDS,
                tls_servername=wish.tls_servername,
            )
            self._exchanges.start(address, probe, probed)

        again()
