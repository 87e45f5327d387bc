"""`kubehop pod collect`: `pod ip` of all pods of many nodes, by a Job on each."""

import os
from typing import Any

import click

from kubehop.model.errors import UsageError
from kubehop.remote.manifest import IMAGE, NAME, NAMESPACE

_FROM = ("nodes", "selector")


@click.command("collect")
@click.option("--nodes", metavar="NAME,...", help="These nodes. Default: all.")
@click.option("-l", "--selector", metavar="LABELS", help="The nodes with these labels.")
@click.option("--context", metavar="NAME", help="The kubeconfig context to use.")
@click.option("--kubeconfig", metavar="FILE", help="The kubeconfig to use.")
@click.option(
    "-n",
    "--namespace",
    default=NAMESPACE,
    show_default=True,
    metavar="NAME",
    help="Where the Jobs are made; it must admit privileged pods.",
)
@click.option("--image", default=IMAGE, show_default=True, help="An image that has kubehop.")
@click.option(
    "--service-account", default=NAME, show_default=True, metavar="NAME", help="The Jobs'."
)
@click.option("--cri-socket", metavar="PATH", help="Ask the runtime there too (root-equivalent).")
@click.option(
    "--timeout",
    type=click.IntRange(5, 3600),
    default=120,
    show_default=True,
    metavar="SECONDS",
    help="For each Job, with the pull of the image.",
)
@click.option("--dry-run", is_flag=True, help="Print the manifest, change nothing.")
@click.option(
    "--here", is_flag=True, help="Collect on this host, without a cluster: what a Job runs."
)
@click.option(
    "--node-name", metavar="NAME", help="With --here: the node's name. Default: the host's."
)
@click.option("-o", "--output", type=click.Choice(("json",)), help="JSON lines: there is no other.")
def command(here: bool, node_name: str | None, dry_run: bool, **options: Any) -> int:
    """Collect what `kubehop pod ip` tells of every pod of many nodes: JSON, one pod a line.

    A Job runs on each node, in a namespace that `deploy/collect.yaml` makes, and is removed at the
    end, whatever happens; one that could not be removed ends and goes by itself. A node that
    cannot be collected becomes a line of kind CollectFailure.

    Exit code: 0 if all nodes were collected, 1 if not, 2 for a problem.

    \b
    Examples:
      kubehop pod collect --image registry.example/kubehop:0.1 > pods.jsonl
      kubehop pod collect --nodes node-1,node-2 --dry-run
      kubehop pod collect -l node-role.kubernetes.io/control-plane=
      kubehop pod collect --here                   this host alone, needs root for all of it
    """
    if here:
        _refuse_others(options, dry_run)
        from kubehop.cli.pod.collect_here import collect_here

        return collect_here(node_name or os.uname().nodename)
    if node_name:
        raise UsageError("--node-name goes with --here")
    if options["nodes"] is not None and options["selector"]:
        raise UsageError("--nodes and -l exclude each other")
    from kubehop.cli.pod.collecting import collect, print_manifest

    return print_manifest(options) if dry_run else collect(options)


def _refuse_others(options: dict[str, Any], dry_run: bool) -> None:
    given = [name for name in ("nodes", "selector", "context", "kubeconfig") if options[name]]
    if given or dry_run:
        raise UsageError(f"--here asks no cluster: leave out --{(given or ['dry-run'])[0]}")
