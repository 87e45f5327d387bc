"""Requests of every verb. All that is sent here may be sent twice: names are chosen by us.

Reading goes through `kubehop.live.api`, which knows no other verb and stays so.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from kubehop.live.access import Access
from kubehop.live.api import (
    MAY_PASS,
    Api,
    Refused,
    not_the_api,
    reason,
    refused_credentials,
    retry_after,
    said,
)
from kubehop.live.limits import DEFAULT, Limits
from kubehop.model.errors import ClusterError, InputError

T = TypeVar("T")

JSON = "application/json"
STRATEGIC = "application/strategic-merge-patch+json"
CONFLICT, INVALID = 409, 422
_DONE = frozenset({200, 201, 202})
_REFUSED = frozenset({400, 403, 404, CONFLICT, 410, INVALID})
_CHUNK = 1 << 16


class _Status(msgspec.Struct):
    message: str = ""


@dataclass(frozen=True, slots=True)
class _Again:
    """An attempt that failed and may succeed: why, and how long the server asks to wait."""

    problem: str
    wait: float | None = None
    cause: Exception | None = None


class Remote:
    """One cluster, to read from and to change."""

    def __init__(
        self,
        access: Access,
        limits: Limits = DEFAULT,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.access, self.limits, self.sleep = access, limits, sleep
        self._api = Api(access, limits)

    def get(self, path: str, kind: type[T]) -> T | Refused:
        """The object at `path`, or why the server refuses it (403, 404, 410).

        Raises ClusterError for everything else, InputError for a body of another form.
        """
        return self._api.get(path, _reading(kind))

    def send(
        self, method: str, path: str, body: object = None, kind: str = JSON
    ) -> bytes | Refused:
        """The body of the answer, or the refusal (400, 403, 404, 409, 410, 422).

        Asked again while the reason may pass. Raises ClusterError for everything else.
        """
        attempt, backoff = 1, self.limits.backoff_seconds
        while isinstance(outcome := self._once(method, path, body, kind), _Again):
            wait = backoff if outcome.wait is None else outcome.wait
            if attempt == self.limits.attempts or wait > self.limits.wait_seconds:
                raise self.error(method, path, outcome.problem) from outcome.cause
            self.sleep(wait)
            attempt, backoff = attempt + 1, backoff * 2
        return outcome

    def error(self, method: str, path: str, problem: str) -> ClusterError:
        """Names the server and what was asked of it, never what was sent."""
        return ClusterError(f"{self.access.host}: {method} {path.partition('?')[0]}: {problem}")

    def _once(self, method: str, path: str, body: object, kind: str) -> bytes | Refused | _Again:
        import urllib3

        try:
            answer = self._request(method, path, body, kind)
        except urllib3.exceptions.SSLError as error:
            raise self.error(method, path, f"TLS failed: {reason(error)}") from error
        except urllib3.exceptions.HTTPError as error:
            return _Again(reason(error), cause=error)
        if answer.status == 401:
            raise refused_credentials(self.access)
        if answer.status in MAY_PASS:
            return _Again(said(answer), wait=retry_after(answer))
        if "json" not in answer.headers.get("Content-Type", ""):
            raise self.error(method, path, not_the_api(answer))
        if answer.status in _REFUSED:
            return Refused(answer.status, status_message(answer.data))
        if answer.status not in _DONE:
            raise self.error(method, path, said(answer))
        return bytes(answer.data)

    def _request(
        self, method: str, path: str, body: object = None, kind: str = "", **options: Any
    ) -> Any:
        import urllib3

        headers = self.access.headers.copy()
        if body is not None:
            headers["Content-Type"] = kind
        return self.access.pool.request(
            method,
            self.access.server + path,
            body=None if body is None else json.dumps(body).encode(),
            headers=headers,
            timeout=urllib3.Timeout(
                connect=self.limits.connect_seconds, read=self.limits.read_seconds
            ),
            retries=False,
            redirect=False,
            **options,
        )

    def chunks(self, path: str, limit: int) -> Iterator[bytes]:
        """The body at `path` as it comes, of any content type; at most `limit` bytes of it.

        Raises ClusterError when it is refused, breaks off, or is longer than that.
        """
        import urllib3

        try:
            answer = self._request("GET", path, preload_content=False)
            try:
                if answer.status != 200:
                    answer.read(_CHUNK, cache_content=True)
                    raise self.error("GET", path, f"answered {answer.status} {answer.reason}")
                yield from self._bounded(path, answer, limit)
            finally:
                answer.close()
        except urllib3.exceptions.HTTPError as error:
            raise self.error("GET", path, reason(error)) from error

    def _bounded(self, path: str, answer: Any, limit: int) -> Iterator[bytes]:
        seen = 0
        for chunk in answer.stream(_CHUNK, decode_content=True):
            seen += len(chunk)
            if seen > limit:
                raise self.error("GET", path, f"more than {limit >> 20} MiB")
            yield chunk


def status_message(body: bytes) -> str:
    """`message` of a Status, "" if this is none."""
    try:
        return msgspec.json.decode(body, type=_Status).message
    except msgspec.MsgspecError:
        return ""


def _reading(kind: type[T]) -> Callable[[bytes], T]:
    def read(body: bytes) -> T:
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.MsgspecError as error:
            raise InputError(str(error)) from error

    return read


def path(*parts: str, **query: str | int) -> str:
    """`/api/v1/...`: each part quoted, so that no name can lead to another resource."""
    text = "/" + "/".join(quote(part, safe="") for part in parts)
    return f"{text}?{urlencode(query)}" if query else text


def core(namespace: str, *parts: str, **query: str | int) -> str:
    """The path of something of a namespace in the core group."""
    return path("api", "v1", "namespaces", namespace, *parts, **query)
