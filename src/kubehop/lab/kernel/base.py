"""PID 1's own mounts: what every sandbox of a lab starts from."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kubehop.linux import libc
from kubehop.model.errors import ClusterError

FILES = ("resolv.conf", "hosts", "nsswitch.conf")
"""Of /etc: a sandbox may have its own."""

_FOLDERS = ("/dev/shm", "/run/lock", "/mnt")  # noqa: S108  hidden from the lab, not written to
"""Where the lab's own file system is mounted: on the first that there is.

A sandbox without the machine's shared memory is as in a container.
"""
_NAME_CACHES = ("/run/nscd", "/var/run/nscd")
"""glibc would ask the machine's nscd through its socket here, whatever resolv.conf says."""


@dataclass(frozen=True, slots=True)
class Base:
    """Where PID 1 is: `folder` is on a file system of the lab's own, in memory.

    `outer_proc` is the machine's /proc, as an open directory: PIDs there are as the machine sees
    them. `notes` say what this machine does not let a lab have, a line each.
    """

    folder: Path
    outer_proc: int
    notes: tuple[str, ...] = ()


def base() -> Base:
    """Make it: to be called once, as PID 1 of new namespaces. Raises OSError, ClusterError."""
    libc.mount("none", "/", flags=libc.MS_REC | libc.MS_PRIVATE)
    outer_proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    notes = [*_fresh("proc", "/proc"), *_fresh("sysfs", "/sys")]
    for path in _NAME_CACHES:
        if os.path.isdir(path) and not os.path.islink(os.path.dirname(path)):
            libc.mount("tmpfs", path, "tmpfs", options="mode=755,size=4k")
    folder = _own_folder()
    if any(not os.path.isfile(f"/etc/{name}") for name in FILES):
        _own_etc(folder / "etc")
    return Base(folder, outer_proc, tuple(notes))


def _fresh(kind: str, path: str) -> Iterator[str]:
    """Mount it anew, for the new namespaces. A container that masks parts of it forbids that."""
    try:
        libc.mount(kind, path, kind, libc.MS_NOSUID | libc.MS_NODEV | libc.MS_NOEXEC)
    except OSError as error:
        yield f"{path} in the lab is the machine's: mounting a fresh one failed: {error.strerror}"


def _own_folder() -> Path:
    for path in filter(os.path.isdir, _FOLDERS):
        libc.mount("tmpfs", path, "tmpfs", libc.MS_NOSUID | libc.MS_NODEV, "mode=1777")
        folder = Path(path, ".kubehop")
        folder.mkdir(mode=0o755)
        return folder
    raise ClusterError(f"the lab needs a directory to hide: one of {', '.join(_FOLDERS)}")


def _own_etc(kept: Path) -> None:
    """Give /etc the FILES that it lacks, empty: nothing can be mounted over what is not there.

    The machine's /etc moves aside and a directory of links to it takes its place. A link to
    nowhere (/etc/resolv.conf without systemd-resolved running) counts as missing.
    """
    kept.mkdir()
    libc.mount("/etc", str(kept), flags=libc.MS_BIND | libc.MS_REC)
    libc.mount("tmpfs", "/etc", "tmpfs", libc.MS_NOSUID | libc.MS_NODEV, "mode=755")
    for entry in os.scandir(kept):
        own = os.readlink(entry.path) if entry.is_symlink() else entry.path
        os.symlink(own, f"/etc/{entry.name}")
    for name in FILES:
        if not os.path.isfile(f"/etc/{name}"):
            if os.path.lexists(f"/etc/{name}"):
                os.unlink(f"/etc/{name}")
            Path("/etc", name).touch()
