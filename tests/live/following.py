"""A source that runs in a thread, and what it has told so far."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from kubehop.live import access
from kubehop.live.limits import WatchLimits
from kubehop.live.watch import LiveSource
from kubehop.model.changes import Change, Key, State, Update, between, key_of
from kubehop.model.cluster import Cluster
from kubehop.model.meta import Object
from tests.live.conftest import FAST

QUICK = WatchLimits(
    watch_seconds=5,
    silent_seconds=1,
    backoff_seconds=0.001,
    backoff_limit_seconds=0.02,
    poll_seconds=0.02,
    join_seconds=0.002,
    look_seconds=0.01,
)
PATIENCE = 5.0


class Following:
    """The state that the changes lead to."""

    def __init__(self) -> None:
        self.objects: dict[Key, Object] = {}
        self.changes: list[Change] = []
        self.synced: frozenset[str] = frozenset()
        self.corefile: str | None = None
        self.lines: list[str] = []
        self.error: Exception | None = None
        self.ended = 0.0
        self._told = threading.Condition()

    def begin(self, state: State) -> None:
        self.synced, self.corefile = state.synced, state.corefile
        self._apply(between(Cluster(), state.cluster))

    def tell(self, update: Update) -> None:
        with self._told:
            self._apply(update.change)
            self.synced, self.corefile = update.synced, update.corefile
            self._told.notify_all()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Inside, whoever tells something has to wait."""
        with self._told:
            yield

    def report(self, line: str) -> None:
        assert "\n" not in line
        with self._told:
            self.lines.append(line)
            self._told.notify_all()

    def _apply(self, change: Change) -> None:
        """No change contradicts itself."""
        if {key_of(obj) for obj in change.put} & set(change.gone):
            self.error = AssertionError(change)
        for key in change.gone:
            self.objects.pop(key, None)
        self.objects.update((key_of(obj), obj) for obj in change.put)
        self.changes.append(change)

    def names(self) -> set[str]:
        return {name for _, _, name in self.objects}

    def gone(self) -> set[str]:
        """The names of everything that was ever said to be gone."""
        return {name for change in self.changes for _, _, name in change.gone}

    def wait(self, condition: Callable[[], bool]) -> None:
        """Until `condition` holds; fails when it does not come to that."""
        deadline = time.monotonic() + PATIENCE
        with self._told:
            while not condition():
                left = deadline - time.monotonic()
                assert left > 0, f"names {sorted(self.names())}, lines {self.lines}"
                self._told.wait(min(left, 0.05))


@contextmanager
def following(
    *,
    pods: Callable[[str | None], bool] = lambda corefile: False,
    watch: WatchLimits = QUICK,
    start: float = 2,
    kubeconfig: Path | None = None,
) -> Iterator[Following]:
    """Follow the cluster of the kubeconfig, by default the one in HOME."""
    told, stop = Following(), threading.Event()
    connect = partial(access.connect, kubeconfig_file=str(kubeconfig) if kubeconfig else None)
    source = LiveSource(connect, told.report, pods=pods, limits=FAST, watch=watch)

    def run() -> None:
        try:
            source.run(told.tell, stop)
        except Exception as error:
            told.error = error

    told.begin(source.start(start))
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield told
    finally:
        stop.set()
        thread.join()
        told.ended = time.monotonic()
    assert told.error is None
    left = [each for each in threading.enumerate() if each.name == "kubehop-follow"]
    for each in left:  # only in a request that hangs, and that has a limit
        each.join(FAST.read_seconds + 1)
    assert not [each for each in left if each.is_alive()]
