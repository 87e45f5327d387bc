"""The load balancer's knowledge of its nodes: health checks all the time, and what they say."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from queue import SimpleQueue

from kubehop.dnsserver.faults import Faults
from kubehop.dnsserver.loop import Loop, Timer
from kubehop.lab.plan.values import FABRIC
from kubehop.lab.servers.checks import Check, Name, Target, Targets, targets
from kubehop.lab.servers.servers import STOP_SECONDS, Inside
from kubehop.model.cluster import Cluster

INTERVAL = 2.0
"""Seconds from one check of a target to the next."""
RATE = 300
"""Checks a second at most, when there is nothing new: with more targets the interval grows."""
AT_ONCE = 500
"""So few targets are all asked at once after a change; of more only those that it is about."""
OPEN = 64
"""Checks that are under way at a time."""
GRACE = 0.04
"""Seconds after which the first answers are told, though others have not come."""
TOGETHER = 0.005
"""Seconds in which other news may come to be told with the first."""

Healthy = Mapping[Name, frozenset[str]]
"""By Service the names of the nodes whose last check was answered with 200."""
Tell = Callable[[Healthy], None]


class HealthProber:
    """Checks from the fabric, and tells when something is other than it was told before.

    `apply` may be called before `start` and from any thread; it never waits. `tell` is called in
    a thread of its own and may take its time: what happens meanwhile is told after, in one.
    """

    def __init__(self, inside: Inside, tell: Tell) -> None:
        self._inside, self._tell = inside, tell
        self._faults = Faults()
        self._loop = Loop(self._faults)
        self._news: SimpleQueue[Healthy | None] = SimpleQueue()
        self._threads = (
            threading.Thread(target=self._run, daemon=True, name="kubehop-prober"),
            threading.Thread(target=self._tell_all, daemon=True, name="kubehop-prober-news"),
        )
        self._lock = threading.Lock()
        self._about: dict[Name, object] = {}
        self._targets: Targets = {}
        self._slots: dict[Target, float] = {}
        """When in an interval each target is asked, as a share of it."""
        self._said: dict[Target, bool] = {}
        self._doubted: set[Target] = set()
        """Those that were healthy, and once gave no answer: one lost packet is no verdict."""
        self._told: Healthy | None = None
        self._queue: deque[Target] = deque()
        self._checks: dict[Target, Check] = {}
        self._timers: dict[Target, Timer] = {}
        self._first: set[Target] = set()
        """Those that are waited for before anything is told."""
        self._telling: Timer | None = None

    def start(self) -> None:
        """Check from now on, in a thread."""
        for thread in self._threads:
            thread.start()
        self._loop.running.wait()

    def stop(self) -> None:
        """Check no more; while the fabric stands. A `tell` that has begun is not waited for."""
        self._loop.stop()
        if self._threads[0].is_alive():
            self._threads[0].join(STOP_SECONDS)
        for check in self._checks.values():
            check.close()
        self._news.put(None)
        self._loop.close()

    def apply(self, cluster: Cluster) -> None:
        """Check the nodes of this cluster for its Services, at once where that may matter."""
        with self._lock:
            found = targets(cluster)
            about = {
                name: (service, cluster.slices_of(service))
                for name in found
                if (service := cluster.service(*name)) is not None
            }
            changed = [name for name in found if self._about.get(name) != about[name]]
            self._about = dict(about)
            self._loop.soon(lambda: self._take(found, changed))

    # In the loop's thread

    def _run(self) -> None:
        try:
            with self._inside(FABRIC):
                self._loop.run()
        finally:
            self._loop.running.set()

    def _take(self, found: Targets, changed: Iterable[Name]) -> None:
        """Other targets: those that are new or few are asked now, the others when it is time.

        Each is in one of `_queue`, `_checks` and `_timers`, before and after.
        """
        self._targets = found
        every = list(dict.fromkeys(t for nodes in found.values() for t in nodes.values()))
        self._slots = {target: n / len(every) for n, target in enumerate(every)}
        for target in self._said.keys() - self._slots:
            del self._said[target]
        meant = {t for name in changed for t in found[name].values()}
        few = len(every) <= AT_ONCE
        self._first = {t for t in every if few or t in meant or t not in self._said}
        for check in self._checks.values():
            check.close()  # its answer may be one from before the change
        cut_off = self._slots.keys() & self._checks.keys() | self._slots.keys() & {*self._queue}
        self._checks.clear()
        self._doubted &= self._slots.keys()
        self._queue = deque([*(t for t in every if t in self._first), *(cut_off - self._first)])
        for target in self._timers.keys() & (self._first | self._timers.keys() - self._slots):
            self._timers.pop(target).cancel()
        self._tell_in(GRACE if self._first else 0)
        self._fill()

    def _fill(self) -> None:
        """Begin checks while there are some to begin and not too many under way."""
        while self._queue and len(self._checks) < OPEN:
            target = self._queue.popleft()
            self._checks[target] = Check(self._loop, target, self._answered)

    def _due(self, target: Target) -> None:
        del self._timers[target]
        self._queue.append(target)
        self._fill()

    def _answered(self, target: Target, answer: bool | None) -> None:
        del self._checks[target]
        if answer is None and self._said.get(target) and target not in self._doubted:
            self._doubted.add(target)
            self._queue.appendleft(target)
            self._fill()
            return
        self._doubted.discard(target)
        self._settled(target, bool(answer))
        self._fill()

    def _settled(self, target: Target, healthy: bool) -> None:
        self._timers[target] = self._loop.after(self._wait(target), lambda: self._due(target))
        news = self._said.get(target) is not healthy
        self._said[target] = healthy
        if target in self._first:
            self._first.discard(target)
            if not self._first:
                self._tell_in(0)
        if news:
            self._tell_in(GRACE if self._first else TOGETHER)

    def _wait(self, target: Target) -> float:
        """Seconds until the target's slot comes, skipping one that is too near."""
        period = max(INTERVAL, len(self._slots) / RATE)
        least = period / 2
        return least + (self._slots[target] * period - self._loop.now() - least) % period

    # News

    def _tell_in(self, seconds: float) -> None:
        """Tell what is known then, or earlier if that is planned."""
        when = self._loop.now() + seconds
        if self._telling is not None:
            if self._telling.when <= when:
                return
            self._telling.cancel()
        self._telling = self._loop.at(when, self._tell_now)

    def _tell_now(self) -> None:
        self._telling = None
        if self._first and self._queue:  # some have not even been asked
            self._tell_in(GRACE)
            return
        healthy = {
            name: frozenset(node for node, target in nodes.items() if self._said.get(target))
            for name, nodes in self._targets.items()
        }
        if healthy != self._told:
            self._told = healthy
            self._news.put(healthy)

    def _tell_all(self) -> None:
        """The thread that tells: the latest, if several have come."""
        while (news := self._latest()) is not None:
            try:
                self._tell(news)
            except Exception as error:
                self._faults.note(error)

    def _latest(self) -> Healthy | None:
        found = self._news.get()
        while found is not None and not self._news.empty():
            found = self._news.get()
        return found
