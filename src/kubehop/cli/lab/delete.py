"""`kubehop lab delete`: objects go, and the lab follows."""

import click

from kubehop.cli.lab.apply import FILES, contents
from kubehop.cli.lab.common import name_option, namespace_option, told
from kubehop.cli.lab.kinds import object_named


@click.command("delete")
@click.argument("words", nargs=-1, metavar="[KIND NAME]")
@FILES
@namespace_option
@name_option
def command(words: tuple[str, ...], files: tuple[str, ...], namespace: str, name: str) -> int:
    """Delete objects, as `kubectl delete` does: a workload's pod is replaced by a new one, a
    workload takes its pods with it, a node the pods on it.

    \b
    Examples:
      kubehop lab delete pod whoami-1
      kubehop lab delete deploy/example
      kubehop lab delete -f web.yaml
    """
    from kubehop.lab.supervisor.client import ask
    from kubehop.model.errors import UsageError

    if bool(words) == bool(files):
        raise UsageError("what is to be deleted? either KIND NAME or -f FILE")
    if files:
        told(ask(name, "delete", files=contents(files), namespace=namespace))
        return 0
    kind, where, called = object_named(words, namespace)
    told(ask(name, "delete", kind=kind, namespace=where, name=called))
    return 0
