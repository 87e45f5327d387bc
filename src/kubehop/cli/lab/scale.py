"""`kubehop lab scale`: more pods, or fewer."""

import click

from kubehop.cli.lab.common import name_option, namespace_option, told
from kubehop.cli.lab.kinds import object_named


@click.command("scale")
@click.argument("words", nargs=-1, required=True, metavar="KIND/NAME")
@click.option("--replicas", type=click.IntRange(0), required=True, metavar="N", help="How many.")
@namespace_option
@name_option
def command(words: tuple[str, ...], replicas: int, namespace: str, name: str) -> int:
    """Change how many pods a Deployment, ReplicaSet or StatefulSet has.

    \b
    Example:
      kubehop lab scale deployment/whoami --replicas 5
    """
    from kubehop.lab.supervisor.client import ask

    kind, where, called = object_named(words, namespace)
    told(ask(name, "scale", kind=kind, namespace=where, name=called, replicas=replicas))
    return 0
