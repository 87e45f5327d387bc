"""Faults of the program itself: noted, and survived, as CoreDNS recovers from panics."""

import traceback

MOST_SHOWN = 10
"""Faults that are written to stderr; the same one may come with every query."""


class Faults:
    """Counts what went wrong that must not."""

    def __init__(self) -> None:
        self.count = 0

    def note(self, error: Exception) -> None:
        """Count a fault; called while it is handled."""
        self.count += 1
        if self.count <= MOST_SHOWN:
            traceback.print_exception(error)
