"""Threads for what waits for the kernel: one per core, or many where the kernel itself waits."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")

CORES = max(1, len(os.sched_getaffinity(0)))
MANY = 16


class Workers:
    """Started when first needed. Each ends what it does in the namespaces where it began."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None

    def each(
        self, do: Callable[[_Item], object], items: Sequence[_Item], threads: int = CORES
    ) -> None:
        """Do it for all items, in any order. Raises the first error once all threads are done."""
        parts = [items[n::threads] for n in range(min(threads, len(items)))]
        if self._pool is None:
            self._pool = ThreadPoolExecutor(MANY, thread_name_prefix="kernel")
        started: list[Future[None]] = [self._pool.submit(_all, do, part) for part in parts]
        errors = [error for task in started if (error := task.exception())]
        if errors:
            raise errors[0]

    def close(self) -> None:
        if self._pool:
            self._pool.shutdown()
            self._pool = None


def _all(do: Callable[[_Item], object], items: Sequence[_Item]) -> None:
    for item in items:
        do(item)
