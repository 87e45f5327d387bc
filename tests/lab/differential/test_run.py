"""The harness itself: a cluster that never settles is kept like any other that fails."""

import json
from pathlib import Path

import pytest

from kubehop.lab.kernel import Base
from tests.lab.differential import stand
from tests.lab.differential.broken import Broken, alike, or_broken
from tests.lab.differential.run import WHOLE, failures_of, run
from tests.lab.inside import in_lab


@in_lab
def test_what_never_settles_is_kept(
    base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(stand, "_SECONDS", -1.0)  # no time at all for health checks
        count, found = run(base, (0, WHOLE), said.append, most=2, seconds=0)
    assert count.clusters == 0
    assert [one.seed for one in found] == [0, WHOLE]
    for one in found:
        assert "UnsettledError: health checks: None, not " in str(one)
        assert any(line.startswith(f"seed {one.seed} fails: ") for line in said)
        saved = json.loads(one.save(tmp_path).read_text())
        assert saved["seed"] == one.seed
        assert (
            failures_of(base, saved["scene"], one.seed, most=3) == []
        )  # it had no time, that's all


@in_lab
def test_it_is_made_smaller_while_it_breaks_the_same_way(
    base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stand, "_SECONDS", -1.0)
    _, (one,) = run(base, (0,), most=1, seconds=20)
    assert len(json.dumps(one.small)) < len(json.dumps(one.scene))
    assert "UnsettledError" in one.failures[0]


def test_failures_of_one_kind() -> None:
    def raising(error: Exception) -> list[str | Broken]:
        def compare() -> list[str]:
            raise error

        return or_broken(compare)

    (first,), (same,), (other,) = map(raising, (OSError("a"), OSError("b"), ValueError("a")))
    assert alike(first, same)
    assert not alike(first, other)
    assert not alike(first, "a disagreement")
    assert alike("one", "another")
    assert or_broken(lambda: ["as it is"]) == ["as it is"]
