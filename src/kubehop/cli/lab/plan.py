"""`kubehop lab plan`: what `up` would do."""

from typing import Any

import click

from kubehop.cli.common import cluster_options


@click.command("plan")
@cluster_options
def command(**options: Any) -> int:
    """Print the kernel commands that build a lab, as one would type them, and run none.

    \b
    Examples:
      kubehop lab plan
      kubehop lab plan -f manifests/ | grep nft
    """
    from kubehop.cli.lab.inputs import following_from
    from kubehop.lab.plan.build import build_plan
    from kubehop.lab.plan.commands import command_text
    from kubehop.lab.plan.difference import difference
    from kubehop.lab.plan.values import Plan

    plan = build_plan(following_from(options).cluster)
    for note in plan.notes:
        click.echo(f"# {note}")
    for step in difference(Plan(), plan):
        click.echo(command_text(step))
    return 0
