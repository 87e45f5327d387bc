"""`kubehop`, also `kubectl hop`: the way in, guarded from the first moment.

Nearly all of a short command's time goes into imports. So this file imports nothing that Python has
not read already, and Ctrl-C ends kubehop quietly while it reads the rest.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

EXIT_INTERRUPTED = 130
_SOON = 0.001
"""Seconds until an interrupt that was lost comes again: then Python is elsewhere."""


def main() -> None:
    """The console entry point; exits with the command's code, 2 for any problem."""
    try:
        _interrupts_end_us()
        from kubehop.cli.command_line import run

        _interrupts_are_raised()
        code = run(sys.argv[1:])
        _interrupts_end_us()
    except KeyboardInterrupt:
        _end()
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; problems go to standard error."""
    from kubehop.cli.command_line import run

    return run(arguments)


def _interrupts_end_us() -> None:
    """While there is nothing to clean up, nor any more.

    An exception would not do: it may come where Python can only print it. Whoever started us, or
    the command, may have had the signal ignored: then it stays so.
    """
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def _interrupts_are_raised() -> None:
    """As Python does."""
    import signal

    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.unraisablehook = _again


def _again(lost: "Any") -> None:
    """Where an interrupt comes in a callback of the import system, Python prints and forgets it."""
    import _thread

    if isinstance(lost.exc_value, KeyboardInterrupt):
        _thread.start_new_thread(_interrupt_soon, ())
    else:
        sys.__unraisablehook__(lost)


def _interrupt_soon() -> None:
    import signal
    import time

    time.sleep(_SOON)
    os.kill(os.getpid(), signal.SIGINT)


def _end(*_: object) -> "NoReturn":
    os._exit(EXIT_INTERRUPTED)
