"""The demo does what it says that it does."""

import subprocess

from kubehop import example
from kubehop.cli.demo_story import STEPS, with_policy_cluster


def test_the_changed_manifest_is_what_the_shown_pipeline_makes() -> None:
    (shown,) = (step.typed for step in STEPS if "sed" in step.typed)
    command = shown.split(" | ")[1]
    made = subprocess.run(
        ["sh", "-c", command], input=example.manifest(), capture_output=True, check=True
    ).stdout
    assert made == with_policy_cluster()
    assert b"externalTrafficPolicy: Cluster" in made
