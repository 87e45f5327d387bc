"""What a supervisor knows: its lab, the cluster that is followed, and the faults in it."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from kubehop.lab.faults import Injected
from kubehop.lab.lab import Lab
from kubehop.lab.plan.values import ForgetFlows, Make, Nft, Remove
from kubehop.workload.following import Following, described


@dataclass(slots=True)
class State:
    """Of one lab; `change` and `with_faults` are one at a time."""

    name: str
    lab: Lab
    following: Following
    started: float
    lock: threading.Lock = field(default_factory=threading.Lock)

    def change(self, make: Callable[[Following], Following]) -> list[str]:
        """Follow a change; what came of it, a line each. Nothing changes if `make` raises."""
        with self.lock:
            before, after = self.following, make(self.following)
            became = self.lab.change(after.cluster)
            self.following = after
        lines = list(described(before.cluster, after.cluster))
        lines += [f"healed, for its object is gone: {fault.label}" for fault in became.healed]
        lines += became.problems
        return [*lines, counted(became.steps)] if lines else []

    def with_faults(self, faults: Iterable[Injected]) -> list[str]:
        """Have these faults; what came of it."""
        with self.lock:
            became = self.lab.change(self.lab.cluster, faults)
        return [*became.problems, counted(became.steps)]


_WORDS = {Make: "made", Remove: "removed", Nft: "rules changed in", ForgetFlows: "flows forgotten"}


def counted(steps: Iterable[object]) -> str:
    """What the kernel did, in numbers."""
    counts = dict.fromkeys(_WORDS.values(), 0)
    for step in steps:
        word = _WORDS.get(type(step))
        if word:
            counts[word] += 1
    nodes = counts.pop("rules changed in")
    parts = [f"{number} things {word}" for word, number in counts.items() if number]
    parts += [f"rules changed in {nodes} namespaces"] if nodes else []
    return f"kernel: {', '.join(parts) or 'nothing to do'}"
