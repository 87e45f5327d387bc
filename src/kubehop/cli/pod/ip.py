"""`kubehop pod ip`: a pod's network, from its host; and whose an address, id or PID is."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from kubehop.cli.output import emit, output_option
from kubehop.cli.pod.common import Chosen, chosen, pod_options

F = TypeVar("F", bound=Callable[..., Any])
EXIT_UNSEEN = 1

_AFAR = (
    click.option("--context", metavar="NAME", help="Ask the API of this kubeconfig context."),
    click.option("--kubeconfig", metavar="FILE", help="Ask the API of this kubeconfig."),
    click.option(
        "--debug",
        is_flag=True,
        help="Through the API: look by an ephemeral container, which stays until the pod ends.",
    ),
    click.option("--yes", is_flag=True, help="Do not ask before --debug adds its container."),
    click.option("--image", default="", metavar="IMAGE", help="The image for --debug."),
)


def _afar_options(function: F) -> F:
    for option in reversed(_AFAR):
        function = option(function)
    return function


@click.command("ip")
@click.argument("name")
@pod_options
@output_option("json", "yaml", "name")
@_afar_options
def command(
    name: str,
    namespace: str | None,
    container: str | None,
    source: str | None,
    output: str | None,
    **afar: Any,
) -> int:
    """A pod's network, seen from this host: interfaces as `ip addr` prints them, routes,
    resolv.conf and hosts as the container sees them, listening sockets, and the other ends of its
    interfaces on the host.

    NAME is a pod's name (NAMESPACE/NAME where there are several), an id of a container or of its
    sandbox, short or with containerd:// before it, docker's name of a container, a PID of a
    process in a container, or an address of a pod. With --context or --kubeconfig it is a pod of
    that cluster, wherever it runs.

    Exit code 1 if the pod is known and its network cannot be seen, 2 if there is no such pod.

    \b
    Examples:
      kubehop pod ip web -n shop
      kubehop pod ip 10.42.0.8                    whose is it?
      kubehop pod ip containerd://3f2a9c
      kubehop pod ip shop/web -o json
      kubehop pod ip shop/web --context prod      without being on its node
    """
    if afar["context"] or afar["kubeconfig"]:
        return _afar(name, namespace, container, source, output, afar)
    if afar["debug"]:
        raise click.UsageError("--debug asks an API: name it with --context or --kubeconfig")
    found = chosen(name, namespace, container, source)
    if output == "name":
        click.echo(_name(found))
        return 0
    return _show(found, output)


def _afar(
    name: str,
    namespace: str | None,
    container: str | None,
    source: str | None,
    output: str | None,
    afar: dict[str, Any],
) -> int:
    from kubehop.cli.pod.afar import pod_ip_afar

    if source or output == "name":
        raise click.UsageError("--source and -o name are for pods of this host")
    return pod_ip_afar(name, namespace=namespace, container=container or "", output=output, **afar)


def _name(found: Chosen) -> str:
    from kubehop.render.pods import reference

    return reference(found.sandbox)


def _show(found: Chosen, output: str | None) -> int:
    from kubehop.sandbox.files import read_files
    from kubehop.sandbox.look import look

    network = look(found.sandbox, found.processes)
    files = read_files(found.sandbox, found.processes, found.container)
    if output:
        from kubehop.render.pod_json import plain, pod_network

        value = pod_network(found.sandbox, network, files)
        container = found.container.name if found.container else None
        emit({**value, "container": container, "sources": plain(found.tried)}, output)
    else:
        from kubehop.render.pods import Pod, pod_lines

        pod = Pod(found.sandbox, found.container, network, files, found.tried)
        click.echo("\n".join(pod_lines(pod)))
    return 0 if network.interfaces else EXIT_UNSEEN
