"""The query log of `kubehop dns serve`, on whatever standard output is."""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from kubehop.dnsserver.log import Logged
from kubehop.model.errors import printable


class QueryLog:
    """A line for each query. Whoever reads them may leave, and a disk be full: the server
    answers all the same, and says once that there is no log any more."""

    def __init__(self, out: TextIO, report: Callable[[str], None]) -> None:
        self._out, self._report, self._ended = out, report, False

    def write(self, entry: Logged) -> None:
        """Print a line; never raises."""
        if self._ended:
            return
        try:
            self._out.write(f"{printable(str(entry))}\n")
            self._out.flush()
        except (OSError, ValueError) as error:
            self._ended = True
            reason = error.strerror if isinstance(error, OSError) else None
            self._report(f"the log ends: {reason or error}")
            # What is left in the buffer would be tried again at exit.
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())
