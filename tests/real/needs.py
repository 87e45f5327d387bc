"""What a test needs from the machine: where it is absent the test is skipped and says so."""

import os
import shutil
from typing import NoReturn

import pytest


def lacks(what: str, *, in_ci: bool = True) -> NoReturn:
    """Skip with "needs ..."; in CI, which has it all (unless `in_ci` is false), fail."""
    if in_ci and os.environ.get("CI"):
        pytest.fail(f"needs {what}")
    pytest.skip(f"needs {what}", allow_module_level=True)


def program(name: str, package: str) -> str:
    """The path of a program that a Debian package brings (scripts/system installs it for root)."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    return path or lacks(f"{name} (Debian package {package})")
