"""`kubehop lab set`: a pod's condition."""

import click

from kubehop.cli.lab.common import name_option, namespace_option, told


@click.command("set")
@click.argument("word", metavar="ready|not-ready|terminating")
@click.argument("pod", metavar="POD")
@namespace_option
@name_option
def command(word: str, pod: str, namespace: str, name: str) -> int:
    """Set a pod ready or not, or terminating. EndpointSlices follow, and so do the rules.

    \b
    Examples:
      kubehop lab set not-ready whoami-1
      kubehop lab set terminating example-1
    """
    from kubehop.lab.supervisor.client import ask

    told(ask(name, "set", word=word, pod=pod.removeprefix("pod/"), namespace=namespace))
    return 0
