"""Every command that the README shows runs, and prints what the README says.

`KUBEHOP_UPDATE=1 pytest tests/test_readme.py` writes the output into the README.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


def run(command: str, folder: Path) -> str:
    """The output of one `kubehop ...` line, its exit code added where it is not 0."""
    words = shlex.split(command)
    assert words[0] == "kubehop"
    target = None
    if ">" in words:
        target = words[words.index(">") + 1]
        words = words[: words.index(">")]
    done = subprocess.run(
        [sys.executable, "-m", "kubehop", *words[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    if target:
        (folder / target).write_text(done.stdout)
        return ""
    return done.stdout + (f"(exit code {done.returncode})\n" if done.returncode else "")


CHANCE = re.compile(r"\b\d+ of (?=\d+\b)|after \d+\.\d+ s\b")


def masked(text: str) -> str:
    """What a lab measures and counts is another number each time."""
    return CHANCE.sub("*", text)


def played(block: str, folder: Path) -> str:
    """The block as it would look if its commands were typed now."""
    commands = [line for line in block.splitlines() if line.startswith("$ kubehop")]
    return "".join(f"{line}\n{run(line[2:], folder)}" for line in commands)


def test_readme_shows_what_the_commands_print(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text()
    shown = [block for block in BLOCK.findall(readme) if block.startswith("$ kubehop")]
    # The demo's block comes before the file that the later ones read.
    (tmp_path / "example.yaml").write_text("")
    assert shown
    for block in shown:
        now = played(block, tmp_path)
        if os.environ.get("KUBEHOP_UPDATE"):
            readme = readme.replace(block, now)
            continue
        assert masked(block) == masked(now), (
            "KUBEHOP_UPDATE=1 pytest tests/test_readme.py writes it anew"
        )
    if os.environ.get("KUBEHOP_UPDATE"):
        (ROOT / "README.md").write_text(readme)


def test_python_example_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    readme = (ROOT / "README.md").read_text()
    code = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)[0]
    example = ROOT / "src/kubehop/data/notes-cluster.yaml"
    exec(code.replace('"example.yaml"', repr(str(example))), {})
    assert "1/2 delivered 203.0.113.9" in capsys.readouterr().out
