"""Progress of long work: a line that is rewritten on a terminal, nothing in a pipe."""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator

Progress = Callable[[str, int], None]


@contextlib.contextmanager
def showing_progress() -> Iterator[Progress | None]:
    """A callback (kind, objects so far) while the work goes on; None if nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    counts: dict[str, int] = {}
    lock = threading.Lock()

    def show(kind: str, count: int) -> None:
        with lock:
            counts[kind] = count
            total = sum(counts.values())
            sys.stderr.write(f"\r\x1b[Kreading {kind}: {total:,} objects")
            sys.stderr.flush()

    try:
        yield show
    finally:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
