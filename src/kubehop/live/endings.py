"""How a watch ends, and what an answer that is none means. No I/O here."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from kubehop.live import rights
from kubehop.live.api import (
    FORBIDDEN,
    GONE,
    MAY_PASS,
    NOT_FOUND,
    Api,
    Refused,
    not_the_api,
    refused_credentials,
    retry_after,
    said,
)
from kubehop.live.resources import Resource

_UNAUTHENTICATED, _NOT_ALLOWED, _TOO_MANY = 401, 405, 429
_NOT_WATCHED = frozenset({FORBIDDEN, NOT_FOUND, _NOT_ALLOWED})


class End(Enum):
    """How a watch ended, or why there was none."""

    CLOSED = auto()  # by the server, as agreed
    LOST = auto()  # no connection, or no longer
    EXPIRED = auto()  # the server has forgotten what happened since the version
    BUSY = auto()  # the server asks to come again later
    REFUSED = auto()  # may not even be listed
    UNWATCHED = auto()  # may be listed and not watched
    BROKEN = auto()  # the answer is no watch
    GARBLED = auto()  # what came in the watch makes no sense


LISTS_AGAIN = frozenset({End.EXPIRED, End.REFUSED, End.UNWATCHED, End.BROKEN, End.GARBLED})
GOES_ON_AT_ONCE = frozenset({End.CLOSED, End.LOST, End.EXPIRED})
"""If the watch that ended had worked; otherwise a broken server would be asked without pause."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The end, a line about it, and how many seconds the server asks to wait."""

    end: End
    problem: str = ""
    wait: float = 0


def no_list(api: Api, resource: Resource, refused: Refused, *, known: bool) -> Ending:
    """The server does not list the resource; `known`: it did so before."""
    if refused.status == FORBIDDEN:
        return Ending(End.REFUSED, rights.may_not_follow(resource.kind, known=known))
    return Ending(
        End.REFUSED,
        f"{api.access.host} serves no {resource.plural}: is this the URL of a Kubernetes API?",
    )


def no_watch(resource: Resource, poll_seconds: float) -> Ending:
    """The resource is listed every `poll_seconds` instead."""
    return Ending(End.UNWATCHED, rights.may_not_watch(resource.kind, poll_seconds))


def answered(api: Api, resource: Resource, answer: Any, poll_seconds: float) -> Ending | None:
    """What an answer to a watch means; None if its body is the watch.

    Raises CredentialsError for 401.
    """
    status, host = answer.status, api.access.host
    if status == 200 and "json" in answer.headers.get("Content-Type", ""):
        return None
    if status == _UNAUTHENTICATED:
        raise refused_credentials(api.access)
    if status == GONE:
        return Ending(End.EXPIRED)
    if status in _NOT_WATCHED:
        return no_watch(resource, poll_seconds)
    if status in MAY_PASS:
        return Ending(End.BUSY, f"{host}: {said(answer)}", retry_after(answer) or 0)
    problem = not_the_api(answer) if status == 200 else said(answer)
    return Ending(End.BROKEN, f"{host}: GET {resource.path}: {problem}")


def error_event(resource: Resource, refused: Refused) -> Ending:
    """What an event of type ERROR means: going on from the same version may meet it again."""
    if refused.status == GONE:
        return Ending(End.EXPIRED)
    end = End.BUSY if refused.status == _TOO_MANY else End.GARBLED
    return Ending(end, f"watch of {resource.plural}: {refused.message}")
