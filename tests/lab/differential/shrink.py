"""A scene that fails, made smaller: what can be taken away while it still fails, is."""

import copy
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.lab.differential.clusters import Scene

Place = tuple[Any, ...]
KEPT = {"kind", "metadata", "name", "addresses", "addressType", "clusterIP", "clusterIPs"}
"""What makes an object what it is."""


def smaller(scene: Scene, fails: Callable[[Scene], bool], seconds: float = 120) -> Scene:
    """The smallest scene found in `seconds`; `fails` may raise, which is not failing."""
    until = time.monotonic() + seconds
    again = True
    while again and time.monotonic() < until:
        again = False
        for place in list(_places(scene)):
            candidate = _without(scene, place)
            if time.monotonic() > until:
                break
            if candidate is not None and _fails(candidate, fails):
                scene, again = candidate, True
    return scene


def _fails(scene: Scene, fails: Callable[[Scene], bool]) -> bool:
    try:
        return fails(scene)
    except Exception:
        return False


def _places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Where something can be taken away: whole objects first, then their parts."""
    if isinstance(value, list):
        parts = [(*at, index) for index in range(len(value) - 1, -1, -1)]
    elif isinstance(value, dict):
        parts = [(*at, key) for key in value if key not in KEPT]
    else:
        return
    if at:
        yield from parts
    for part in parts:
        yield from _places(value[part[-1]], part)


def _without(scene: Scene, place: Place) -> Scene | None:
    """A copy without that part; None if it is gone already."""
    made = copy.deepcopy(scene)
    value: Any = made
    try:
        for step in place[:-1]:
            value = value[step]
        del value[place[-1]]
    except (KeyError, IndexError, TypeError):
        return None
    return made
