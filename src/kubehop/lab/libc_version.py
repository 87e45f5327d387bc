"""Which resolver programs of this machine have: that of its C library."""

import os
import re
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path

from kubehop.dns.lookup.resolvers import RESOLVERS, Resolver
from kubehop.model.errors import UsageError

_LOADERS = "ld-musl-*.so.1"


@cache
def resolver_here() -> Resolver:
    """That of the C library that this Python runs with. Raises UsageError for one not known."""
    with suppress(ValueError, OSError):
        if (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc"):
            return RESOLVERS["glibc"]
    for loader in Path("/lib").glob(_LOADERS):
        said = subprocess.run([loader], capture_output=True, text=True, check=False).stderr  # noqa: S603
        if found := re.search(r"Version (\d+)\.(\d+)\.(\d+)", said):
            major, minor, patch = map(int, found.groups())
            return RESOLVERS[musl_resolver((major, minor, patch))]
    raise UsageError("neither glibc nor musl: it is not known how programs here look names up")


def musl_resolver(version: tuple[int, int, int]) -> str:
    """The name of the resolver that a version of musl has."""
    starts = (((1, 2, 5), "musl"), ((1, 2, 4), "musl-1.2.4"), ((1, 2, 1), "musl-1.2.1"))
    return next((name for start, name in starts if version >= start), "musl-1.1.13")
