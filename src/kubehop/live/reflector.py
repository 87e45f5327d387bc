"""One kind followed in one thread: listed, then watched, and listed again where that fails.

Named after client-go's `cache.Reflector`, whose rules these are; what may be listed but not
watched is listed now and then, as it is there by way of the back-off.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from kubehop.live.api import AnswerError, Api, CredentialsError, Refused
from kubehop.live.client import Client
from kubehop.live.endings import (
    GOES_ON_AT_ONCE,
    LISTS_AGAIN,
    End,
    Ending,
    answered,
    error_event,
    no_list,
    no_watch,
)
from kubehop.live.events import Event, Lines, decode_event
from kubehop.live.resources import Resource
from kubehop.live.store import Store
from kubehop.live.troubles import Troubles
from kubehop.model.changes import Change
from kubehop.model.errors import InputError, KubehopError

_SHARE = 0.1
"""Of all time that listing may take where listing again stands in for a watch."""
_TRIES = 5
"""After so many failures in a row the version may be the reason, and all is listed again."""

Deliver = Callable[[Change | None], None]


class Reflector:
    """Keeps `resource` known until the client is closed: run it in a thread of its own.

    `deliver` gets what changed, None for a resource that may not be listed; it may block.
    """

    def __init__(
        self, resource: Resource, client: Client, deliver: Deliver, troubles: Troubles
    ) -> None:
        self._resource = resource
        self._client = client
        self._limits = client.limits
        self._deliver = deliver
        self._troubles = troubles
        self._store = Store()
        self._unreadable: frozenset[str] = frozenset()
        self._version = ""
        self._known = False
        self._worked = False
        self._failed = 0
        self._list_seconds = 0.0
        self._last = End.CLOSED

    def run(self) -> None:
        while not self._client.closed:
            ending = self._turn()
            if not self._client.closed:
                self._client.pause(self._after(ending))

    def _turn(self) -> Ending:
        api = self._client.api
        try:
            return self._list_and_watch(api)
        except CredentialsError as error:
            return self._renew(api, error)
        except AnswerError as error:
            # A list has been tried several times; a watch has not.
            return Ending(End.LOST if self._version else End.BUSY, error.trouble)
        except KubehopError as error:
            return Ending(End.BROKEN, str(error))

    def _renew(self, api: Api, error: CredentialsError) -> Ending:
        try:
            self._client.renew(api)
        except KubehopError as worse:
            return Ending(End.BUSY, str(worse))
        return Ending(End.LOST, str(error))

    def _after(self, ending: Ending) -> float:
        """Note how a turn ended; the seconds until the next one.

        1. What worked until now and can go on goes on at once, and nobody hears of it; so does
           the first failure.
        2. What cannot be watched is listed again at a pace that does not load the server.
        3. Everything else waits, longer each time, and is reported.
        """
        end, at_once = ending.end, ending.end in GOES_ON_AT_ONCE
        self._last = end
        if self._worked and at_once:
            self._failed, self._worked = 0, False
            self._troubles.end(self._resource.plural)
            return self._again(end, 0)
        self._failed, self._worked = self._failed + 1, False
        if at_once and self._failed == 1:
            return self._again(end, 0)
        if ending.problem:
            self._troubles.begin(self._resource.plural, ending.problem)
        if end is End.UNWATCHED:
            return self._again(end, max(self._limits.poll_seconds, self._list_seconds / _SHARE))
        return self._again(end, self._backoff(ending.wait))

    def _again(self, end: End, wait: float) -> float:
        """`wait`, after deciding whether to list again then."""
        if end in LISTS_AGAIN or (self._failed >= _TRIES and end is not End.LOST):
            self._version = ""
        return wait

    def _backoff(self, asked: float) -> float:
        """Seconds: doubled with each failure, or what the server asks, within the limit."""
        doubled: float = self._limits.backoff_seconds * 2 ** min(self._failed - 1, 30)
        return min(max(doubled, asked), self._limits.backoff_limit_seconds)

    def _list_and_watch(self, api: Api) -> Ending:
        if not self._version:
            refused = self._list(api)
            if refused is not None:
                self._deliver(None)
                return no_list(api, self._resource, refused, known=self._known)
            if not self._version:
                return no_watch(self._resource, self._limits.poll_seconds)
        return self._watch(api)

    def _list(self, api: Api) -> Refused | None:
        unreadable: list[InputError] = []
        began = time.monotonic()
        listed = self._resource.read(api, self._resource, unreadable.append)
        self._list_seconds = time.monotonic() - began
        if isinstance(listed, Refused):
            return listed
        self._note({error.object: str(error) for error in unreadable}, self._unreadable)
        self._deliver(self._store.replace(listed.objects, self._unreadable))
        self._version, self._known = listed.version, True
        return None

    def _watch(self, api: Api) -> Ending:
        began = time.monotonic()
        try:
            where = self._resource.watch(self._version, self._limits.watch_seconds)
            with self._client.get(api, where) as answer:
                ending = answered(api, self._resource, answer, self._limits.poll_seconds)
                return ending or self._follow(answer)
        finally:
            self._worked |= time.monotonic() - began >= self._limits.short_seconds

    def _follow(self, answer: Any) -> Ending:
        if self._last is not End.GARBLED:  # that may come again: wait for an event that is none
            self._troubles.end(self._resource.plural)
        lines = Lines(self._limits.line_bytes)
        try:
            while chunk := self._client.read(answer):
                ending = self._take(lines.feed(chunk))
                if ending is not None:
                    return ending
        except InputError as error:
            return Ending(End.GARBLED, f"watch of {self._resource.plural}: {error}")
        return Ending(End.CLOSED, f"watch of {self._resource.plural}: ends as soon as it begins")

    def _take(self, lines: Iterable[bytes]) -> Ending | None:
        """Deliver what the lines say; what comes before a line that makes no sense is true."""
        events: list[Event] = []
        try:
            for line in lines:
                event = decode_event(self._resource.kind, line)
                if isinstance(event, Refused):
                    return error_event(self._resource, event)
                events.append(event)
        finally:
            if events:
                self._taken(events)
        return None

    def _taken(self, events: list[Event]) -> None:
        self._worked = True
        self._troubles.end(self._resource.plural)
        for event in events:
            if event.problem or event.reference in self._unreadable:
                problems = {event.reference: event.problem} if event.problem else {}
                self._note(problems, frozenset({event.reference}))
        change = self._store.apply(events)
        if change:
            self._deliver(change)
        self._version = next((e.version for e in reversed(events) if e.version), self._version)

    def _note(self, problems: dict[str, str], about: frozenset[str]) -> None:
        """Of the objects in `about` only those in `problems` cannot be read any more."""
        for reference in about - problems.keys():
            self._troubles.end(f"{self._resource.plural} {reference}")
        for reference, problem in problems.items():
            self._troubles.begin(f"{self._resource.plural} {reference}", problem)
        self._unreadable = (self._unreadable - about) | problems.keys()
