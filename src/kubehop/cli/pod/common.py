"""What the commands about this host's pods share: which pod is meant, and who was asked."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click
from msgspec import Struct

from kubehop.model.errors import UsageError
from kubehop.sandbox.values import Container, Sandbox, Tried

if TYPE_CHECKING:
    from kubehop.sandbox.host import Host
    from kubehop.sandbox.proc.scan import Processes
    from kubehop.sandbox.source import Source

F = TypeVar("F", bound=Callable[..., Any])

SOURCES = ("cri", "docker", "lab", "proc")
_ONE_LAB = "lab:"
"""Before a lab's name: that lab alone."""

_namespace = click.option(
    "-n", "--namespace", metavar="NAME", help="The pod's namespace. Default: the name's, else any."
)
_container = click.option(
    "-c", "--container", metavar="NAME", help="The container whose files and processes are meant."
)


def _checked(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is None or value in SOURCES or (value.startswith(_ONE_LAB) and value != _ONE_LAB):
        return value
    raise click.BadParameter(f"{value!r} is none of {', '.join(SOURCES)}, {_ONE_LAB}NAME")


source_option = click.option(
    "--source",
    callback=_checked,
    metavar="cri|docker|lab[:NAME]|proc",
    help="Ask this source alone. Default: all, in this order.",
)


def pod_options(function: F) -> F:
    """-n, -c and --source: arguments `namespace`, `container` and `source`; see `chosen`."""
    return _namespace(_container(source_option(function)))


class Chosen(Struct, frozen=True):
    """The pod that is meant, with all that is known of it, and who was asked.

    `container` is the one that was named by -c or by its id; None for the pod as a whole.
    """

    sandbox: Sandbox
    container: Container | None
    processes: "Processes"
    tried: tuple[Tried, ...]


_QUALIFIED = re.compile(r"(?:pods?/)?(?:([a-z0-9][-a-z0-9]*)/)?([^/]+)")
"""NAME, pod/NAME, NAMESPACE/NAME, pod/NAMESPACE/NAME: as in kubectl, `pod` is a kind there."""


def split_name(text: str, namespace: str | None) -> tuple[str | None, str]:
    """The namespace that a pod's name and -n say, None for none, and the name without it.

    What is no name of a pod is left as it is. Raises UsageError if the two say different ones.
    """
    form = _QUALIFIED.fullmatch(text)
    if form is None or form[1] is None:
        return namespace, form[2] if form else text
    if namespace not in (None, form[1]):
        raise UsageError(f"{text!r} is in namespace {form[1]}, and -n says {namespace!r}")
    return form[1], form[2]


def chosen(
    name: str,
    namespace: str | None = None,
    container: str | None = None,
    source: str | None = None,
) -> Chosen:
    """The pod of this host that `name` means: any form that `kubehop.sandbox.find` knows.

    Says on standard error what else the name could mean. Raises UsageError if nothing, or more
    than one pod, is meant, or one of another namespace than `namespace`.
    """
    split_name(name, namespace)
    host = this_host(source)
    try:
        found = host.find(name, namespace, container)
    except UsageError as error:
        raise _where_nothing_is(error, host.tried, source) from error
    finally:
        host.close()
    _check_namespace(name, namespace, found.sandbox)
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    return Chosen(found.sandbox, found.container, host.processes, host.tried)


def _where_nothing_is(error: UsageError, tried: Sequence[Tried], source: str | None) -> UsageError:
    """The error; where no source knows any pod, with where was looked and what to do."""
    if not tried or any(each.found for each in tried):
        return error
    from kubehop.cli.pod.nowhere import nowhere

    return UsageError(f"{error}; {nowhere(tried, source)}")


def _check_namespace(name: str, namespace: str | None, sandbox: Sandbox) -> None:
    """An id, an address or a PID says whose it is by itself."""
    from kubehop.sandbox.find import title

    if namespace is not None and sandbox.namespace not in ("", namespace):
        raise UsageError(f"{name!r} is of {title(sandbox)}, and -n says {namespace!r}")


def this_host(source: str | None = None) -> "Host":
    """The host that this runs on, by all sources or by one of SOURCES."""
    from kubehop.sandbox.host import Host

    return Host(_sources(source), proc=source in (None, "proc"))


def _sources(only: str | None) -> dict[str, "Callable[[], Sequence[Source]]"]:
    """What opens the sources of each kind, in order."""
    if only and only.startswith(_ONE_LAB):
        return {"lab": lambda: _labs(only.removeprefix(_ONE_LAB))}
    kinds = {"cri": _cri, "docker": _docker, "lab": _labs}
    return {kind: kinds[kind] for kind in kinds if only in (None, kind)}


def _cri() -> "Sequence[Source]":
    from kubehop.sandbox.cri import cri_sources

    return cri_sources()


def _docker() -> "Sequence[Source]":
    from kubehop.sandbox.docker.sockets import socket_paths

    if not socket_paths():
        return ()
    from kubehop.sandbox.docker.source import docker_sources

    return docker_sources()


def _labs(name: str | None = None) -> "Sequence[Source]":
    from kubehop.cli.pod.labs import lab_sources

    return lab_sources(name)
