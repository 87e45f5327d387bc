"""How topology-mode Auto deals endpoints out to zones, in proportion to their CPU.

Source: k8s.io/endpointslice `topologycache/` (v0.37). Where it depends on the order of a map,
names are sorted here: real slices may hint other endpoints, or another of two equal zones.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from kubehop.model.node import Node

OVERLOAD = 0.2
"""How much more than its share an endpoint may get before hints are given up."""
NOT_COUNTED = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
QUANTITY = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(m|k|)")
SCALE = {"m": Fraction(1), "": Fraction(1000), "k": Fraction(1_000_000)}

Shares = Mapping[str, float]
"""Each zone's share of all CPU; empty if the nodes do not tell."""


@dataclass(frozen=True, slots=True)
class Dealt:
    """The zone of each endpoint, parallel to those asked for; none, and `why`, if given up."""

    zones: tuple[str, ...] = ()
    why: str = ""


def zone_shares(nodes: Iterable[Node]) -> Shares:
    """Each zone's share of allocatable CPU; empty if fewer than two zones, or a node hides it.

    Control plane nodes and nodes that are not ready do not count.
    """
    cpu: Counter[str] = Counter()
    for node in nodes:
        if any(label in node.labels for label in NOT_COUNTED) or not node.ready:
            continue
        own = milli_cpu(node)
        if not node.zone or not own:
            return {}
        cpu[node.zone] += own
    return {zone: cpu[zone] / cpu.total() for zone in sorted(cpu)} if len(cpu) > 1 else {}


def milli_cpu(node: Node) -> int:
    """`status.allocatable.cpu` in thousandths of a CPU, rounded up; 0 if unset or unreadable."""
    allocatable = node.status and node.status.allocatable
    found = QUANTITY.fullmatch(str(allocatable.cpu)) if allocatable else None
    return math.ceil(Fraction(found[1]) * SCALE[found[2]]) if found else 0


def deal(zones: Sequence[str], shares: Shares) -> Dealt:
    """A zone for each ready endpoint, given the zones they are in ("" if unknown).

    1. give up unless every zone can have its share without overloading another
    2. every endpoint starts with its own zone
    3. zones with too many give, one endpoint at a time, to zones with too few
    """
    if not shares:
        return Dealt(why="a node has no zone or CPU, or there are fewer than two zones")
    if len(shares) > len(zones):
        return Dealt(why=f"fewer ready endpoints ({len(zones)}) than zones ({len(shares)})")
    wanted, least = _wanted(len(zones), shares)
    if least > len(zones):
        return Dealt(why="some zone would be overloaded by more than 20 percent")
    if not all(zones):
        return Dealt(why="an endpoint has no zone")
    giving, receiving = moves(wanted, Counter(zones))
    return Dealt(tuple(_given(zone, giving, receiving) for zone in zones))


def _wanted(total: int, shares: Shares) -> tuple[dict[str, float], int]:
    """How many endpoints each zone should have, and the sum of the least that each needs."""
    wanted, least = {}, 0
    for zone, share in shares.items():
        minimum = math.ceil(share * total * (1 / (1 + OVERLOAD)))
        wanted[zone] = max(share * total, float(minimum))
        least += minimum
    return wanted, least


def moves(wanted: Mapping[str, float], has: Counter[str]) -> tuple[Counter[str], Counter[str]]:
    """How many endpoints each zone gives and receives.

    The fullest gives to the emptiest, until neither has a whole one or one has not even half.
    """
    surplus = {zone: has[zone] - number for zone, number in wanted.items() if has[zone] > number}
    deficit = {zone: number - has[zone] for zone, number in wanted.items() if has[zone] < number}
    giving: Counter[str] = Counter()
    receiving: Counter[str] = Counter()
    while surplus and deficit:
        giver, receiver = (
            max(surplus, key=surplus.__getitem__),
            max(deficit, key=deficit.__getitem__),
        )
        most = surplus[giver], deficit[receiver]
        if min(most) < 0.5 or max(most) < 1:
            break
        giving[giver] += 1
        surplus[giver] -= 1
        receiving[receiver] += 1
        deficit[receiver] -= 1
    return giving, receiving


def _given(zone: str, giving: Counter[str], receiving: Counter[str]) -> str:
    """The zone for an endpoint of `zone`, taken off what is still to be moved."""
    if not giving[zone]:
        return zone
    receiver = next(name for name in sorted(receiving) if receiving[name])
    giving[zone] -= 1
    receiving[receiver] -= 1
    return receiver
