"""A failing scene is made smaller, and stays one that fails."""

import json
from random import Random

import pytest

from tests.lab.differential.clusters import Scene, completed, scene
from tests.lab.differential.shrink import smaller


def services(found: Scene) -> int:
    return sum(one["kind"] == "Service" for one in found["objects"])


def test_only_what_is_needed_to_fail_is_left() -> None:
    whole = next(found for at in range(99) if services(found := scene(Random(at))) == 3)

    def fails(found: Scene) -> bool:
        return any(
            one["kind"] == "Service" and one["spec"]["ports"][0]["port"] in (53, 80)
            for one in found["objects"]
        )

    small = smaller(whole, fails)
    assert fails(small)
    assert [one["kind"] for one in small["objects"]] == ["Service"]
    assert small["options"] == {}
    assert len(json.dumps(small)) * 3 < len(json.dumps(whole))


def test_what_raises_is_not_what_fails() -> None:
    def fails(found: Scene) -> bool:
        return bool(found["objects"][2])  # IndexError with fewer than three

    whole = scene(Random(1))
    assert len(smaller(whole, fails)["objects"]) == 3


@pytest.mark.parametrize("seed", range(40))
def test_scenes_are_data_and_make_clusters(seed: int) -> None:
    found = scene(Random(seed))
    again = json.loads(json.dumps(found))
    assert completed(again) == completed(found)
    assert scene(Random(seed)) == found
