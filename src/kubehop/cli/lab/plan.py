"""`kubehop lab plan`: what `up` would do."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from kubehop.cli.common import emit, output_option
from kubehop.cli.lab.inputs import cluster_options, following_from

if TYPE_CHECKING:
    from kubehop.lab.plan.values import Plan, Step


@click.command("plan")
@output_option("json", "yaml")
@cluster_options
def command(output: str | None, **options: Any) -> int:
    """Print the kernel commands that build a lab, as one would type them, and run none.

    \b
    Examples:
      kubehop lab plan
      kubehop lab plan -f manifests/ | grep nft
    """
    from kubehop.lab.plan.build import build_plan
    from kubehop.lab.plan.difference import difference
    from kubehop.lab.plan.values import Plan

    plan = build_plan(following_from(options).cluster)
    steps = difference(Plan(), plan)
    if output:
        emit(_as_json(plan, steps), output)
    else:
        _print(plan, steps)
    return 0


def _print(plan: "Plan", steps: "Sequence[Step]") -> None:
    from kubehop.lab.plan.commands import command_text

    for note in plan.notes:
        click.echo(f"# {note}")
    for step in steps:
        click.echo(command_text(step))
    for listener in plan.listeners:
        at = f"{listener.address or 'any address'} port {listener.port}"
        click.echo(f"# {listener.namespace}: {listener.role} on {listener.protocol} {at}")
    for server in plan.nameservers:
        at = f"{', '.join(server.addresses)} port {server.port}"
        click.echo(f"# {server.namespace}: DNS server on {at}")


def _as_json(plan: "Plan", steps: "Sequence[Step]") -> dict[str, Any]:
    import msgspec

    from kubehop.lab.plan.commands import command_text

    return {
        "apiVersion": "kubehop/v1",
        "kind": "LabPlan",
        "steps": [_step(step) | {"command": command_text(step)} for step in steps],
        "listeners": [msgspec.to_builtins(listener) for listener in plan.listeners],
        "nameservers": [_camel(msgspec.to_builtins(server)) for server in plan.nameservers],
        "notes": list(plan.notes),
    }


def _step(step: "Step") -> dict[str, Any]:
    """What is done to what: `{"step": "make", "thing": "Veth", "namespace": "fabric"}`."""
    from kubehop.lab.plan.values import Make, Remove, Rewrite

    match step:
        case Make(thing) | Remove(thing):
            named = (type(thing).__name__, thing.namespace)
        case Rewrite(sandbox):
            named = ("Sandbox", sandbox.namespace)
        case _:
            named = ("", step.namespace)
    return {"step": type(step).__name__.lower(), "thing": named[0], "namespace": named[1]}


def _camel(value: dict[str, Any]) -> dict[str, Any]:
    """Fields as all of our JSON has them."""
    return {"resolvConf" if key == "resolv_conf" else key: found for key, found in value.items()}
