"""Which node each pod without a node would run on: deterministic, spread, within constraints."""

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from kubehop.model.cluster import sort_key
from kubehop.model.node import Node
from kubehop.model.pod import Pod, PodSpec, PodStatus
from kubehop.workload import owners, say
from kubehop.workload.draft import Draft
from kubehop.workload.fit import admitted

PENDING = PodStatus(phase="Pending")


def placement_step(draft: Draft) -> Draft:
    """Draft whose unobserved pods have a node, or stay Pending with the reason said.

    A pod with a phase was observed: if it has no node, it really has none.
    """
    pods = draft.cluster.pods
    waiting = [pod for pod in pods if not pod.phase and not pod.node_name]
    if not waiting:
        return draft
    placed, reasons = place(waiting, pods, draft.cluster.nodes)
    settled = tuple(placed.get(sort_key(pod), pod) for pod in pods)
    lines = (
        f"{say.count(number, 'pod')} of {owner} assumed Pending: {why}"
        for (owner, why), number in sorted(reasons.items())
    )
    return draft.having(*_few(tuple(lines)), pods=settled)


def _few(lines: tuple[str, ...]) -> tuple[str, ...]:
    if len(lines) <= say.NAMED:
        return lines
    shown = lines[: say.NAMED - 1]
    return (*shown, f"pods of {len(lines) - len(shown)} more owners assumed Pending likewise")


def place(
    waiting: Iterable[Pod], pods: Iterable[Pod], nodes: Sequence[Node]
) -> tuple[dict[tuple[str, str], Pod], Counter[tuple[str, str]]]:
    """`waiting` by name, each with a node or Pending; and how many are Pending, by owner and why.

    A node with the fewest pods of the same owner wins, then with the fewest pods, then the
    first. `pods` are those that count as already there.
    """
    groups: dict[tuple[owners.Key, bytes], list[Pod]] = {}
    for pod in waiting:
        groups.setdefault((_owner(pod), _constraints(pod.spec)), []).append(pod)
    load = Counter(pod.node_name for pod in pods if not pod.finished)
    own = _own_load({owner for owner, _ in groups}, pods)
    fitting: dict[bytes, Fitting] = {}
    placed: dict[tuple[str, str], Pod] = {}
    pending: Counter[tuple[str, str]] = Counter()
    for (owner, constraints), group in groups.items():
        if constraints not in fitting:
            fitting[constraints] = Fitting.of(group[0].spec, nodes, load)
        fits = fitting[constraints]
        for pod, name in zip(group, fits.spread(len(group), own[owner]), strict=True):
            if name:
                placed[sort_key(pod)] = replace(pod, spec=replace(pod.spec, node_name=name))
            else:
                placed[sort_key(pod)] = replace(pod, status=PENDING)
                pending["{} {}/{}".format(*owner), fits.why] += 1
    return placed, pending


@dataclass(frozen=True, slots=True)
class Fitting:
    """The nodes that some constraints admit, least loaded first; `why` if there are none.

    `load` is shared and grows as pods are put anywhere, so that an entry of `heap` may be old:
    then it is too low, and is put back when it comes up. No step looks at all nodes.
    """

    heap: list[tuple[int, int, str]]
    load: Counter[str]
    why: str

    @classmethod
    def of(cls, spec: PodSpec, nodes: Sequence[Node], load: Counter[str]) -> "Fitting":
        """The nodes that admit `spec`."""
        possible, why = admitted(spec, nodes)
        heap = [(load[node.name], index, node.name) for index, node in enumerate(possible)]
        heapq.heapify(heap)
        return cls(heap, load, why)

    def spread(self, number: int, own: Counter[str]) -> list[str]:
        """A node's name, or "", for each of `number` pods of an owner that has `own` by node."""
        names: list[str] = []
        having: list[tuple[int, int, int, str]] = []
        for _ in range(number):
            index, name = self._next(having, own)
            if name:
                own[name] += 1
                self.load[name] += 1
                heapq.heappush(having, (own[name], self.load[name], index, name))
            names.append(name)
        for _, total, index, name in having:
            heapq.heappush(self.heap, (total, index, name))
        return names

    def _next(self, having: list[tuple[int, int, int, str]], own: Counter[str]) -> tuple[int, str]:
        """A node without pods of the owner; when there is none left, one of those `having` some."""
        while self.heap:
            total, index, name = heapq.heappop(self.heap)
            if total != self.load[name]:
                heapq.heappush(self.heap, (self.load[name], index, name))
            elif own[name]:
                heapq.heappush(having, (own[name], total, index, name))
            else:
                return index, name
        return heapq.heappop(having)[2:] if having else (0, "")


def _own_load(wanted: Set[owners.Key], pods: Iterable[Pod]) -> dict[owners.Key, Counter[str]]:
    """How many pods each of these owners has on each node."""
    found: dict[owners.Key, Counter[str]] = {owner: Counter() for owner in wanted}
    for pod in pods:
        if pod.node_name and not pod.finished and _owner(pod) in found:
            found[_owner(pod)][pod.node_name] += 1
    return found


def _owner(pod: Pod) -> owners.Key:
    """Its controller; a bare pod is its own."""
    return owners.controller(pod) or owners.key(pod)


def _constraints(spec: PodSpec) -> bytes:
    """Equal for specs that the same nodes admit."""
    return msgspec.json.encode((spec.node_selector, spec.affinity, spec.tolerations))
