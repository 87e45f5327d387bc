"""Addresses and status of pods that nobody observed."""

from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from kubehop.model.addresses import Family, family
from kubehop.model.node import Node
from kubehop.model.pod import Condition, Pod, PodIP, PodStatus
from kubehop.workload import say
from kubehop.workload.draft import Draft
from kubehop.workload.placement import PENDING
from kubehop.workload.pod_pools import Pools

READY = (Condition("Ready", "True"),)

Problems = Counter[tuple[str, str]]
"""How many pods have no address, by reason and node."""


def pod_addresses_step(draft: Draft, lately: Iterable[str] = ()) -> Draft:
    """Draft whose pods run: an address, Running and Ready where nobody observed them.

    Addresses in `lately` are given last: pods that have just gone had them.

    A pod observed Running without an address gets one and keeps its conditions. A pod that was
    observed Pending stays so. One for which no address is left is Pending, and the reason said.
    """
    pods = draft.cluster.pods
    bare, stripped = sum(map(_bare, pods)), sum(map(_stripped, pods))
    if not bare and not stripped:
        return draft
    pools = Pools.of(draft, lately)
    problems: Problems = Counter()
    settled = tuple(
        _settled(pod, pools, problems) if _bare(pod) or _stripped(pod) else pod for pod in pods
    )
    running = sum(
        _bare(old) and new.phase == "Running" for old, new in zip(pods, settled, strict=True)
    )
    lines = (
        f"{say.count(running, 'pod')} assumed running and ready" if running else "",
        f"{say.count(stripped, 'running pod')}: addresses assumed" if stripped else "",
        *_problem_lines(problems),
    )
    return draft.having(*filter(None, lines), pods=settled)


def _problem_lines(problems: Problems) -> Iterator[str]:
    """One line for each reason, however many nodes it is true of."""
    for why in sorted({why for why, _ in problems}):
        nodes = {node: number for (each, node), number in problems.items() if each == why}
        total = say.count(sum(nodes.values()), "pod")
        yield f"{total} without address: {why}: {say.some(sorted(nodes))}"


def _bare(pod: Pod) -> bool:
    return not pod.phase


def _stripped(pod: Pod) -> bool:
    return pod.phase == "Running" and not pod.addresses


def _settled(pod: Pod, pools: Pools, problems: Problems) -> Pod:
    node = pools.nodes.get(pod.node_name)
    addresses, why = _addresses(pod, node, pools)
    if addresses:
        return replace(pod, status=_status(pod, node, addresses))
    problems[why, pod.node_name] += 1
    return replace(pod, status=PENDING) if _bare(pod) else pod


def _addresses(pod: Pod, node: Node | None, pools: Pools) -> tuple[tuple[str, ...], str]:
    """Its addresses, old or new; or none and why."""
    if pod.addresses:
        return pod.addresses, ""
    if node is None:
        return (), "their node is not in the input"
    if pod.host_network:
        return _host(node), "their node has none"
    return pools.take(node), "their node has no pod address left"


def _host(node: Node) -> tuple[str, ...]:
    """A host-network pod has the node's first address of each family."""
    first: dict[Family, str] = {}
    for address in node.internal_ips:
        first.setdefault(family(address), address)
    return tuple(first.values())


def _status(pod: Pod, node: Node | None, addresses: tuple[str, ...]) -> PodStatus:
    observed = pod.status or PodStatus()
    assumed = None if observed.phase else READY
    return PodStatus(
        phase="Running",
        pod_ip=addresses[0],
        pod_ips=tuple(PodIP(address) for address in addresses),
        host_ip=observed.host_ip or (next(iter(node.internal_ips), None) if node else None),
        conditions=observed.conditions or assumed,
    )
