"""The one interface of everything that knows of sandboxes: runtimes, labs, /proc."""

from collections.abc import Sequence
from typing import Protocol

from kubehop.sandbox.values import Sandbox


class Source(Protocol):
    """Knows sandboxes of this host. A context manager would be too much: `close` ends it.

    `sandboxes` is the cheap list: ids, names, uids, state, containers with their ids and names,
    whatever comes without asking for each. `detailed` completes those given, in the same order:
    pid, addresses, network namespace, handler. A sandbox that has gone meanwhile comes back as
    it was, with an Unknown. Both raise SourceError where the source cannot be asked.
    """

    @property
    def name(self) -> str:
        """For people: `CRI at /run/crio/crio.sock`, `docker`, `lab default`, `/proc`."""

    def sandboxes(self) -> tuple[Sandbox, ...]: ...

    def detailed(self, sandboxes: Sequence[Sandbox]) -> tuple[Sandbox, ...]: ...

    def close(self) -> None: ...
