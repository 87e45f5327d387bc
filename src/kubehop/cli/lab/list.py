"""`kubehop lab list`: the labs that are up."""

from typing import Any

import click

from kubehop.cli.common import emit, output_option, style


@click.command("list")
@output_option("json", "yaml", "name")
def command(output: str | None) -> int:
    """The labs that are up, and how large each is.

    \b
    Examples:
      kubehop lab list
      kubehop lab list -o name
    """
    from kubehop.lab.supervisor.place import names

    found = names()
    if output == "name":
        for name in found:
            click.echo(name)
        return 0
    labs = [_known(name) for name in found]
    if output:
        emit({"apiVersion": "kubehop/v1", "kind": "LabList", "items": labs}, output)
        return 0
    from kubehop.cli.lab.status_text import list_text

    click.echo(list_text(labs, style(None)), nl=False)
    return 0


def _known(name: str) -> dict[str, Any]:
    """What it says of itself; one that is ending says nothing any more."""
    from kubehop.lab.supervisor.client import ask
    from kubehop.model.errors import KubehopError

    try:
        found = ask(name, "status")
    except KubehopError as error:
        return {"name": name, "problem": str(error)}
    kinds = ("nodes", "pods", "services", "faults")
    counts = {kind: len(found[kind]) for kind in kinds}
    return {"name": name, "started": found["started"]} | counts
