"""`kubehop lab status`: what stands."""

import click

from kubehop.cli.common import emit, output_option, style
from kubehop.cli.lab.common import name_option


@click.command("status")
@name_option
@output_option("wide", "json", "yaml", "name")
def command(name: str, output: str | None) -> int:
    """What stands in a lab: nodes, pods with their addresses and the PID of the pause process
    that holds each one's namespaces, Services, DNS servers, faults.

    \b
    Examples:
      kubehop lab status
      kubehop lab status -o json
      sudo nsenter --net --target PID ip addr        a PID of a pod, as status shows it
      nsenter --user --preserve-credentials --net --target PID ip addr     the same, rootless
    """
    from kubehop.lab.supervisor.client import ask

    found = ask(name, "status")
    if output in ("json", "yaml"):
        emit(found, output)
        return 0
    if output == "name":
        for pod in found["pods"]:
            click.echo(f"pod/{pod['namespace']}/{pod['name']}")
        return 0
    from kubehop.cli.lab.status_text import status_text

    click.echo(status_text(found, style(output)), nl=False)
    return 0
