"""How glibc sends one question, or the pair A and AAAA, until servers answer (`res_send.c`).

1. Servers in order, `attempts` rounds; each waits timeout << index, divided by the number of
   servers for all but the first, at least a second.
2. A pair leaves in one go on one socket. SERVFAIL, NOTIMP, REFUSED and an empty reply from who
   neither has authority nor recurses count as no answer; if the other one of the pair is good, it
   will do.
3. One of the pair missing: again one after the other, then again with a socket for each, then do
   without. The process keeps that habit for later names.
4. TC: both again over TCP, which has no read timeout.
"""

from collections.abc import Generator
from dataclasses import dataclass, field

from kubehop.dns.lookup.protocol import Ask, Heard, Query, Transport
from kubehop.dns.message import Question, Rcode, Reply
from kubehop.dns.resolv.values import Option, ResolvConf

PAYLOAD = 1200
"""RESOLV_EDNS_BUFFER_SIZE."""
NO_ANSWER = (Rcode.SERVFAIL, Rcode.NOTIMP, Rcode.REFUSED)
FOREVER = float("inf")


@dataclass(slots=True)
class Thread:
    """What glibc keeps from name to name in a thread: habits, sockets and the turn to rotate."""

    conf: ResolvConf
    now: float = 0.0
    turn: int = 0
    one_by_one: bool = False
    reopen: bool = False
    sockets: dict[int, list[Query]] = field(default_factory=dict)
    got_somewhere: bool = False
    header: int = Rcode.NOERROR
    """The rcode in the caller's buffer: that of the first reply of the last round."""
    unanswered: bool = False
    """errno is ETIMEDOUT or ECONNREFUSED: the last name got no usable reply."""

    def __post_init__(self) -> None:
        self.turn = self.conf.first
        self.reopen = self.conf.has(Option.SINGLE_REQUEST_REOPEN)
        self.one_by_one = self.reopen or self.conf.has(Option.SINGLE_REQUEST)

    def queries(
        self, server: int, questions: tuple[Question, ...], why: str, transport: Transport
    ) -> tuple[Query, ...]:
        payload = PAYLOAD if self.conf.has(Option.EDNS0) else 0
        address, ad = self.conf.nameservers[server], self.conf.has(Option.TRUST_AD)
        sent = tuple(Query(q, address, why, transport, payload, ad) for q in questions)
        self.sockets.setdefault(server, []).extend(sent)
        return sent


@dataclass(frozen=True, slots=True)
class Sent:
    """The replies that count, first come first; none, and `refused` if nobody was there."""

    replies: tuple[Reply, ...] = ()
    refused: bool = False


@dataclass(frozen=True, slots=True)
class _Round:
    replies: tuple[Reply, ...] = ()
    truncated: bool = False
    refused: bool = False
    """Over TCP: nobody listens."""


_NOTHING = _Round()
Waiting = Generator[Ask, Heard, _Round]


def send(thread: Thread, questions: tuple[Question, ...], why: str) -> Generator[Ask, Heard, Sent]:
    """Ask until a server answers; see the rules above."""
    count, offset = len(thread.conf.nameservers), _offset(thread)
    circuit, refused = thread.conf.has(Option.USE_VC), True
    thread.got_somewhere, thread.header, again = False, Rcode.NOERROR, why
    for _ in range(thread.conf.attempts):
        for shift in range(count):
            server = (shift + offset) % count
            if not circuit:
                done = yield from _datagrams(thread, server, questions, again)
                circuit = done.truncated
                if circuit:
                    again = "over TCP: the reply was truncated"
            if circuit:
                done = yield from _circuit(thread, server, questions, again)
            if done.replies:
                thread.sockets.clear()
                thread.unanswered = False
                return Sent(done.replies)
            refused, again = done.refused, _why_again(thread, why)
        if circuit:
            break
    thread.sockets.clear()
    thread.unanswered = True
    return Sent(refused=refused if circuit else not thread.got_somewhere)


def _why_again(thread: Thread, why: str) -> str:
    return f"again: no usable reply from the server before ({why})"


def _offset(thread: Thread) -> int:
    """The server to begin with; with `rotate` each call begins with the next one."""
    if not thread.conf.has(Option.ROTATE):
        return 0
    turn, thread.turn = thread.turn, thread.turn + 1
    return turn % len(thread.conf.nameservers)


def _seconds(conf: ResolvConf, server: int) -> int:
    seconds = conf.timeout << server
    if server > 0:
        seconds //= len(conf.nameservers)
    return max(seconds, 1)


def _datagrams(thread: Thread, server: int, questions: tuple[Question, ...], why: str) -> Waiting:
    """send_dg(): one server, once; twice more if half of a pair stays away."""
    while True:
        together = questions if not thread.one_by_one else questions[:1]
        ask = thread.queries(server, together, why, Transport.UDP)
        done, first, timed_out = yield from _collect(thread, server, questions, ask)
        if not timed_out:
            return done
        if first is None:
            thread.got_somewhere = True
            return _NOTHING
        if thread.one_by_one and thread.reopen:
            return _Round((first,))
        why = f"again: half of the pair got no reply in {_seconds(thread.conf, server)} s"
        if thread.one_by_one:
            thread.reopen = True
            thread.sockets.clear()
        thread.one_by_one = True


def _collect(
    thread: Thread, server: int, questions: tuple[Question, ...], ask: tuple[Query, ...]
) -> Generator[Ask, Heard, tuple[_Round, Reply | None, bool]]:
    """Wait for all replies of a round: (what counts, the good first reply, time was up)."""
    deadline = thread.now + _seconds(thread.conf, server)
    answered: set[Question] = set()
    good: list[Reply] = []
    while True:
        heard = yield Ask(ask, deadline)
        ask, thread.now = (), heard.now
        if heard.query is None:
            return _NOTHING, good[0] if good else None, True
        question = heard.query.question
        if heard.query not in thread.sockets.get(server, ()) or question in answered:
            continue
        if heard.reply is None:
            thread.sockets.clear()
            return _NOTHING, None, False
        reply, others = heard.reply, bool(answered)
        thread.got_somewhere = True
        if not others:
            thread.header = reply.rcode
        if reply.rcode in NO_ANSWER or _lame(reply, heard.query):
            answered.add(question)
            if others or len(questions) == 1 or thread.one_by_one:
                # One by one, the other one has not been sent yet (bug 30081, fixed in 2.41).
                return _Round(tuple(good)), None, False
            continue
        if reply.truncated:
            thread.sockets.clear()
            return _Round(truncated=True), None, False
        answered.add(question)
        good.append(reply)
        if len(answered) == len(questions):
            return _Round(tuple(good)), None, False
        if thread.one_by_one:
            rest = tuple(q for q in questions if q not in answered)
            ask = _other(thread, server, rest, heard.query.why)


def _other(thread: Thread, server: int, rest: tuple[Question, ...], why: str) -> tuple[Query, ...]:
    """The second one of a pair, after the first one was answered."""
    if thread.reopen:
        thread.sockets.clear()
    return thread.queries(server, rest, why, Transport.UDP)


def _lame(reply: Reply, query: Query) -> bool:
    """An empty reply from who neither has authority nor recurses; OPT counts as additional."""
    return not (
        reply.rcode
        or reply.answer
        or reply.authoritative
        or reply.recursive
        or reply.additional
        or query.payload
    )


def _circuit(thread: Thread, server: int, questions: tuple[Question, ...], why: str) -> Waiting:
    """send_vc(): everything on one TCP connection, as often as there are servers left."""
    ask = thread.queries(server, questions, why, Transport.TCP)
    mine, replies, waiting = ask, [], set(questions)
    while waiting:
        heard = yield Ask(ask, FOREVER)
        ask, thread.now = (), heard.now
        if heard.query not in mine:
            continue
        if heard.reply is None:
            return _Round(refused=True)
        waiting.discard(heard.query.question)
        replies.append(heard.reply)
    thread.header = replies[0].rcode
    return _Round(tuple(replies))
