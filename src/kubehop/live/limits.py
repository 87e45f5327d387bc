"""How long and how often a cluster is asked before it counts as not answering."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Every bound of a fetch; nothing waits or repeats without one of them.

    `backoff_seconds` doubles with each attempt. A server that asks for more than
    `wait_seconds` of patience is given up. `pages` bounds a list whose `continue` never ends.
    """

    connect_seconds: float = 5
    read_seconds: float = 60
    attempts: int = 4
    backoff_seconds: float = 0.2
    wait_seconds: float = 30
    page_size: int = 500
    pages: int = 2_000
    restarts: int = 3
    workers: int = 4


DEFAULT = Limits()
