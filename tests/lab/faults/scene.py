"""A lab in this process, of which faults come and go."""

import re
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import replace

from kubehop.lab.faults import Injected, faulty
from kubehop.lab.kernel import Base, Kernel
from kubehop.lab.plan.build import build_plan
from kubehop.lab.plan.difference import difference
from kubehop.lab.plan.rules import balancer_ruleset
from kubehop.lab.plan.values import FABRIC, Plan, Sandbox
from kubehop.lab.servers import DNSServers, HealthProber, Servers
from kubehop.model.cluster import Cluster
from tests.lab.faults.asking import Client

Healthy = Mapping[tuple[str, str], frozenset[str]]
DUMP = """
ip -o address; ip -o link; ip route show table all; ip -6 route show table all
ip rule; ip -6 rule; ip neighbour; ip -6 neighbour; bridge fdb; nft list ruleset
"""
_CHANCE = re.compile(
    r" state \w+|NO-CARRIER,|,(LOWER_UP|M-DOWN)| (dead|linkdown)\b"  # whether links are up
    r"|^\d+: |@if\d+| link-netnsid \d+",  # numbers
    re.MULTILINE,
)
"""That a link is up the kernel says in its own time; a pod that is made again has new numbers."""


class Scene:
    """Stands until closed; `client` asks in it."""

    def __init__(self, base: Base, cluster: Cluster) -> None:
        self.kernel = Kernel(base)
        self.client = Client(self.kernel.inside)
        self.plan = Plan()
        self._cluster = cluster
        self._servers = Servers(self.kernel.inside)
        self._dns = DNSServers(self.kernel.inside)
        self._told = threading.Condition()
        self._healthy: Healthy = {}
        self._prober = HealthProber(self.kernel.inside, self._tell)
        self._servers.start()
        self.with_faults()
        self._prober.start()

    def with_faults(self, *faults: Injected) -> None:
        """Have these faults, and no others."""
        found = faulty(self._cluster, faults, build_plan)
        self._become(found.plan)
        self._dns.apply(found.cluster, found.plan.nameservers)
        self._prober.apply(found.cluster)

    def balance(self, service: tuple[str, str], nodes: frozenset[str]) -> None:
        """Wait until the load balancer's health checks find just these nodes; use them."""
        with self._told:
            assert self._told.wait_for(lambda: self._healthy.get(service) == nodes, 10)
            ruleset = balancer_ruleset(self._cluster, self._healthy)
        self._become(replace(self.plan, rulesets=dict(self.plan.rulesets) | {FABRIC: ruleset}))

    def dump(self) -> dict[str, list[str]]:
        """All that ip, bridge and nft print, by namespace; order is no matter."""
        boxes = (thing for thing in self.plan.things if isinstance(thing, Sandbox))
        return {box.namespace: sorted(self._printed(box.namespace)) for box in boxes}

    def file(self, namespace: str, path: str) -> str:
        """A file as a program in a sandbox reads it."""
        with open(f"/proc/{self.kernel.inner_pid(namespace)}/root{path}") as file:
            return file.read()

    def close(self) -> None:
        self._prober.stop()
        self._dns.stop()
        self._servers.stop()
        self.kernel.close()

    def _become(self, plan: Plan) -> None:
        self.kernel.apply(difference(self.plan, plan))
        before, after = set(self.plan.listeners), set(plan.listeners)
        self._servers.apply(before - after, after - before)
        self.plan = plan

    def _tell(self, healthy: Healthy) -> None:
        with self._told:
            self._healthy = healthy
            self._told.notify_all()

    def _printed(self, namespace: str) -> list[str]:
        with self.kernel.inside(namespace):
            command = ("sh", "-ec", DUMP)
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        return [line.rstrip() for line in _CHANCE.sub("", done.stdout).splitlines()]
