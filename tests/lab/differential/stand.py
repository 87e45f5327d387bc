"""A lab of a cluster, built and taken away again, in a process that has entered one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kubehop.lab.kernel import Base, Kernel
from kubehop.lab.plan.build import build_plan
from kubehop.lab.plan.rules import load_text
from kubehop.lab.plan.values import Make, Nft, Plan
from kubehop.lab.probe import Prober, fabric_links
from kubehop.lab.servers import Servers
from kubehop.model.cluster import Cluster


@dataclass(frozen=True)
class Stand:
    """What stands."""

    cluster: Cluster
    plan: Plan
    kernel: Kernel
    prober: Prober


@contextmanager
def standing(base: Base, cluster: Cluster) -> Iterator[Stand]:
    """The cluster's namespaces, rules and servers; nothing of them is left."""
    plan = build_plan(cluster)
    kernel = Kernel(base)
    try:
        kernel.apply([Make(thing) for thing in plan.things])
        kernel.apply([Nft(where, load_text(rules)) for where, rules in plan.rulesets.items()])
        servers = Servers(kernel.inside)
        servers.start()
        try:
            servers.apply((), plan.listeners)
            yield Stand(cluster, plan, kernel, Prober(kernel, fabric_links(plan)))
        finally:
            servers.stop()
    finally:
        kernel.close()
