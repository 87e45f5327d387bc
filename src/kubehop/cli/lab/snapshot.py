"""`kubehop lab snapshot`: the lab's cluster as a file."""

import base64
import sys
from pathlib import Path

import click

from kubehop.cli.lab.common import name_option


@click.command("snapshot")
@click.argument("file", metavar="FILE|-")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@name_option
def command(file: str, force: bool, name: str) -> int:
    """Save the cluster that stands in a lab, with the addresses that everything has there: what
    `kubehop trace -f FILE` then predicts is what the lab does.

    \b
    Examples:
      kubehop lab snapshot lab.json
      kubehop lab snapshot - | kubehop service example-service -f - --pod-network canal
    """
    from kubehop.lab.supervisor.client import ask
    from kubehop.model.errors import UsageError

    content = base64.b64decode(ask(name, "snapshot")["content"])
    if file == "-":
        sys.stdout.buffer.write(content)
        return 0
    try:
        with Path(file).open("wb" if force else "xb") as out:
            out.write(content)
    except FileExistsError:
        raise UsageError(f"{file} exists; --force writes over it") from None
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from error
    return 0
