"""`kubehop snapshot`: the network's objects, to share."""

import sys
from pathlib import Path
from typing import Any

import click

from kubehop.cli.common import cluster_options, inventory_from
from kubehop.model.errors import UsageError


@click.command("snapshot")
@click.argument("file", metavar="FILE|-")
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@cluster_options
def command(file: str, force: bool, **options: Any) -> int:
    """Save what kubehop reads of a cluster, to look at later or to share with support.

    It holds no Secrets, no environment variables, no arguments of images, no annotations but
    those that decide about the network, and no ConfigMaps but `coredns` and `kube-proxy`.
    It does hold names, labels and addresses. Any command reads it again with -f.

    \b
    Examples:
      kubehop snapshot cluster.json
      kubehop snapshot - -f dump/ | gzip > cluster.json.gz
    """
    from kubehop.source.snapshot import write

    content = write(inventory_from(options))
    if file == "-":
        sys.stdout.buffer.write(content)
        return 0
    path = Path(file)
    try:
        with path.open("wb" if force else "xb") as out:
            out.write(content)
    except FileExistsError as error:
        raise UsageError(f"{file} exists: --force replaces it") from error
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from error
    click.echo(f"wrote {file}: {len(content):,} bytes", err=True)
    return 0
