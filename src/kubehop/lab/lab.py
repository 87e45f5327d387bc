"""A lab in this process: what stands, and how it becomes something else.

To be used in PID 1 of the lab's namespaces (`kubehop.lab.kernel.entered`); the supervisor and
tests do.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace

from kubehop.dns.settings import DNSSettings
from kubehop.lab.faults import Faulty, Injected, faulty
from kubehop.lab.kernel import Kernel
from kubehop.lab.plan.build import build_plan
from kubehop.lab.plan.difference import difference
from kubehop.lab.plan.rules import balancer_ruleset, flows_to_forget
from kubehop.lab.plan.values import (
    FABRIC,
    ForgetFlows,
    Make,
    Nft,
    Plan,
    Remove,
    Sandbox,
    Step,
)
from kubehop.lab.room import check_plan
from kubehop.lab.servers import DNSServers, HealthProber, Servers
from kubehop.lab.servers.chains import Log
from kubehop.lab.servers.prober import Healthy
from kubehop.model.cluster import Cluster
from kubehop.model.errors import ClusterError, KubehopError, UsageError

DEFAULTS = DNSSettings()
Lines = tuple[str, ...]
Tell = Callable[[str], None]
"""Called with a line that says what is being done now."""


@dataclass(frozen=True, slots=True)
class Became:
    """What a change came to: the steps done, what could not be had, and faults that went."""

    steps: tuple[Step, ...] = ()
    problems: tuple[str, ...] = ()
    healed: tuple[Injected, ...] = ()


class Lab:
    """Stands from `up` to `down`. Its methods may be called from any thread.

    A step that the kernel refuses leaves it `broken`: what stands is neither the old nor the new
    then, so that no more is changed. Only `down` ends that.

    `cluster` is what was asked for, without faults; `plan` is what stands, faults included.
    `log` is called for every query that comes to cluster DNS.
    """

    def __init__(
        self, kernel: Kernel, *, settings: DNSSettings = DEFAULTS, log: Log | None = None
    ) -> None:
        self.kernel = kernel
        self.cluster = Cluster()
        self.plan = Plan()
        self.faults: tuple[Injected, ...] = ()
        self.problems: tuple[str, ...] = ()
        self.broken = ""
        self.servers = Servers(kernel.inside)
        self._settings = settings
        self._altered = Cluster()
        self._healthy: Healthy | None = None
        self._lock = threading.RLock()
        self._dns = DNSServers(kernel.inside, settings=settings, log=log)
        self._prober = HealthProber(kernel.inside, self._take_health)

    @property
    def healthy(self) -> Mapping[tuple[str, str], frozenset[str]] | None:
        """What the load balancer's checks found, None before the first of them."""
        return self._healthy

    def up(
        self, cluster: Cluster, faults: Iterable[Injected] = (), tell: Tell = lambda _: None
    ) -> Became:
        """Build it, and serve.

        Raises ClusterError where the kernel refuses a step, UsageError where it has no room.
        """
        with self._lock:
            self.servers.start()
            became = self._become(cluster, faults, tell)
            self._prober.start()
            return became

    def change(
        self,
        cluster: Cluster,
        faults: Iterable[Injected] | None = None,
        tell: Tell = lambda _: None,
    ) -> Became:
        """Make it the lab of `cluster`, changing only what is other; faults stay if not given.

        Raises as `up` does, and UsageError if it is broken or down.
        """
        with self._lock:
            self.check_whole()
            return self._become(cluster, self.faults if faults is None else faults, tell)

    def check_whole(self) -> None:
        """Raise UsageError if what stands is not what was asked for."""
        if self.broken:
            raise UsageError(self.broken)

    def watched_names(self, log: Log) -> AbstractContextManager[None]:
        """Have `log` called for every query that comes to cluster DNS while the body runs."""
        return self._dns.watched(log)

    def down(self, patience: float = 10.0) -> None:
        """Take everything away; when it returns nothing and nobody is in a namespace of the lab.

        `patience`: seconds to wait for the kernel, which takes namespaces down later.
        """
        self._prober.stop()
        with self._lock:
            self.broken = self.broken or "the lab is going down"
            self._dns.stop()
            self.servers.stop()
            self.kernel.close(patience)
            self.plan = Plan()

    def _become(self, cluster: Cluster, faults: Iterable[Injected], tell: Tell) -> Became:
        tell("planning")
        found = faulty(cluster, faults, self._build, self._settings.corefile)
        check_plan(found.plan, self.plan)
        steps = (
            *difference(self.plan, found.plan),
            *(flows_to_forget(self._altered, found.cluster) if self.plan.things else ()),
        )
        with self._whole_or_broken():
            problems = self._done(found, steps, tell)
            self.cluster, self._altered, self.plan = cluster, found.cluster, found.plan
            self.faults, self.problems = found.faults, problems
            self._prober.apply(found.cluster)
        return Became(steps, problems, found.healed)

    def _done(self, found: Faulty, steps: Sequence[Step], tell: Tell) -> tuple[str, ...]:
        """Do the steps, and serve; what could not be had.

        What sockets stand in comes first, then sockets, then rules that lead to them. Where all
        only goes it goes the other way round, so that nobody is led to what is not there.
        """
        rules = [step for step in steps if isinstance(step, Nft | ForgetFlows)]
        things = [step for step in steps if not isinstance(step, Nft | ForgetFlows)]
        if not self.plan.things:
            tell(f"{len(found.cluster.nodes)} nodes, {len(found.cluster.pods)} pods")
            return self._built(found, things, rules)
        first, last = (things, rules) if any(map(_makes, steps)) else (rules, things)
        nodes, pods = len(found.cluster.nodes), len(found.cluster.pods)
        tell(f"namespaces and links of {nodes} nodes, {pods} pods")
        self.kernel.apply(first)
        tell(f"{len(found.plan.listeners)} listening ports")
        problems = self._serve(found.cluster, found.plan, _remade(steps))
        tell(f"rules of {len(found.cluster.services)} Services")
        self.kernel.apply(last)
        return problems

    def _built(self, found: Faulty, things: Sequence[Step], rules: Sequence[Step]) -> Lines:
        """A new lab, where nobody sends yet: the kernel makes links and rules under different
        locks, so they are made side by side."""
        boxes = [step for step in things if _is_sandbox(step)]
        self.kernel.apply(boxes)
        with ThreadPoolExecutor(1) as beside:
            loading = beside.submit(self.kernel.apply, rules)
            self.kernel.apply([step for step in things if not _is_sandbox(step)])
            problems = self._serve(found.cluster, found.plan, frozenset())
            loading.result()
        return problems

    @contextmanager
    def _whole_or_broken(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.broken = (
                f"the lab is broken, a change failed half-way ({error}):"
                " `kubehop lab down`, then up again"
            )
            if isinstance(error, OSError):
                raise ClusterError(str(error)) from error
            raise

    def _build(self, cluster: Cluster) -> Plan:
        plan = build_plan(cluster, self._settings, self._altered)
        if self._healthy is None:
            return plan
        return _balanced(plan, cluster, self._healthy)

    def _serve(self, cluster: Cluster, plan: Plan, remade: frozenset[str]) -> tuple[str, ...]:
        before, after = set(self.plan.listeners), set(plan.listeners)
        gone = [one for one in self.plan.listeners if one not in after]
        made = [one for one in plan.listeners if one not in before]
        failed = self._dns.apply(cluster, plan.nameservers, remade)
        refused = self.servers.apply(gone, made, remade)
        if failed:  # a server that went may have had the port
            failed = self._dns.apply(cluster, plan.nameservers)
        return failed + refused

    def _take_health(self, healthy: Healthy) -> None:
        """The load balancer sends where the checks answered, from now on."""
        with self._lock:
            self._healthy = healthy
            if not self.plan.things or self.broken:
                return
            plan = _balanced(self.plan, self._altered, healthy)
            with suppress(KubehopError), self._whole_or_broken():  # `broken` says it
                self.kernel.apply(difference(self.plan, plan))
                self.plan = plan


def _balanced(plan: Plan, cluster: Cluster, healthy: Healthy) -> Plan:
    rulesets = {**plan.rulesets, FABRIC: balancer_ruleset(cluster, healthy)}
    return replace(plan, rulesets=rulesets)


def _makes(step: Step) -> bool:
    return isinstance(step, Make)


def _is_sandbox(step: Step) -> bool:
    return isinstance(step, Make) and isinstance(step.thing, Sandbox)


def _remade(steps: Iterable[Step]) -> frozenset[str]:
    """Namespaces that went and came again."""
    gone: set[str] = set()
    made: set[str] = set()
    for step in steps:
        if isinstance(step, Make | Remove) and isinstance(step.thing, Sandbox):
            (made if isinstance(step, Make) else gone).add(step.thing.namespace)
    return frozenset(gone & made)
