"""`kubehop pod ip`: a pod's network, from its host; and whose an address, id or PID is."""

import click

from kubehop.cli.common import emit, output_option
from kubehop.cli.pod.common import chosen, pod_options

EXIT_UNSEEN = 1


@click.command("ip")
@click.argument("name")
@pod_options
@output_option("json", "yaml", "name")
def command(
    name: str,
    namespace: str | None,
    container: str | None,
    source: str | None,
    output: str | None,
) -> int:
    """A pod's network, seen from this host: interfaces as `ip addr` prints them, routes,
    resolv.conf and hosts as the container sees them, listening sockets, and the other ends of its
    interfaces on the host.

    NAME is a pod's name (NAMESPACE/NAME where there are several), an id of a container or of its
    sandbox, short or with containerd:// before it, docker's name of a container, a PID of a
    process in a container, or an address of a pod.

    Exit code 1 if the pod is known and its network cannot be seen, 2 if there is no such pod.

    \b
    Examples:
      kubehop pod ip web -n shop
      kubehop pod ip 10.42.0.8                    whose is it?
      kubehop pod ip containerd://3f2a9c
      kubehop pod ip shop/web -o json
    """
    found = chosen(name, namespace, container, source)
    if output == "name":
        where = f"{found.sandbox.namespace}/" if found.sandbox.namespace else ""
        click.echo(f"pod/{where}{found.sandbox.name}" if found.sandbox.name else found.sandbox.id)
        return 0
    from kubehop.render.pods import Pod, pod_lines
    from kubehop.sandbox.files import read_files
    from kubehop.sandbox.look import look

    network = look(found.sandbox, found.processes)
    files = read_files(found.sandbox, found.processes, found.container)
    pod = Pod(found.sandbox, found.container, network, files, found.tried)
    if output:
        from kubehop.render.pods_json import pod_network

        emit(pod_network(pod), output)
    else:
        click.echo("\n".join(pod_lines(pod)))
    return 0 if network.interfaces else EXIT_UNSEEN
