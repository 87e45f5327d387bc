"""A live cluster as cluster DNS follows it: what changes, as it changes. Only ever GET."""

import queue
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial

from kubehop.live import access
from kubehop.live.client import Client, Connect
from kubehop.live.limits import DEFAULT, WATCH, Limits, WatchLimits
from kubehop.live.reflector import Reflector
from kubehop.live.resources import COREFILE, NAMES, PODS, Resource
from kubehop.live.troubles import Troubles
from kubehop.model.changes import Change, State, Update, corefile_in, joined
from kubehop.model.cluster import Cluster, sort_key
from kubehop.model.config import ConfigMap
from kubehop.model.meta import Object
from kubehop.model.node import Namespace
from kubehop.model.pod import Pod
from kubehop.model.service import EndpointSlice, Service

_LEAVE = 0.5
"""Seconds that threads get to end by themselves; they are daemons and may as well not."""

WantsPods = Callable[[str | None], bool]


def follow_cluster(
    report: Callable[[str], None],
    *,
    context: str | None = None,
    kubeconfig: str | None = None,
    pods: WantsPods,
) -> "LiveSource":
    """The cluster of `context`, from `kubeconfig` or kubectl's default, as a source.

    `report` gets a line for whatever is wrong, from any thread. `pods` tells from the Corefile
    (None: there is none to read) whether pods are needed, as for `pods verified`. Raises
    ClusterError when the kubeconfig or its credentials cannot be used; nothing is sent yet.
    """
    connect = partial(access.connect, context=context, kubeconfig_file=kubeconfig)
    return LiveSource(connect, report, pods=pods)


class LiveSource:
    """Namespaces, Services, EndpointSlices, the Corefile and maybe pods of a live cluster."""

    def __init__(
        self,
        connect: Connect,
        report: Callable[[str], None],
        *,
        pods: WantsPods,
        limits: Limits = DEFAULT,
        watch: WatchLimits = WATCH,
    ) -> None:
        self._client = Client(connect, limits, watch)
        self._troubles = Troubles(report)
        self._wants_pods = pods
        self._limits = watch
        self._queue: queue.Queue[_Item] = queue.Queue(watch.queue)
        self._threads: dict[str, threading.Thread] = {}
        self._heard: set[str] = set()
        self._synced: frozenset[str] = frozenset()
        self._corefile: str | None = None

    def start(self, seconds: float = 5) -> State:
        """Begin to follow, and wait up to `seconds` until everything is listed or forbidden.

        CoreDNS waits as long for the API before it serves without (`startup_timeout`).
        """
        for resource in (COREFILE, *NAMES):
            self._follow(resource)
        deadline = time.monotonic() + seconds
        changes: list[Change] = []
        while not self._heard >= self._threads.keys():
            left = deadline - time.monotonic()
            try:
                changes.append(self._heed(self._queue.get(timeout=max(left, 0))))
            except queue.Empty:
                break
        objects = joined(changes).put
        return State(_cluster(objects), self._synced, self._corefile)

    def run(self, tell: Callable[[Update], None], stop: threading.Event) -> None:
        """Tell what changes after `start`, in this thread, until `stop` is set; then close."""
        told = (self._synced, self._corefile)
        try:
            while not stop.is_set():
                change = self._next()
                if change or told != (self._synced, self._corefile):
                    told = (self._synced, self._corefile)
                    tell(Update(change, *told))
        finally:
            self.close()

    def close(self) -> None:
        """End all requests and the threads that wait for them."""
        self._client.close()
        deadline = time.monotonic() + _LEAVE
        for thread in self._threads.values():
            thread.join(max(deadline - time.monotonic(), 0))

    def _follow(self, resource: Resource) -> None:
        def run() -> None:
            try:
                reflector.run()
            except Exception as error:  # not one of ours: the source must not go quiet
                self._put((resource.plural, error))

        deliver = partial(self._deliver, resource.plural)
        reflector = Reflector(resource, self._client, deliver, self._troubles)
        thread = threading.Thread(target=run, daemon=True, name="kubehop-follow")
        self._threads[resource.plural] = thread
        thread.start()

    def _deliver(self, plural: str, change: Change | None) -> None:
        self._put((plural, change))

    def _put(self, item: "_Item") -> None:
        """Waits while the queue is full, and with it the server: memory stays bounded."""
        waits = True
        while waits and not self._client.closed:
            try:
                self._queue.put(item, timeout=self._limits.look_seconds)
                waits = False
            except queue.Full:
                pass

    def _next(self) -> Change:
        """What has happened, with what follows closely; nothing after a while without."""
        changes: list[Change] = []
        wait, until = self._limits.look_seconds, 0.0
        while wait > 0 and len(changes) < self._limits.queue:
            try:
                changes.append(self._heed(self._queue.get(timeout=wait)))
            except queue.Empty:
                break
            until = until or time.monotonic() + self._limits.join_seconds
            wait = until - time.monotonic()
        return joined(changes)

    def _heed(self, item: "_Item") -> Change:
        """Note what an item says beside its change, which is returned."""
        plural, said = item
        if isinstance(said, Exception):
            raise said
        self._heard.add(plural)
        if plural == COREFILE.plural:
            self._read_corefile(said)
            return Change()
        if said is None:
            return Change()
        self._synced |= {plural}
        return said

    def _read_corefile(self, change: Change | None) -> None:
        if change:
            maps = tuple(obj for obj in change.put if isinstance(obj, ConfigMap))
            self._corefile = corefile_in(Cluster(config_maps=maps))
        if PODS.plural not in self._threads and self._wants_pods(self._corefile):
            self._follow(PODS)


_Item = tuple[str, Change | Exception | None]
"""The plural of a kind; what changed in it, None if it may not be listed, or a bug."""


def _cluster(objects: Iterable[Object]) -> Cluster:
    found = sorted(objects, key=sort_key)
    return Cluster(
        namespaces=tuple(obj for obj in found if isinstance(obj, Namespace)),
        services=tuple(obj for obj in found if isinstance(obj, Service)),
        slices=tuple(obj for obj in found if isinstance(obj, EndpointSlice)),
        pods=tuple(obj for obj in found if isinstance(obj, Pod)),
    )
