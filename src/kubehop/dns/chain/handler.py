"""What a plugin is to the chain."""

import enum
from collections.abc import Callable, Iterator
from typing import Protocol

from kubehop.dns.chain.values import Answering, Asked, Serve
from kubehop.dns.message import Question

MAX_DEPTH = 16
"""How often the server may ask itself for one query; CoreDNS runs out of sockets some time."""

Rest = Callable[[Asked, float], Serve]
"""The plugins after this one."""

Ask = Callable[[Asked, float], Answering]
"""The whole server again: server block, plugins, reply."""


class Settles(enum.Enum):
    """What a plugin does to a question, as far as the question alone tells."""

    PASSES = "the next plugin decides"
    FIXED = "answers from what it knows of this name, and nothing else"
    VARIES = "depends on who asks, when, on upstreams or on other names"


class Handler(Protocol):
    """A plugin at work; `now` is in seconds of a clock that only goes forward."""

    def serve(self, asked: Asked, now: float, rest: Rest) -> Serve:
        """Answer, change what `rest` is asked or says, or hand the query on."""

    def settles(self, question: Question, name: str) -> Settles:
        """`name` is the folded name of the question."""


def through(handlers: tuple[Handler, ...], question: Question, name: str) -> Settles:
    """What the first plugin that does anything to a question does."""
    found: Iterator[Settles] = (handler.settles(question, name) for handler in handlers)
    return next((s for s in found if s is not Settles.PASSES), Settles.FIXED)
