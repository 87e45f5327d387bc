"""What is wrong at the moment: said once when it begins, once when it is over."""

import threading
from collections import Counter
from collections.abc import Callable


class Troubles:
    """One trouble at most for each name; several names may have the same one."""

    def __init__(self, report: Callable[[str], None]) -> None:
        """`report` gets one line a call, from whichever thread has the trouble."""
        self._report = report
        self._lock = threading.Lock()
        self._lines: dict[str, str] = {}
        self._told: Counter[str] = Counter()

    def begin(self, name: str, line: str) -> None:
        with self._lock:
            if self._lines.get(name) == line:
                return
            self._end(name)
            self._lines[name] = line
            self._told[line] += 1
            if self._told[line] == 1:
                self._report(line)

    def end(self, name: str) -> None:
        with self._lock:
            self._end(name)

    def _end(self, name: str) -> None:
        line = self._lines.pop(name, None)
        if line is None:
            return
        self._told[line] -= 1
        if not self._told[line]:
            del self._told[line]
            self._report(f"over: {line}")
