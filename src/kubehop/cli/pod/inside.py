"""What the commands share that go into a pod: which one, its files, its network namespace."""

import click

from kubehop.cli.pod.common import Chosen
from kubehop.model.errors import printable
from kubehop.sandbox.files import read_files
from kubehop.sandbox.namespace import Namespace, open_namespace
from kubehop.sandbox.values import SHORT, Files


def files_of(pod: Chosen) -> Files:
    """Its files, or the chosen container's. What is not known is said on standard error."""
    files = read_files(pod.sandbox, pod.processes, pod.container)
    for unknown in files.unknown:
        needs = f"; needs {unknown.needs}" if unknown.needs else ""
        said = printable(f"{unknown.what} is not known: {unknown.why}{needs}")
        click.echo(f"note: {said}", err=True)
    return files


def opened(pod: Chosen) -> Namespace:
    """Its network namespace. Raises NotAllowedError, GoneError."""
    return open_namespace(pod.sandbox)


def title(pod: Chosen) -> str:
    """For people and JSON: `shop/cart`, else the id of what has no name."""
    sandbox = pod.sandbox
    if sandbox.name:
        return f"{sandbox.namespace}/{sandbox.name}" if sandbox.namespace else sandbox.name
    return sandbox.id[:SHORT] or f"process {sandbox.pid}"
