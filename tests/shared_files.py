"""Files that the project shares beside its repository: real inputs, cases, references."""

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"


def shared(path: str) -> Path:
    """A shared file or folder; where it is absent the test is skipped, but fails in CI."""
    found = SHARED / path
    if not found.exists():
        needs = f"needs ../shared/{path}, the project's shared files beside the repository"
        assert not os.environ.get("CI"), needs
        pytest.skip(needs, allow_module_level=True)
    return found
