"""Several machines at the same time, as goroutines and parallel queries run."""

from collections.abc import Generator
from typing import TypeVar

from kubehop.dns.lookup.protocol import Ask, Heard, Query

T = TypeVar("T")
Part = Generator[Ask, Heard, T]


def together(parts: list[Part[T]]) -> Generator[Ask, Heard, list[T]]:
    """Run all parts to their end; their results in the order in which they ended.

    A part is woken by what comes for its own queries and at its own time. What still comes for
    the queries of a part that has ended is not heard: its socket is closed.
    """
    done: list[T] = []
    owner: dict[int, int] = {}
    until: dict[int, float] = {}
    sending: list[Query] = []

    def advance(index: int, heard: Heard | None) -> None:
        try:
            ask = next(parts[index]) if heard is None else parts[index].send(heard)
        except StopIteration as end:
            done.append(end.value)
            until.pop(index, None)
            return
        until[index] = ask.until
        owner.update((id(query), index) for query in ask.queries)
        sending.extend(ask.queries)

    for index in range(len(parts)):
        advance(index, None)
    while until:
        heard = yield Ask(tuple(sending), min(until.values()))
        sending.clear()
        if heard.query is not None:
            index = owner.get(id(heard.query), -1)
            if index in until:
                advance(index, heard)
            continue
        for index in [i for i, when in until.items() if when <= heard.now]:
            advance(index, heard)
    return done
