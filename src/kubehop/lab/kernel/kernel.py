"""The executor: does the steps that turn one plan into another.

Steps are done in the order given, neighbouring ones of a kind together: many namespaces side by
side, and each namespace's netlink requests in one send.
"""

import socket
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing
from itertools import groupby
from typing import Any

from kubehop.lab.kernel import conntrack, elements
from kubehop.lab.kernel.base import Base
from kubehop.lab.kernel.limits import enough_files
from kubehop.lab.kernel.links import Links
from kubehop.lab.kernel.nft import Rules
from kubehop.lab.kernel.program import Programs, Ran
from kubehop.lab.kernel.spaces import Spaces
from kubehop.lab.kernel.workers import Workers
from kubehop.lab.plan.values import ForgetFlows, Make, Nft, Remove, Rewrite, Sandbox, Step
from kubehop.linux.cover import Texts
from kubehop.linux.netlink import Netlink
from kubehop.model.errors import ClusterError

_FILES = 3
"""That a sandbox keeps open: its network namespace, rtnetlink, nftables."""


class Kernel:
    """The kernel of one lab. To be made in PID 1 (see `enter`); one thread applies steps.

    `notes` say what this machine does not let a lab have.
    """

    def __init__(self, base: Base) -> None:
        self.notes = base.notes
        self._workers = Workers()
        self._spaces = Spaces(base, self._workers)
        self._links = Links(self._spaces, self._workers)
        self._programs = Programs()
        self._do: dict[type, Callable[[Sequence[Any]], None]] = {
            Make: self._make,
            Remove: self._remove,
            Nft: self._nft,
            ForgetFlows: self._forget,
            Rewrite: self._rewrite,
        }

    def apply(self, steps: Sequence[Step]) -> None:
        """Do them. Raises ClusterError when one fails, UsageError where the machine cannot."""
        for kind, group in groupby(steps, type):
            self._do[kind](list(group))

    def inside(self, namespace: str) -> AbstractContextManager[None]:
        """Have the calling thread in the namespace's network: sockets made there stay there."""
        return self._spaces.inside(namespace)

    def socket(self, namespace: str, family: int, type: int, proto: int = 0) -> socket.socket:
        """A socket in a namespace, to be used from anywhere."""
        with self.inside(namespace):
            return socket.socket(family, type, proto)

    def pid(self, namespace: str) -> int:
        """The PID of the process that holds the sandbox, as the machine sees it."""
        return self._spaces.host_pid(namespace)

    def inner_pid(self, namespace: str) -> int:
        """The same as the lab's own PID namespace has it."""
        return self._spaces[namespace].pid

    def pids(self) -> frozenset[int]:
        """All of them and what `run` runs, inner: our children that are waited for here and by
        nobody else."""
        holders = (self._spaces[namespace].pid for namespace in self._spaces)
        return frozenset((*holders, *tuple(self._programs.pids)))

    def run(self, namespace: str, command: Sequence[str], seconds: float, files: Texts = ()) -> Ran:
        """A program of this machine in a sandbox, to its end or for so many seconds.

        `files`, paths and texts, are what it sees besides those of the sandbox.
        From any thread. Raises UsageError for a namespace that is not there, ClusterError if it
        cannot be started.
        """
        return self._programs.run(self._spaces[namespace].pid, command, seconds, files)

    def close(self, patience: float = 10.0) -> None:
        """Take everything away. When it returns nothing and nobody is in a namespace of the lab.

        The kernel takes such namespaces down in its own time, which is waited for as long as
        `patience` (seconds): a VXLAN device costs it a grace period of RCU, some 10 ms. With 0
        nobody waits: else one may have to wait longer, for the lock that it holds (rtnl_mutex).
        """
        self._spaces.close(patience)
        self._workers.close()

    def _make(self, steps: Sequence[Make]) -> None:
        things = [step.thing for step in steps]
        sandboxes = [thing for thing in things if isinstance(thing, Sandbox)]
        enough_files(_FILES * len(sandboxes))
        self._spaces.make(sandboxes)
        self._links.make(things)

    def _remove(self, steps: Sequence[Remove]) -> None:
        things = [step.thing for step in steps]
        self._links.remove(things)
        gone = [thing.namespace for thing in things if isinstance(thing, Sandbox)]
        self._spaces.remove([name for name in gone if name in self._spaces])

    def _rewrite(self, steps: Sequence[Rewrite]) -> None:
        for step in steps:
            self._spaces.rewrite(step.sandbox)

    def _nft(self, steps: Sequence[Nft]) -> None:
        texts = _by_namespace(steps)
        self._workers.each(lambda name: self._load(name, texts[name]), list(texts))

    def _load(self, namespace: str, steps: Sequence[Nft]) -> None:
        rules = self._spaces.rules(namespace)
        with self.inside(namespace):
            try:
                for step in steps:
                    _transact(rules, step)
            except ClusterError as error:
                raise ClusterError(f"{namespace}: {error}") from error
            if any(map(_is_whole, steps)):
                self._spaces.forget_rules(namespace)

    def _forget(self, steps: Sequence[ForgetFlows]) -> None:
        for namespace, its in _by_namespace(steps).items():
            with self.inside(namespace), closing(Netlink(conntrack.PROTOCOL)) as netlink:
                found = list(conntrack.stale(conntrack.flows(netlink), its))
                netlink.run(flow.removal() for flow in found)


def _is_whole(step: Nft) -> bool:
    """True if it declares tables, and so loads a whole ruleset."""
    return step.text.startswith("table ")


def _transact(rules: Rules, step: Nft) -> None:
    """Transactions in order. Elements of tables that the first one declares go by themselves."""
    texts = step.transactions
    frame = texts[0] if _is_whole(step) else ""
    with closing(Netlink(elements.PROTOCOL)) as netlink:
        for text in texts:
            found = elements.loading(text, frame) if frame and text != frame else None
            for octets, last in found.batches if found else ():
                netlink.transact(octets, last, "elements of nftables")
            if text := found.rest if found else text:
                rules.run(text)


def _by_namespace(steps: Sequence[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for step in steps:
        found[step.namespace].append(step)
    return found
