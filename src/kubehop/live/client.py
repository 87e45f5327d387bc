"""Long requests: watches that another thread can end, and credentials that are renewed."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kubehop.live.access import Access
from kubehop.live.api import AnswerError, Api, reason
from kubehop.live.limits import DEFAULT, WATCH, Limits, WatchLimits

Connect = Callable[[], Access]
_CHUNK = 1 << 16


class Client:
    """The way to a cluster for several threads at once, until it is closed."""

    def __init__(
        self, connect: Connect, limits: Limits = DEFAULT, watch: WatchLimits = WATCH
    ) -> None:
        """Raises ClusterError when the kubeconfig or its credentials cannot be used."""
        self.limits = watch
        self._connect = connect
        self._lock = threading.Lock()
        self._renewing = threading.Lock()  # an exec plugin takes its time
        self._open: set[Any] = set()
        self._closed = threading.Event()
        self._api = Api(connect(), limits)

    @property
    def api(self) -> Api:
        """With the newest credentials."""
        return self._api

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than until the client is closed."""
        self._closed.wait(seconds)

    def renew(self, refused: Api) -> None:
        """Read the credentials again, unless another thread has done so since `refused`.

        Raises ClusterError when they cannot be used. Watches that are open go on as they are.
        """
        with self._renewing:
            if self._api is refused:
                self._api = Api(self._connect(), refused.limits)
                refused.access.close()

    def close(self) -> None:
        """End every request, those that wait for data too."""
        with self._lock:
            self._closed.set()
            self._api.stop()
            for answer in self._open:
                with suppress(Exception):  # over already: urllib3 has an error for each way
                    answer.shutdown()
            self._api.access.close()

    @contextmanager
    def get(self, api: Api, path: str) -> Iterator[Any]:
        """The answer to GET `path`, of any status, whose body comes with `read`.

        Raises AnswerError when there is none or, inside, when it breaks off.
        """
        import urllib3

        try:
            answer = self._request(api, path)
        except urllib3.exceptions.HTTPError as error:
            raise AnswerError(api.access.host, path, reason(error)) from error
        with self._lock:
            self._open.add(answer)
        try:
            yield answer
        except urllib3.exceptions.ReadTimeoutError as error:
            raise AnswerError(api.access.host, path, "the connection has gone silent") from error
        except urllib3.exceptions.HTTPError as error:
            raise AnswerError(api.access.host, path, "the connection broke off") from error
        finally:
            with self._lock:
                self._open.discard(answer)
            answer.close()  # an unread body: the connection is of no further use

    def read(self, answer: Any) -> bytes:
        """What has arrived, at least a byte; nothing at the end of the body."""
        return b"" if self.closed else bytes(answer.read1(_CHUNK) or b"")

    def _request(self, api: Api, path: str) -> Any:
        import urllib3

        headers = api.access.headers.copy()
        headers["Accept-Encoding"] = "identity"  # packed, an event would wait for others
        return api.access.pool.request(
            "GET",
            api.access.server + path,
            headers=headers,
            timeout=urllib3.Timeout(
                connect=api.limits.connect_seconds,
                read=self.limits.watch_seconds + self.limits.silent_seconds,
            ),
            retries=False,
            redirect=False,
            preload_content=False,
        )
