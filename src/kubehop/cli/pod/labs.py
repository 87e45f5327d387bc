"""kubehop's own labs as sources of sandboxes; here because `kubehop.sandbox` knows no lab.

A lab has no runtime, so its sandboxes have no ids: their namespaces are what they are known by,
and `runtime` says which lab it is.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from kubehop.model.errors import KubehopError
from kubehop.sandbox.source import Source
from kubehop.sandbox.values import Container, Sandbox, SourceError

SECONDS = 3.0
"""For a lab to say what stands; it takes some ms."""
HANDLER = "kubehop"


def lab_sources(only: str | None = None) -> list[Source]:
    """One for each lab of this user that is up, or for the one of that name.

    Without any, nothing of labs is imported.
    """
    if not os.path.isdir(state_place()):
        return []
    from kubehop.lab.supervisor.place import names

    try:
        return [Lab(name) for name in names() if only in (None, name)]
    except (KubehopError, OSError) as error:
        return [_NoLabs(str(error))]


def state_place() -> str:
    """Where `kubehop.lab.supervisor.place` keeps the state of labs, made or not."""
    uid = os.geteuid()
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(given) and _is_of(uid, given):
        return os.path.join(given, "kubehop")
    for folder in (f"/run/user/{uid}", "/run"):
        if _is_of(uid, folder) and os.access(folder, os.W_OK):
            return os.path.join(folder, "kubehop")
    return f"/tmp/kubehop-{uid}"  # noqa: S108 - only looked at


def _is_of(uid: int, folder: str) -> bool:
    return os.path.isdir(folder) and os.stat(folder).st_uid == uid


class Lab:
    """A `Source`: the lab of that name."""

    def __init__(self, name: str) -> None:
        self._lab = name

    @property
    def name(self) -> str:
        return f"lab {self._lab}"

    def sandboxes(self) -> tuple[Sandbox, ...]:
        """All that a lab knows of its pods comes at once. Raises SourceError."""
        from kubehop.lab.supervisor.client import ask_within

        try:
            return sandboxes_of(ask_within(SECONDS, self._lab, "status"))
        except KubehopError as error:
            raise SourceError(str(error)) from error

    def detailed(self, sandboxes: Sequence[Sandbox]) -> tuple[Sandbox, ...]:
        return tuple(sandboxes)

    def close(self) -> None:
        """Nothing is kept open."""


class _NoLabs:
    """Where the state of labs should be there is something that is not ours."""

    name = "labs"

    def __init__(self, why: str) -> None:
        self._why = why

    def sandboxes(self) -> tuple[Sandbox, ...]:
        raise SourceError(self._why)

    def detailed(self, sandboxes: Sequence[Sandbox]) -> tuple[Sandbox, ...]:
        return tuple(sandboxes)

    def close(self) -> None:
        """Nothing is open."""


def sandboxes_of(status: Mapping[str, Any]) -> tuple[Sandbox, ...]:
    """The pods of a LabStatus. Raises SourceError if it is of another version of kubehop."""
    try:
        return tuple(_sandbox(pod, str(status["name"])) for pod in status["pods"])
    except (KeyError, TypeError) as error:
        raise SourceError("this lab was made by another version of kubehop") from error


def _sandbox(pod: Mapping[str, Any], lab: str) -> Sandbox:
    """One in its node's network has the node's process, and none of the node's addresses."""
    host = bool(pod["hostNetwork"])
    return Sandbox(
        namespace=pod["namespace"],
        name=pod["name"],
        ready=pod["ready"],
        pid=pod["pid"],
        host_network=host,
        addresses=() if host else tuple(pod["addresses"]),
        runtime=f"kubehop lab {lab}",
        handler=HANDLER,
        containers=tuple(Container(id="", name=name) for name in pod["containers"]),
        source=f"lab {lab}",
    )
