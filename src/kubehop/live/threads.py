"""A few requests at a time, without ever waiting for a request that hangs."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")

Grown = Callable[[int], None]
Task = Callable[[Grown], T]


@dataclass(frozen=True, slots=True)
class _Done(Generic[T]):
    value: T


def gather(
    tasks: Mapping[str, Task[T]], workers: int, progress: Callable[[str, int], None]
) -> dict[str, T]:
    """The results of all tasks; `progress(name, number)` is called in the caller's thread.

    Raises the first error of a task or of `progress`, and does not wait for the other tasks:
    their threads are daemons, so that Ctrl-C ends the program while a server is silent.
    """
    todo: SimpleQueue[tuple[str, Task[T]]] = SimpleQueue()
    events: SimpleQueue[tuple[str, int | Exception | _Done[T]]] = SimpleQueue()
    for item in tasks.items():
        todo.put(item)

    def run(name: str, task: Task[T]) -> None:
        events.put((name, _outcome(task, lambda number: events.put((name, number)))))

    def work() -> None:
        with suppress(Empty):
            while True:
                run(*todo.get_nowait())

    for _ in range(workers):
        Thread(target=work, daemon=True, name="kubehop-fetch").start()
    results: dict[str, T] = {}
    while len(results) < len(tasks):
        name, event = events.get()
        match event:
            case _Done(value):
                results[name] = value
            case Exception():
                raise event
            case _:
                progress(name, event)
    return results


def _outcome(task: Task[T], grown: Grown) -> _Done[T] | Exception:
    try:
        return _Done(task(grown))
    except Exception as error:
        return error
