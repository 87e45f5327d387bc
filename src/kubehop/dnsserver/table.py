"""Answers as octets: what most queries are answered from.

Filled as questions come, bounded, and corrected name by name when the cluster changes. Two
dictionaries: compiled answers by question, and whole replies by whole query.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heappop, heappush

from kubehop.dns.wire.compiled import Run
from kubehop.dns.wire.types import IN, NUMBERS

MOST_PRESENT = 100_000
"""Answers with records that are kept: some 600 octets each, with their replies."""
MOST_ABSENT = 50_000
"""Answers without that are kept: clients can ask for any number of names that do not exist."""
MOST_FLEETING = 20_000
"""Replies that are kept for less than a second: those of the cache plugin."""
MOST_REPLIES = 4
"""Replies kept of one answer: clients differ in flags and in EDNS payload size."""

KEPT_TYPES = frozenset(
    number.to_bytes(2, "big") + IN for type, number in NUMBERS.items() if type != "SOA"
)
"""Type and class of the questions whose answers are kept; a serial changes with any change."""

Reply = tuple[bytes, int]
"""A reply but for its id, and the number of its kind."""


@dataclass(slots=True, eq=False)
class Entry:
    """A compiled answer.

    `spelt` if its data repeats the spelling of the question's name, `turning` its addresses
    if each reply starts with another of them. `owner` is the name under which a change of it
    is reported. `replies` are the queries that it has replies for in the table; None if it is
    not in the table.
    """

    answer: bytes
    owner: str = ""
    spelt: bool = False
    turning: Run | None = None
    replies: tuple[bytes, ...] | None = None


class Table:
    """Answers by question: name in lower case, type and class, as octets of the message."""

    def __init__(self, most_present: int = MOST_PRESENT, most_absent: int = MOST_ABSENT) -> None:
        self.entries: dict[bytes, Entry] = {}
        self.replies: dict[bytes, Reply] = {}
        """By everything in the query but its id. An entry that goes takes its replies with it."""
        self._fleeting: list[tuple[float, bytes]] = []
        self._owned: dict[str, set[bytes]] = {}
        self._present: deque[bytes] = deque()
        self._absent: deque[bytes] = deque()
        self._most_present, self._most_absent = most_present, most_absent

    def __len__(self) -> int:
        return len(self.entries)

    def keep(self, key: bytes, entry: Entry, present: bool) -> None:
        """Keep an answer of known type; `present` if it has records. The oldest makes room."""
        if key[-4:] not in KEPT_TYPES:
            return
        self._drop(key)
        entry.replies = ()
        self.entries[key] = entry
        self._owned.setdefault(entry.owner, set()).add(key)
        order = self._present if present else self._absent
        order.append(key)
        if len(order) > (self._most_present if present else self._most_absent):
            # It may have been kept anew since: then it is made again when it is asked for.
            self._drop(order.popleft())

    def remember(self, entry: Entry, query: bytes, reply: bytes, kind: int) -> None:
        """Reply to the same query by the same octets from now on, as long as `entry` is kept.

        Nothing if it is not, or if each of its replies has to be another one.
        """
        if entry.replies is None or entry.turning:
            return
        if len(entry.replies) == MOST_REPLIES:
            self.replies.pop(entry.replies[0], None)
            entry.replies = entry.replies[1:]
        self.replies[query] = reply, kind
        entry.replies += (query,)

    def remember_until(self, when: float, query: bytes, reply: bytes, kind: int) -> None:
        """Reply to the same query by the same octets until `expire` is called with that time."""
        if len(self._fleeting) < MOST_FLEETING:
            heappush(self._fleeting, (when, query))
            self.replies[query] = reply, kind

    def expire(self, now: float) -> None:
        """Drop the replies that were to be kept until now."""
        while self._fleeting and self._fleeting[0][0] <= now:
            self.replies.pop(heappop(self._fleeting)[1], None)

    def forget(self, owners: Iterable[str]) -> None:
        """Drop the answers of these owners; "." is all of them."""
        for owner in owners:
            if owner == ".":
                self.clear()
                return
            for key in tuple(self._owned.get(owner, ())):
                self._drop(key)

    def clear(self) -> None:
        """Drop all."""
        self.entries.clear()
        self.replies.clear()
        self._owned.clear()
        self._fleeting.clear()
        self._present.clear()
        self._absent.clear()

    def _drop(self, key: bytes) -> None:
        entry = self.entries.pop(key, None)
        if entry is None:
            return
        for query in entry.replies or ():
            self.replies.pop(query, None)
        entry.replies = None
        owned = self._owned[entry.owner]
        owned.discard(key)
        if not owned:
            del self._owned[entry.owner]
