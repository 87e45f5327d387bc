"""A process whose root directory is another, as a container's is: its /etc is the test's."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kubehop.linux import libc


@contextmanager
def rooted(root: Path, prepare: Callable[[], object] = lambda: None) -> Iterator[int]:
    """The PID of one that waits, in mount and UTS namespaces of its own, below `root`.

    `prepare` is called in it once it is there.
    """
    said, saying = os.pipe()
    child = os.fork()
    if not child:
        try:
            libc.die_with_parent(signal.SIGKILL)
            libc.unshare(libc.NEWNS | libc.NEWUTS | libc.NEWNET)
            libc.mount("none", "/", flags=libc.MS_REC | libc.MS_PRIVATE)
            os.chroot(root)
            os.chdir("/")
            prepare()
            os.write(saying, b"!")
            signal.pause()
        finally:
            os._exit(1)
    os.close(saying)
    try:
        assert os.read(said, 1), "the process ended"
        yield child
    finally:
        os.close(said)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
