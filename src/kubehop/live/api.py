"""One GET, asked again while the reason may pass; there is no other verb in this package."""

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from kubehop.live.access import Access
from kubehop.live.limits import DEFAULT, Limits
from kubehop.model.errors import ClusterError, InputError

T = TypeVar("T")

FORBIDDEN, NOT_FOUND, GONE = 403, 404, 410
_ANSWERS = frozenset({FORBIDDEN, NOT_FOUND, GONE})
MAY_PASS = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer that is not an object: `status` is FORBIDDEN, NOT_FOUND or GONE."""

    status: int
    message: str


class AnswerError(ClusterError):
    """A request that got no usable answer; `trouble` says why without naming what was asked."""

    def __init__(self, host: str, path: str, problem: str) -> None:
        super().__init__(f"{host}: GET {path.partition('?')[0]}: {problem}")
        self.trouble = f"{host}: {problem}"


class CredentialsError(ClusterError):
    """The credentials are wrong, or were right once: tokens run out."""


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why one attempt failed, and how long the server asks to wait."""

    problem: str
    wait: float | None = None
    cause: Exception | None = None


class _Status(msgspec.Struct):
    """A metav1.Status: what the API writes as the body of every error."""

    message: str = ""


class Api:
    """Asks one cluster; safe to use from several threads."""

    def __init__(self, access: Access, limits: Limits = DEFAULT) -> None:
        self.access = access
        self.limits = limits
        self._stop = threading.Event()

    def stop(self) -> None:
        """Make whoever still asks through this object fail at the next request."""
        self._stop.set()

    def get(self, path: str, read: Callable[[bytes], T]) -> T | Refused:
        """What `read` makes of the body at `path`, or why the server refuses it.

        Raises ClusterError for everything else, after `limits.attempts`, and InputError when
        an object in the body breaks the schema.
        """
        attempt, backoff = 1, self.limits.backoff_seconds
        while True:
            outcome = self._once(path, read)
            if not isinstance(outcome, _Trouble):
                return outcome
            wait = backoff if outcome.wait is None else outcome.wait
            if attempt == self.limits.attempts or wait > self.limits.wait_seconds:
                raise self._error(path, outcome.problem) from outcome.cause
            self._stop.wait(wait)
            attempt, backoff = attempt + 1, backoff * 2

    def _once(self, path: str, read: Callable[[bytes], T]) -> T | Refused | _Trouble:
        import urllib3

        if self._stop.is_set():
            raise self._error(path, "given up")
        timeout = urllib3.Timeout(
            connect=self.limits.connect_seconds, read=self.limits.read_seconds
        )
        try:
            answer = self.access.pool.request(
                "GET",
                self.access.server + path,
                headers=self.access.headers,
                timeout=timeout,
                retries=False,
                redirect=False,
            )
        except urllib3.exceptions.SSLError as error:
            if isinstance(error.args[0], ssl.SSLEOFError):
                return _Trouble(reason(error), cause=error)
            raise self._error(path, f"TLS failed: {reason(error)}") from error
        except urllib3.exceptions.HTTPError as error:
            return _Trouble(reason(error), cause=error)
        return self._judged(path, answer, read)

    def _judged(self, path: str, answer: Any, read: Callable[[bytes], T]) -> T | Refused | _Trouble:
        """The outcome of an answer that arrived whole.

        1. Credentials refused, or a failure that may pass: true whoever says it.
        2. Anything that is not JSON comes from a proxy or login page, not from the API.
        3. A refusal that the caller decides on; any other error is final.
        4. The object; a body that is no JSON after all was cut and may be whole next time.
        """
        if answer.status == 401:
            raise refused_credentials(self.access)
        if answer.status in MAY_PASS:
            return _Trouble(said(answer), wait=retry_after(answer))
        if "json" not in answer.headers.get("Content-Type", ""):
            raise self._error(path, not_the_api(answer))
        if answer.status in _ANSWERS:
            return Refused(answer.status, _message(answer.data))
        if answer.status != 200:
            raise self._error(path, said(answer))
        try:
            return read(answer.data)
        except InputError as error:
            if error.object or error.field:
                raise
            return _Trouble(f"answered what cannot be read: {error}", cause=error)

    def _error(self, path: str, problem: str) -> AnswerError:
        return AnswerError(self.access.host, path, problem)


def refused_credentials(access: Access) -> CredentialsError:
    """The error for a 401."""
    return CredentialsError(
        f"{access.host}: the cluster does not accept the credentials of {access.identity}"
    )


def reason(error: Exception) -> str:
    """The innermost cause that says something, without urllib3's wrapping."""
    text = str(error)
    while isinstance(inner := error.__cause__ or error.__context__, Exception):
        error, text = inner, str(inner) or text
    return " ".join(text.split())


def said(answer: Any) -> str:
    """Status, message and patience of an answer, in words."""
    wait = answer.headers.get("Retry-After")
    parts = (
        f"answered {answer.status} {answer.reason}",
        _message(answer.data),
        f"it asks to wait {wait} s" if wait else "",
    )
    return ": ".join(part for part in parts if part)


def not_the_api(answer: Any) -> str:
    """The words for an answer that no API server gives."""
    kind = answer.headers.get("Content-Type", "").partition(";")[0] or "no content type"
    return (
        f"answered {answer.status} with {kind}, so this is not the Kubernetes API: "
        "is a proxy or a login page in between?"
    )


def _message(body: bytes) -> str:
    """`message` of a Status; an error page of anybody else has none."""
    try:
        return msgspec.json.decode(body, type=_Status).message
    except msgspec.MsgspecError:
        return ""


def retry_after(answer: Any) -> float | None:
    """Seconds; the API server never sends the HTTP date that RFC 9110 also allows."""
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else None
