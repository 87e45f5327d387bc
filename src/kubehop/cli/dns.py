"""`kubehop dns`: what belongs to cluster DNS itself."""

import click

from kubehop.cli.lazy import Commands, lazy_group

COMMANDS: Commands = {
    "serve": ("kubehop.cli.dns_serve", "Answer the cluster's names over UDP and TCP."),
}


@click.group("dns", cls=lazy_group(COMMANDS))
def command() -> None:
    """Cluster DNS: serve a cluster's names as its CoreDNS would.

    \b
    Example:
      kubehop dns serve -f manifests/
    """
