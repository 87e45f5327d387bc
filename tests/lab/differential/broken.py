"""A scene whose lab does not come up, never settles, or cannot be asked: a failure like others."""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

F = TypeVar("F")


@dataclass(frozen=True)
class Broken:
    """What was raised, by the name of its class, and where."""

    kind: str
    where: str

    def __str__(self) -> str:
        return self.where


def or_broken(compare: Callable[[], Sequence[F]]) -> list[F | Broken]:
    """What it finds; what it raises, as the one failure."""
    try:
        return list(compare())
    except Exception as error:
        return [Broken(type(error).__name__, "".join(traceback.format_exception(error)))]


def alike(one: object, other: object) -> bool:
    """Whether two failures are of one kind: disagreements, or the same exception.

    A scene made smaller may break in many ways; that is not what failed.
    """
    return _kind(one) == _kind(other)


def _kind(failure: object) -> str:
    return failure.kind if isinstance(failure, Broken) else ""
