"""A plan as JSON: what would be done, in order, and what then listens."""

from typing import Any

import msgspec

from kubehop.lab.plan.commands import command_text
from kubehop.lab.plan.difference import difference
from kubehop.lab.plan.values import Make, Plan, Remove, Rewrite, Step


def plan_json(plan: Plan) -> dict[str, Any]:
    """A value of kind LabPlan (docs/json.md): the way from nothing to this plan."""
    return {
        "apiVersion": "kubehop/v1",
        "kind": "LabPlan",
        "steps": [_step(step) for step in difference(Plan(), plan)],
        "listeners": [msgspec.to_builtins(listener) for listener in plan.listeners],
        "nameservers": [_camel(msgspec.to_builtins(server)) for server in plan.nameservers],
        "notes": list(plan.notes),
    }


def _step(step: Step) -> dict[str, str]:
    match step:
        case Make(thing) | Remove(thing):
            named = (type(thing).__name__, thing.namespace)
        case Rewrite(sandbox):
            named = ("Sandbox", sandbox.namespace)
        case _:
            named = ("", step.namespace)
    return {
        "step": type(step).__name__.lower(),
        "thing": named[0],
        "namespace": named[1],
        "command": command_text(step),
    }


def _camel(value: dict[str, Any]) -> dict[str, Any]:
    """Fields as all of our JSON has them."""
    return {"resolvConf" if key == "resolv_conf" else key: found for key, found in value.items()}
