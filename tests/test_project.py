"""Habits of the project that no other tool checks. All cheap: they only read files."""

import ast
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "kubehop"
MAX_LINES = 400

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PIN = re.compile(r"^([a-z0-9-]+)==([^ ;\\]+)(?: ; [^\\]+)? \\$", re.MULTILINE)


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def pins(lock: str) -> dict[str, str]:
    return dict(PIN.findall((ROOT / "requirements" / lock).read_text()))


def group(name: str) -> Iterator[Requirement]:
    """The requirements of a dependency group and of the groups that it includes."""
    for entry in PROJECT["dependency-groups"][name]:
        if isinstance(entry, str):
            yield Requirement(entry)
        else:
            yield from group(entry["include-group"])


# Code


@pytest.mark.parametrize("folder", sorted({p.parent for p in PACKAGE.rglob("*.py")}), ids=relative)
def test_every_package_says_its_job(folder: Path) -> None:
    init = folder / "__init__.py"
    assert init.exists(), f"{relative(folder)} has modules but no __init__.py"
    assert ast.get_docstring(ast.parse(init.read_text())), f"{relative(init)} has no docstring"


def test_no_source_file_is_too_long() -> None:
    sources = (p for top in ("src", "tests", "benchmarks") for p in (ROOT / top).rglob("*.py"))
    lines = {relative(path): len(path.read_text().splitlines()) for path in sources}
    assert {path: n for path, n in lines.items() if n > MAX_LINES} == {}


def test_the_package_says_that_it_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()


@pytest.mark.parametrize("script", [*(ROOT / "scripts").iterdir(), ROOT / ".ci/run"], ids=relative)
def test_scripts_stop_at_the_first_error(script: Path) -> None:
    assert os.access(script, os.X_OK), f"chmod +x {relative(script)}"
    text = script.read_text()
    assert text.startswith("#!/usr/bin/env bash\n# "), "first bash, then what the script is for"
    assert "\nset -euo pipefail\n" in text


# Words about the project


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_make_targets_that_a_page_names_exist(page: str) -> None:
    # Only in code: a sentence may well "make sure".
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", (ROOT / page).read_text(), re.DOTALL))
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", code))
    exist = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named, f"{page} does not say how to start"
    assert named <= exist


def test_changelog_knows_the_version() -> None:
    headings = re.findall(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] in ("Unreleased", PROJECT["project"]["version"])


# Locked dependencies


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("run.txt", [Requirement(text) for text in PROJECT["project"]["dependencies"]]),
        ("build.txt", [Requirement(text) for text in PROJECT["build-system"]["requires"]]),
        ("build.txt", list(group("build"))),
        ("dev.txt", list(group("dev"))),
    ],
    ids=["run", "build-system", "build", "dev"],
)
def test_lock_holds_every_direct_dependency(lock: str, wanted: list[Requirement]) -> None:
    locked = pins(lock)
    for requirement in wanted:
        version = locked.get(canonicalize_name(requirement.name))
        assert version, f"{requirement} is not in requirements/{lock}: make lock"
        assert requirement.specifier.contains(version), (
            f"{requirement}, locked {version}: make lock"
        )


@pytest.mark.parametrize("lock", ["run.txt", "build.txt"])
def test_locks_agree(lock: str) -> None:
    assert pins(lock).items() <= pins("dev.txt").items()


@pytest.mark.parametrize("lock", LOCKS, ids=relative)
def test_lock_is_hashed_and_names_no_host(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text, "a lock works with any index: it names none"
    requirements = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(requirements) == len(pins(lock.name)), "a line that is not a pin"
    assert [r.split()[0] for r in requirements if "--hash=sha256:" not in r] == []
