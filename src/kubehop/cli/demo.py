"""`kubehop demo`: the notes' questions, in a lab with real packets."""

import os
import sys
import time

import click

from kubehop.cli.common import style
from kubehop.model.errors import ClusterError, UsageError


@click.command("demo")
@click.option("--manifest", is_flag=True, help="Print the example's manifests instead.")
@click.option("--predict", is_flag=True, help="Explain only: no lab, no packets.")
def command(manifest: bool, predict: bool) -> int:
    """Build a lab of the example cluster, answer the field notes' questions in it, each predicted
    and observed, and take it away again. Where this machine forbids labs the questions are
    explained only.

    \b
    Examples:
      kubehop demo
      kubehop demo --predict
      kubehop demo --manifest > example.yaml
      kubehop trace pod/busybox svc/whoami:80 -f example.yaml --pod-network canal
    """
    from kubehop import example

    if manifest:
        sys.stdout.buffer.write(example.manifest())
        return 0
    if predict:
        _predicted()
        return 0
    return _in_a_lab(f"demo-{os.getpid()}")


def _in_a_lab(name: str) -> int:
    from kubehop import example
    from kubehop.cli.demo_story import tell
    from kubehop.lab.plan.inputs import begin
    from kubehop.lab.supervisor.client import down
    from kubehop.lab.supervisor.start import start
    from kubehop.source.read import read
    from kubehop.workload.options import Options

    begun = time.monotonic()
    inventory = read([(example.NAME, example.manifest())])
    try:
        started = start(
            name, begin(inventory, Options(pod_network="canal")), lambda _: None, bound=True
        )
    except (UsageError, ClusterError) as error:
        click.echo(f"no lab, so all is only explained: {error}\n", err=True)
        _predicted()
        return 0
    started.leave()
    try:
        tell(name, started.status, time.monotonic() - begun)
    finally:
        down(name)
    click.echo("The lab is down, and nothing of it is left. `kubehop lab up` makes one to stay.")
    return 0


def _predicted() -> None:
    from kubehop import example
    from kubehop.cli.demo_predicted import tell

    tell(example.cluster(), style(None))
