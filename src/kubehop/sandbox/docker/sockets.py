"""Where dockerd listens."""

import os
import stat

PLACES = ("run/docker.sock", "var/run/docker.sock")
"""Below a root; the second is the first, where /var/run is what it should be."""
_UNIX = "unix://"


def socket_paths(root: str = "/") -> list[str]:
    """Those that exist, in order, each once.

    $DOCKER_HOST is taken at its word where it names a unix socket, there or not (another machine's
    daemon tells nothing of this host). Then come `PLACES` below `root`, and the one of this user
    without root ($XDG_RUNTIME_DIR/docker.sock). The environment counts only if `root` is our own.
    """
    given, rootless = _from_environment() if root == "/" else ("", "")
    found = {(0, 0): given} if given and _identity(given, root) is None else {}
    for path in (given, *(os.path.join(root, place) for place in PLACES), rootless):
        identity = _identity(path, root) if path else None
        if identity:
            found.setdefault(identity, path)
    return list(found.values())


def _from_environment() -> tuple[str, str]:
    """Absolute paths, or ""."""
    host = os.environ.get("DOCKER_HOST", "")
    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    given = host.removeprefix(_UNIX) if host.startswith(_UNIX) else ""
    return (
        given if os.path.isabs(given) else "",
        os.path.join(folder, "docker.sock") if os.path.isabs(folder) else "",
    )


def _identity(path: str, root: str) -> tuple[int, int] | None:
    """Of the socket; None if there is none, or a symbolic link leads out of `root` to it."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISSOCK(found.st_mode):
        return None
    inside = os.path.realpath(root)
    if os.path.commonpath((inside, os.path.realpath(path))) != inside:
        return None
    return found.st_dev, found.st_ino
