"""What a supervisor knows: its lab, the cluster that is followed, and the faults in it."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from kubehop.lab.faults import Injected
from kubehop.lab.lab import Lab, Tell
from kubehop.lab.plan.values import ForgetFlows, Make, Nft, Remove, Rewrite
from kubehop.lab.supervisor.log import Log
from kubehop.workload.following import Following, described

Faults = tuple[Injected, ...]


@dataclass(slots=True)
class State:
    """Of one lab; `change` and `with_faults` are one at a time."""

    name: str
    lab: Lab
    following: Following
    started: float
    log: Log = field(default_factory=Log)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def change(
        self, make: Callable[[Following], Following], tell: Tell = lambda _: None
    ) -> list[str]:
        """Follow a change; what came of it, a line each. Nothing changes if `make` raises."""
        with self.lock:
            self.lab.check_whole()
            before, after = self.following, make(self.following)
            became = self.lab.change(after.cluster, tell=tell)
            self.following = after
        lines = list(described(before.cluster, after.cluster))
        lines += [f"healed, for its object is gone: {fault.label}" for fault in became.healed]
        lines += became.problems
        return [*lines, counted(became.steps)] if lines else []

    def with_faults(self, make: Callable[[Faults], Faults]) -> list[str]:
        """Have the faults that `make` makes of those there are; what came of it."""
        with self.lock:
            became = self.lab.change(self.lab.cluster, make(self.lab.faults))
        # Servers alone may be what changed.
        return [*became.problems, *([counted(became.steps)] if became.steps else [])]


_WORDS = {
    Make: ("made {}", "thing", "things"),
    Remove: ("removed {}", "thing", "things"),
    Rewrite: ("changed files in {}", "sandbox", "sandboxes"),
    Nft: ("changed rules in {}", "namespace", "namespaces"),
    ForgetFlows: ("forgot UDP flows of {}", "frontend", "frontends"),
}


def counted(steps: Iterable[object]) -> str:
    """What the kernel did, in numbers."""
    counts = Counter(map(type, steps))
    parts = [
        words.format(f"{number} {one if number == 1 else many}")
        for kind, (words, one, many) in _WORDS.items()
        if (number := counts[kind])
    ]
    return f"kernel: {', '.join(parts) or 'nothing to do'}"
