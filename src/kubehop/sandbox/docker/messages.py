"""What the Engine API says, with only the fields that are used; pure.

docs.docker.com/reference/api/engine: /version, /containers/json, /containers/ID/json. Go writes
an empty list or map as null.
"""

from typing import Annotated, TypeVar

import msgspec

from kubehop.model.errors import printable
from kubehop.sandbox.values import SourceError

_T = TypeVar("_T")
_WHY_LIMIT = 200
"""Characters of what somebody else says."""

Id = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""It becomes part of paths."""
Pid = Annotated[int, msgspec.Meta(ge=0, lt=1 << 31)]
Seconds = Annotated[int, msgspec.Meta(gt=-(1 << 40), lt=1 << 40)]
"""Go's zero time is in the year 1."""


class Message(msgspec.Struct, frozen=True, rename="pascal"):
    """Fields are written `LikeThis`."""


class Component(Message, frozen=True):
    """What the daemon is made of; "Podman Engine" tells that it is no docker."""

    name: str = ""
    version: str = ""


class Version(Message, frozen=True):
    """GET /version."""

    version: str
    components: tuple[Component, ...] | None = None


class Endpoint(Message, frozen=True):
    """A container's place in a network; addresses are "" where it has none."""

    address: str = msgspec.field(default="", name="IPAddress")
    address6: str = msgspec.field(default="", name="GlobalIPv6Address")


class Networks(Message, frozen=True):
    """`sandbox_key` is the path of the network namespace, only when inspected."""

    networks: dict[str, Endpoint | None] | None = None
    sandbox_key: str = ""


class HostConfig(Message, frozen=True):
    """`network_mode` is bridge, host, none, a network's name, or container:ID."""

    network_mode: str = ""
    runtime: str = ""


class Summary(Message, frozen=True):
    """A container in GET /containers/json; `created` in seconds since 1970."""

    id: Id = msgspec.field(name="Id")
    names: tuple[str, ...] | None = None
    state: str = ""
    created: Seconds = 0
    labels: dict[str, str] | None = None
    host_config: HostConfig | None = None
    network_settings: Networks | None = None


class State(Message, frozen=True):
    """`pid` is 0 for a container that runs nothing."""

    status: str = ""
    running: bool = False
    pid: Pid = 0


class Inspected(Message, frozen=True):
    """GET /containers/ID/json."""

    id: Id = msgspec.field(name="Id")
    state: State | None = None
    host_config: HostConfig | None = None
    network_settings: Networks | None = None


class Complaint(Message, frozen=True, rename=None):
    """The body of an answer that is no 200."""

    message: str = ""


def decoded(body: bytes, kind: type[_T], what: str) -> _T:
    """Raises SourceError, naming `what` was asked for, if it is not of that kind."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        why = f"{what} is not the Engine API's: {error}"
        raise SourceError(printable(why[:_WHY_LIMIT])) from error


def complaint(body: bytes) -> str:
    """What an answer that is no 200 says, "" if nothing can be read."""
    try:
        said = msgspec.json.decode(body, type=Complaint).message
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return ""
    return printable(said[:_WHY_LIMIT])
