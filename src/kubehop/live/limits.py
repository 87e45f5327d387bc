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


@dataclass(frozen=True, slots=True)
class WatchLimits:
    """Every bound of following a cluster.

    A watch ends by itself after `watch_seconds`, and counts as lost when it is silent for
    `silent_seconds` more. `backoff_seconds` doubles up to `backoff_limit_seconds` while nothing
    works (client-go: 0.8 and 30). What may be listed but not watched is listed again every
    `poll_seconds`, or less often if that takes long. `line_bytes` is the longest event that is
    read (etcd stores at most 1.5 MB by default), `queue` how many changes wait to be taken,
    `join_seconds` how long later ones are waited for to go with them. `look_seconds` is the time
    between looks at whether to stop.
    """

    watch_seconds: int = 240
    silent_seconds: float = 15
    backoff_seconds: float = 0.8
    backoff_limit_seconds: float = 30
    short_seconds: float = 1
    poll_seconds: float = 10
    line_bytes: int = 16 << 20
    queue: int = 1_000
    join_seconds: float = 0.005
    look_seconds: float = 0.1


DEFAULT = Limits()
WATCH = WatchLimits()
