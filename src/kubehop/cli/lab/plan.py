"""`kubehop lab plan`: what `up` would do, or what a lab that is up consists of."""

from collections.abc import Iterator
from typing import Any

import click

from kubehop.cli.common import emit, output_option
from kubehop.cli.lab.inputs import cluster_options, following_from
from kubehop.model.errors import UsageError


@click.command("plan")
@click.option("--name", metavar="NAME", help="Of this lab, which is up, with what changed in it.")
@output_option("json", "yaml")
@cluster_options
def command(name: str | None, output: str | None, **options: Any) -> int:
    """Print the kernel commands that build a lab, as one would type them, and run none.

    \b
    Examples:
      kubehop lab plan
      kubehop lab plan -f manifests/ | grep nft
      kubehop lab plan --name default
    """
    found = _planned(options) if name is None else _standing(name, options)
    if output:
        emit(found, output)
    else:
        for line in _lines(found):
            click.echo(line)
    return 0


def _planned(options: dict[str, Any]) -> dict[str, Any]:
    from kubehop.lab.plan.build import build_plan
    from kubehop.lab.plan.listing import plan_json

    return plan_json(build_plan(following_from(options).cluster))


def _standing(name: str, options: dict[str, Any]) -> dict[str, Any]:
    from kubehop.lab.supervisor.client import ask

    if options["files"] or options["context"] or options["kubeconfig"]:
        raise UsageError("--name is a lab that is up; without it, -f and --context say what of")
    found: dict[str, Any] = ask(name, "plan")
    return found


def _lines(found: dict[str, Any]) -> Iterator[str]:
    """Commands; what has none, as comments."""
    yield from (f"# {note}" for note in found["notes"])
    yield from (step["command"] for step in found["steps"])
    for one in found["listeners"]:
        at = f"{one['address'] or 'any address'} port {one['port']}"
        yield f"# {one['namespace']}: {one['role']} on {one['protocol']} {at}"
    for one in found["nameservers"]:
        yield f"# {one['namespace']}: DNS on {', '.join(one['addresses'])} port {one['port']}"
