"""What a lab was told and what came of it: the last lines, in memory."""

import traceback
from collections import deque
from datetime import UTC, datetime

from kubehop.lab.supervisor.messages import Message
from kubehop.model.errors import printable

LINES, WIDTH = 200, 500
_UNTOLD = frozenset({"status", "enter", "plan", "snapshot", "trace"})
"""Orders that change nothing: only their failures are of interest."""


class Log:
    """Any thread may write."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=LINES)

    @property
    def lines(self) -> list[str]:
        """The last ones, oldest first."""
        return list(self._lines)

    def order(self, order: Message, reply: Message) -> None:
        """Note an order and its reply."""
        do, error = str(order.get("do")), reply.get("error")
        if error is None and do in _UNTOLD:
            return
        words = [str(value) for key, value in order.items() if key not in ("do", "files")]
        words += [str(file[0]) for file in order.get("files", ()) if isinstance(file, list)]
        told = reply.get("result") or ["nothing to change"]
        came = f"error: {error}" if error else "; ".join(map(str, told))
        self.say(f"{' '.join(filter(None, (do, *words)))}: {came}")

    def failure(self, error: BaseException) -> None:
        """Note an error that nobody foresaw, and where it was raised."""
        frames = traceback.extract_tb(error.__traceback__)
        where = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
        self.say(f"{type(error).__name__}: {error} in {where}")

    def say(self, line: str) -> None:
        """Note a line, with the time."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._lines.append(printable(f"{now} {line}")[:WIDTH])
