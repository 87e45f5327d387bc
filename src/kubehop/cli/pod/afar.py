"""`kubehop pod ip NAME --context C`: for one who has the API and not the node."""

import secrets
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import click

from kubehop.cli.pod.common import split_name
from kubehop.model.errors import UsageError, printable

if TYPE_CHECKING:
    from kubehop.remote.ephemeral import Progress
    from kubehop.remote.look import Looked
    from kubehop.remote.pods import Pod
    from kubehop.remote.requests import Remote

SOURCE = "Kubernetes API"


def pod_ip_afar(
    name: str,
    *,
    namespace: str | None,
    context: str | None,
    kubeconfig: str | None,
    container: str,
    debug: bool,
    yes: bool,
    image: str,
    output: str | None,
) -> int:
    """Print what the API, and with it a program in the pod, tells of the pod's network.

    1. Its status. 2. An exec of what the image has. 3. With `debug`, an ephemeral container
    instead, after a yes. What a right is missing for is said and left out; the exit code is then
    1. Raises UsageError, ClusterError.
    """
    from kubehop.live import access
    from kubehop.remote.requests import Remote

    place, bare = split_name(name, namespace)
    if place is None:
        place = access.namespace(context=context, kubeconfig_file=kubeconfig)
    way = access.connect(context=context, kubeconfig_file=kubeconfig)
    with closing(way):
        return _answer(Remote(way), place, bare, container, debug, yes, image, output)


def _answer(
    remote: "Remote",
    namespace: str,
    name: str,
    container: str,
    debug: bool,
    yes: bool,
    image: str,
    output: str | None,
) -> int:
    from kubehop.remote.pods import read_pod
    from kubehop.remote.rights import Need, require

    require(remote, f"read pod {namespace}/{name}", (Need("get", "pods", namespace),))
    pod = read_pod(remote, namespace, name)
    _check_container(pod, container)
    looked = _by_debug(remote, pod, yes, image) if debug else _by_exec(remote, pod, container)
    _show(pod, looked, output)
    return 0 if looked.parts else 1


def _check_container(pod: "Pod", container: str) -> None:
    if container and container not in pod.running:
        known = ", ".join(pod.running) or "none"
        raise UsageError(f"pod {pod.title} has no container {container} that runs; those: {known}")


def _by_exec(remote: "Remote", pod: "Pod", container: str) -> "Looked":
    from kubehop.remote.look import Looked, look
    from kubehop.remote.rights import MissingRightsError

    try:
        return look(remote, pod, container, lambda: f"=={secrets.token_hex(8)}==")
    except MissingRightsError as error:
        return Looked({}, why=(str(error),))


def _by_debug(remote: "Remote", pod: "Pod", yes: bool, image: str) -> "Looked":
    from kubehop.remote.ephemeral import IMAGE, debug, debug_needs, refuse
    from kubehop.remote.rights import require

    refuse(pod)
    purpose = f"add an ephemeral container to pod {pod.title}"
    require(remote, purpose, debug_needs(pod.metadata.namespace))
    chosen = image or IMAGE
    _agreed(pod, chosen, yes)
    with _progress() as progress:
        return debug(remote, pod, chosen, secrets.token_hex(4), progress)


def _agreed(pod: "Pod", image: str, yes: bool) -> None:
    """Raises UsageError without a yes and without anybody to ask, Abort for a no."""
    what = (
        f"adds an ephemeral container ({image}) to pod {pod.title}: it ends by itself, but it can "
        "never be removed from the pod"
    )
    if yes:
        click.echo(printable(f"note: {what}"), err=True)
        return
    if not sys.stdin.isatty():
        raise UsageError(f"--debug {what}; --yes agrees to that")
    click.confirm(printable(f"This {what}. Go on?"), abort=True, err=True)


@contextmanager
def _progress() -> Iterator["Progress"]:
    """Rewrites a line on a terminal, says each thing once elsewhere."""
    said: set[str] = set()
    terminal = sys.stderr.isatty()

    def show(what: str) -> None:
        if terminal:
            sys.stderr.write(f"\r\x1b[K{printable(what)}")
            sys.stderr.flush()
        elif what not in said:
            click.echo(printable(what), err=True)
        said.add(what)

    try:
        yield show
    finally:
        if terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _show(pod: "Pod", looked: "Looked", output: str | None) -> None:
    from kubehop.cli.pod.afar_text import json_value, lines

    if output:
        from kubehop.cli.output import emit

        emit(json_value(pod, looked), output)
    else:
        click.echo("\n".join(lines(pod, looked)))
