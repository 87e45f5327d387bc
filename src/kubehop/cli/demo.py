"""`kubehop demo`: the notes' Service on the example cluster, Cluster against Local."""

import sys

import click

from kubehop.cli.common import style


@click.command("demo")
@click.option("--manifest", is_flag=True, help="Print the example's manifests instead.")
def command(manifest: bool) -> int:
    """Explain the example cluster: what externalTrafficPolicy Local changes, and for whom.

    \b
    Examples:
      kubehop demo
      kubehop demo --manifest > example.yaml
      kubehop trace pod/busybox svc/whoami:80 -f example.yaml --pod-network canal
    """
    from kubehop import example

    if manifest:
        sys.stdout.buffer.write(example.manifest())
        return 0
    from kubehop.cli.demo_story import tell

    tell(example.cluster(), style(None))
    return 0
