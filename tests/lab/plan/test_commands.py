"""Steps as a person would type them."""

import subprocess
from pathlib import Path

import pytest

from kubehop.example import cluster as example
from kubehop.lab.plan.build import build_plan
from kubehop.lab.plan.commands import command_text, netns
from kubehop.lab.plan.difference import difference
from kubehop.lab.plan.values import (
    Address,
    ForgetFlows,
    Make,
    Nft,
    Plan,
    Remove,
    Rewrite,
    Route,
    RouteKind,
    Sandbox,
    Step,
    Sysctl,
    Veth,
)
from tests.lab.inside import become, NOBODY  # noqa: F401, I001
