"""A lab in this process, of which faults come and go."""

import re
import subprocess
import time

from kubehop.lab.faults import Injected
from kubehop.lab.kernel import Base, Kernel
from kubehop.lab.lab import Lab
from kubehop.lab.plan.values import Sandbox
from kubehop.model.cluster import Cluster
from tests.lab.faults.asking import Client

SECONDS = 10.0
"""Long enough for the load balancer's checks to find a change."""
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
        self.lab = Lab(self.kernel)
        assert self.lab.up(cluster).problems == ()

    def with_faults(self, *faults: Injected) -> None:
        """Have these faults, and no others."""
        became = self.lab.change(self.lab.cluster, faults)
        assert (became.problems, became.healed) == ((), ())

    def balance(self, service: tuple[str, str], nodes: frozenset[str]) -> None:
        """Wait until the load balancer's health checks have found just these nodes."""
        end = time.monotonic() + SECONDS
        while (self.lab.healthy or {}).get(service) != nodes:
            assert time.monotonic() < end, self.lab.healthy
            time.sleep(0.05)

    def dump(self) -> dict[str, list[str]]:
        """All that ip, bridge and nft print, by namespace; order is no matter."""
        boxes = (thing for thing in self.lab.plan.things if isinstance(thing, Sandbox))
        return {box.namespace: sorted(self._printed(box.namespace)) for box in boxes}

    def file(self, namespace: str, path: str) -> str:
        """A file as a program in a sandbox reads it."""
        with open(f"/proc/{self.kernel.inner_pid(namespace)}/root{path}") as file:
            return file.read()

    def close(self) -> None:
        self.lab.down()

    def _printed(self, namespace: str) -> list[str]:
        with self.kernel.inside(namespace):
            command = ("sh", "-ec", DUMP)
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        lines = _CHANCE.sub("", done.stdout).splitlines()
        # The kernel adds a device's multicast route once, or once more with each address.
        return [line.rstrip() for line in lines if not line.startswith("multicast ff00::/8")]
