"""The docker daemon as a source of sandboxes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from kubehop.sandbox.docker.connection import NEEDS, Connection
from kubehop.sandbox.docker.sockets import socket_paths
from kubehop.sandbox.values import Sandbox, SourceError, Unknown

if TYPE_CHECKING:
    from kubehop.sandbox.docker.messages import Inspected

_T = TypeVar("_T")
_OK, _GONE = 200, 404
_REFUSED = (401, 403)
"""A plugin of the daemon's that authorizes."""


def docker_sources(root: str = "/") -> "list[Docker]":
    """The daemons whose sockets exist: see `socket_paths`."""
    return [Docker(path) for path in socket_paths(root)]


class Docker:
    """A `Source`: the daemon that listens at `socket`. Paths are unversioned: its newest API."""

    def __init__(self, socket: str) -> None:
        self.socket = socket
        self._connection = Connection(socket)
        self._runtime: str | None = None

    @property
    def name(self) -> str:
        return f"docker at {self.socket}"

    def sandboxes(self) -> tuple[Sandbox, ...]:
        """Two questions, however many there are; addresses come with them. Raises SourceError."""
        from kubehop.sandbox.docker.mapping import runtime_of, sandboxes_of
        from kubehop.sandbox.docker.messages import Summary, Version

        if self._runtime is None:
            self._runtime = runtime_of(self._asked("/version", Version))
        summaries = self._asked("/containers/json?all=1", tuple[Summary, ...])
        return sandboxes_of(summaries, self._runtime, self.name)

    def detailed(self, sandboxes: Sequence[Sandbox]) -> tuple[Sandbox, ...]:
        """One question for each sandbox and each container that may run. Raises SourceError."""
        return tuple(self._detailed(sandbox) for sandbox in sandboxes)

    def _detailed(self, sandbox: Sandbox) -> Sandbox:
        from kubehop.sandbox.docker.mapping import with_inspected

        running = [each.id for each in sandbox.containers if each.running is not False]
        found = {id: self._inspected(id) for id in dict.fromkeys((sandbox.id, *running)) if id}
        there = {id: inspected for id, inspected in found.items() if inspected}
        completed = with_inspected(sandbox, there)
        if sandbox.id in there:
            return completed
        gone = Unknown("pid", "docker has removed this sandbox")
        return replace(completed, unknown=(*completed.unknown, gone))

    def _inspected(self, id: str) -> "Inspected | None":
        """None if it has gone."""
        from kubehop.sandbox.docker.messages import Inspected

        return self._perhaps(f"/containers/{id}/json", Inspected)

    def _asked(self, target: str, kind: type[_T]) -> _T:
        found = self._perhaps(target, kind)
        if found is None:
            raise SourceError(f"{self.socket}: GET {target}: 404: this is not the Engine API")
        return found

    def _perhaps(self, target: str, kind: type[_T]) -> _T | None:
        from kubehop.sandbox.docker.messages import complaint, decoded

        answer = self._connection.get(target)
        if answer.status == _GONE:
            return None
        if answer.status != _OK:
            why = f"{self.socket}: GET {target}: {answer.status}: {complaint(answer.body)}"
            needs = NEEDS if answer.status in _REFUSED else ""
            raise SourceError(why.removesuffix(": "), needs)
        return decoded(answer.body, kind, f"{self.socket}: GET {target}")

    def close(self) -> None:
        self._connection.close()
