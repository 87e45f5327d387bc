"""`cache`: replies kept for later questions. Source: `plugin/cache/{cache,handler,item}.go`."""

import enum
from collections.abc import Callable
from dataclasses import dataclass, replace

from kubehop.dns.chain.handler import Rest, Settles
from kubehop.dns.chain.values import Answer, Asked, Serve
from kubehop.dns.corefile.plugins.cache import Cache, Keep
from kubehop.dns.corefile.zones import matched
from kubehop.dns.message import Question, Rcode, Record, Reply
from kubehop.dns.names import folded

SHARDS = 256
LEAST_PER_SHARD = 4
SHORT = 5.0
LONG = 3600.0

KeptAs = Callable[[Question], Question | None]
"""The question under which the reply to one is kept, None if it is not."""
Key = tuple[str, str, bool, bool]
"""Folded name, type, and whether DNSSEC data was wanted and checking was left to others."""


class Class(enum.Enum):
    """How a reply is kept (`response.Typify`)."""

    SUCCESS = "success"
    DENIAL = "denial"
    SERVFAIL = "servfail"
    NOT_KEPT = "not kept"


@dataclass(frozen=True, slots=True)
class Item:
    """A reply as it was first sent, its TTL in seconds and when it came."""

    reply: Reply
    ttl: int
    stored: float

    def left(self, now: float) -> int:
        """Seconds that it may be used for, negative when it is stale."""
        return self.ttl - int(now - self.stored)


class Store:
    """Replies of one class, bounded as CoreDNS bounds them: 10000 is 256 shards of 39.

    CoreDNS drops any item of a full shard; here the oldest of all goes.
    """

    __slots__ = ("_items", "capacity", "keep")

    def __init__(self, keep: Keep) -> None:
        self.keep = keep
        self.capacity = max(keep.capacity // SHARDS, LEAST_PER_SHARD) * SHARDS
        self._items: dict[Key, Item] = {}

    def get(self, key: Key) -> Item | None:
        return self._items.get(key)

    def add(self, key: Key, item: Item) -> None:
        if key not in self._items and len(self._items) >= self.capacity:
            del self._items[next(iter(self._items))]
        self._items[key] = item

    def drop(self, key: Key) -> None:
        self._items.pop(key, None)

    def __len__(self) -> int:
        return len(self._items)


class CacheHandler:
    """Keeps what later plugins reply; every record gets the least TTL of its reply."""

    __slots__ = ("_denial", "_kept_as", "_success", "options")

    def __init__(self, options: Cache, kept_as: KeptAs = lambda question: question) -> None:
        self.options = options
        self._kept_as = kept_as
        self._success = Store(options.success)
        self._denial = Store(options.denial)

    def serve(self, asked: Asked, now: float, rest: Rest) -> Serve:
        name = folded(asked.question.name)
        if not matched(self.options.zones, name):
            return (yield from rest(asked, now))
        key = _key(asked, name)
        item = self._usable(key, now)
        if item is not None and item.left(now) >= 0:
            return self._again(item, now)
        answer = yield from rest(asked, now)
        if item is not None:
            return self._stale(item, asked, answer, now)
        if isinstance(answer, Reply):
            return self._kept(asked, answer, now)
        sent = self._kept(asked, answer.sent, now) if answer.sent else None
        return replace(answer, sent=sent)

    def lasts(self, asked: Asked, now: float) -> float:
        """Until when the same query gets the very reply that it would get now.

        That is the next full second of what is kept, when its TTLs change; `now` if there is
        nothing to be repeated.
        """
        name = folded(asked.question.name)
        item = self._usable(_key(asked, name), now) if matched(self.options.zones, name) else None
        if item is None or item.left(now) < 0:
            return now
        return now + 1 - (now - item.stored) % 1

    def _usable(self, key: Key, now: float) -> Item | None:
        """A denial hides an answer; a stale item counts with `serve_stale`."""
        for store in (self._denial, self._success):
            item = store.get(key)
            if item is not None:
                left = item.left(now)
                if left > 0 or -left < int(self.options.stale):
                    return item
        return None

    def _again(self, item: Item, now: float) -> Reply:
        """The spelling is that of the first question, and AA is always set."""
        ttl = item.ttl if self.options.keep_ttl else item.left(now)
        return replace(_with_ttl(item.reply, ttl), authoritative=True)

    def _stale(self, item: Item, asked: Asked, answer: Answer, now: float) -> Reply:
        """A stale item or what takes its place.

        With `verify` that is any answer. Otherwise CoreDNS gives the item before it asks, and
        keeps whatever comes, for the next time.
        """
        if isinstance(answer, Reply) and not self.options.verify:
            self._kept(asked, answer, now)
            if classify(answer) is Class.SUCCESS:
                self._denial.drop(_key(asked, folded(asked.question.name)))
        elif isinstance(answer, Reply) and answer.rcode in (Rcode.NOERROR, Rcode.NXDOMAIN):
            return self._kept(asked, answer, now)
        return self._again(item, item.stored + item.ttl)

    def _kept(self, asked: Asked, reply: Reply, now: float) -> Reply:
        is_transfer = asked.question.type in ("AXFR", "IXFR")
        kind = Class.NOT_KEPT if is_transfer else classify(reply)
        seconds = self._seconds(kind, reply)
        reply = _with_ttl(reply, int(seconds))
        store = self._denial if kind in (Class.DENIAL, Class.SERVFAIL) else self._success
        kept_as = self._kept_as(asked.question)
        kept = kind is not Class.NOT_KEPT and not reply.truncated and seconds > 0
        if kept and kept_as is not None and not matched(store.keep.never, folded(kept_as.name)):
            key = _key(replace(asked, question=kept_as), folded(kept_as.name))
            store.add(key, Item(reply, int(seconds), now))
        return reply

    def _seconds(self, kind: Class, reply: Reply) -> float:
        if kind is Class.SERVFAIL:
            return self.options.servfail
        keep = self.options.denial if kind is Class.DENIAL else self.options.success
        least = SHORT if kind is Class.NOT_KEPT else least_ttl(reply)
        return min(max(least, keep.least), keep.longest)

    def settles(self, question: Question, name: str) -> Settles:
        """What is never kept only has its TTLs changed."""
        if not matched(self.options.zones, name):
            return Settles.PASSES
        never = (self.options.success.never, self.options.denial.never)
        return Settles.PASSES if all(matched(zones, name) for zones in never) else Settles.VARIES


def _key(asked: Asked, name: str) -> Key:
    return name, asked.question.type, asked.dnssec_ok, asked.checking_disabled


def classify(reply: Reply) -> Class:
    """The class of a reply that is no transfer."""
    if reply.rcode is Rcode.NOERROR and reply.answer:
        return Class.SUCCESS
    has_soa = any(record.type == "SOA" for record in reply.authority)
    if has_soa and reply.rcode in (Rcode.NOERROR, Rcode.NXDOMAIN):
        return Class.DENIAL
    if reply.rcode in (Rcode.SERVFAIL, Rcode.NOTIMP):
        return Class.SERVFAIL
    return Class.SUCCESS if reply.rcode is Rcode.NOERROR else Class.NOT_KEPT


def least_ttl(reply: Reply) -> float:
    """The least TTL of all records, at most an hour; a short one without records."""
    records = (*reply.answer, *reply.authority, *reply.additional)
    return float(min(LONG, min([record.ttl for record in records]))) if records else SHORT


def _with_ttl(reply: Reply, ttl: int) -> Reply:
    sections = (reply.answer, reply.authority, reply.additional)
    if all(record.ttl == ttl for section in sections for record in section):
        return reply

    def all_of(records: tuple[Record, ...]) -> tuple[Record, ...]:
        return tuple(Record(r.name, ttl, r.type, r.data) for r in records)

    answer, authority, additional = map(all_of, sections)
    return replace(reply, answer=answer, authority=authority, additional=additional)
