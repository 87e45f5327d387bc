"""`kubehop lab apply`: the lab follows manifests."""

import base64

import click

from kubehop.cli.lab.common import (
    end_progress,
    name_option,
    namespace_option,
    show_progress,
    told,
)


def contents(paths: tuple[str, ...]) -> list[tuple[str, str]]:
    """Names and contents, base64, of what `paths` mean."""
    from kubehop.files import read_paths

    return [(name, base64.b64encode(found).decode()) for name, found in read_paths(list(paths))]


FILES = click.option(
    "-f",
    "--filename",
    "files",
    multiple=True,
    metavar="FILE|DIR|-",
    help="Manifests; repeatable.",
)


@click.command("apply")
@FILES
@namespace_option
@name_option
def command(files: tuple[str, ...], namespace: str, name: str) -> int:
    """Apply manifests, as `kubectl apply` does: new objects, or instead of those of their name.
    Controllers make what follows from them; only what has to change does, and is told.

    \b
    Examples:
      kubehop lab apply -f web.yaml
      kubehop demo --manifest | sed s/Local/Cluster/ | kubehop lab apply -f -
    """
    from kubehop.lab.supervisor.client import ask
    from kubehop.model.errors import UsageError

    if not files:
        raise UsageError("what is to be applied? -f FILE")
    try:
        told(ask(name, "apply", show_progress, files=contents(files), namespace=namespace))
    finally:
        end_progress()
    return 0
