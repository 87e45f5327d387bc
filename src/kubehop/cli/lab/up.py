"""`kubehop lab up`: build a lab."""

import signal
from typing import Any

import click

from kubehop.cli.common import style
from kubehop.cli.lab.common import DEFAULT, end_progress, name_option, show_progress
from kubehop.cli.lab.inputs import cluster_options, following_from


@click.command("up")
@click.option("--foreground", is_flag=True, help="Stay until Ctrl-C, and take the lab down then.")
@name_option
@cluster_options
def command(foreground: bool, name: str, **options: Any) -> int:
    """Build a cluster's network on this machine: of the field notes without -f, of manifests, a
    dump or a snapshot with it, of a live cluster with --context (which is only read).

    Needs no root: user namespaces. Works as an ordinary user and as root; the machine's own
    network is not touched. It lives in the background until `kubehop lab down`.

    \b
    Examples:
      kubehop lab up
      kubehop lab up -f manifests/ --nodes 5 --name shop
      kubehop lab up --foreground
    """
    from kubehop.lab.supervisor.place import checked
    from kubehop.lab.supervisor.start import start

    checked(name)
    following = following_from(options)
    try:
        started = start(name, following, show_progress, bound=foreground)
    finally:
        end_progress()
    try:
        _say(started.status, name)
        if foreground:
            click.echo("Ctrl-C takes it down", err=True)
            started.wait()
            return 0
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # too late: it is up, and that is said
    except KeyboardInterrupt:
        started.end()
        if not foreground:
            raise
    else:
        started.leave()
    return 0


def _say(found: dict[str, Any], name: str) -> None:
    from kubehop.cli.lab.status_text import built_text

    click.echo(built_text(found, style(None), "" if name == DEFAULT else name), nl=False)
