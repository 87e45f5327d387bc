"""Where labs keep their state: a directory of the user's own, one below it for each lab.

The directory of a lab is its lock too (flock(2)): who holds it is alive. One that nobody holds
was left by processes that were all killed at once, and is removed by whoever sees it next.
"""

import fcntl
import os
import re
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from kubehop.model.errors import UsageError

CONTROL = "control"
"""The socket in a lab's directory."""
TRIES, PAUSE = 10, 0.01
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def checked(name: str) -> str:
    """A lab's name, a DNS label (RFC 1123). Raises UsageError."""
    if not _LABEL.fullmatch(name):
        raise UsageError(
            f"--name {name!r}: a lab's name is lower case letters, digits and '-', at most 63"
        )
    return name


def root() -> Path:
    """`$XDG_RUNTIME_DIR/kubehop`, or one like it; made if need be, and really ours.

    Raises UsageError where somebody else has put something there.
    """
    uid = os.geteuid()
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(given) and os.path.isdir(given) and os.stat(given).st_uid == uid:
        return _own(Path(given, "kubehop"))
    for folder in (Path(f"/run/user/{uid}"), Path("/run")):
        if os.path.isdir(folder) and os.stat(folder).st_uid == uid and os.access(folder, os.W_OK):
            return _own(folder / "kubehop")
    return _own(Path(f"/tmp/kubehop-{uid}"))  # noqa: S108 - checked to be ours alone


def _own(folder: Path) -> Path:
    try:
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
    except OSError as error:
        raise UsageError(f"no place for the state of labs: {folder}: {error.strerror}") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise UsageError(f"{folder} is not a directory of ours alone: remove it, and try again")
    return folder


@dataclass(frozen=True, slots=True)
class Place:
    """The directory of a lab that we hold; `fd` is open on it, and locked.

    `parent` is open on the directory above: a lab may have hidden the path from itself.
    """

    name: str
    path: Path
    fd: int
    parent: int

    @classmethod
    def taken(cls, name: str) -> Self:
        """Make it and hold it. Raises UsageError if such a lab is up."""
        path = root() / checked(name)
        for _ in range(TRIES):
            with suppress(FileExistsError):
                path.mkdir(mode=0o700)
            try:
                fd = _locked(path)
            except FileNotFoundError:
                continue  # somebody removed it this very moment
            except OSError as error:
                raise UsageError(f"{path}: {error.strerror}: remove it, and try again") from error
            if fd is not None:
                _emptied(fd)
                return cls(name, path, fd, _directory(path.parent))
            time.sleep(PAUSE)  # who only looks holds it too, for a moment
        raise UsageError(
            f"the lab {name} is up already: `kubehop lab status --name {name}`,"
            f" or choose another --name"
        )

    def removed(self) -> None:
        """Remove what is there; again is no harm."""
        with suppress(OSError):
            _emptied(self.fd)
            found = os.stat(self.name, dir_fd=self.parent, follow_symlinks=False)
            if os.path.samestat(os.fstat(self.fd), found):
                os.rmdir(self.name, dir_fd=self.parent)

    def is_there(self) -> bool:
        """False once somebody has removed the directory or the socket in it."""
        try:
            os.stat(CONTROL, dir_fd=self.fd, follow_symlinks=False)
        except OSError:
            return False
        return True

    def closed(self) -> None:
        """Let go of it; it stays locked as long as a child of ours has it."""
        os.close(self.fd)
        os.close(self.parent)


def _directory(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _locked(path: Path) -> int | None:
    """The directory, open and locked; None if somebody else holds it."""
    fd = _directory(path)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    # It may have been removed, and made anew, between the two.
    try:
        if os.stat(path).st_ino == os.fstat(fd).st_ino:
            return fd
    except FileNotFoundError:
        pass
    os.close(fd)
    raise FileNotFoundError(path)


def _emptied(fd: int) -> None:
    """What a lab puts there goes; what somebody else did stays."""
    with suppress(OSError):
        os.unlink(CONTROL, dir_fd=fd)


def opened(name: str) -> int:
    """The directory of a lab, open. Raises OSError if there is none."""
    return _directory(root() / name)


def is_held(directory: int) -> bool:
    """Whether somebody else holds the lab of that directory, removed or not."""
    try:
        fcntl.flock(directory, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(directory, fcntl.LOCK_UN)
    return False


def names() -> list[str]:
    """The labs that are up; what dead ones left is removed."""
    return [path.name for path in sorted(root().iterdir()) if _is_up(path)]


def is_up(name: str) -> bool:
    """Whether somebody holds the lab; what a dead one left is removed."""
    return _is_up(root() / checked(name))


def _is_up(path: Path) -> bool:
    """True too in the moment in which somebody else looks."""
    try:
        fd = _locked(path)
    except OSError:
        return False
    if fd is None:
        return True
    left = Place(path.name, path, fd, _directory(path.parent))
    left.removed()
    left.closed()
    return False


def control_path(fd: int) -> str:
    """A path of the control socket, short enough for a socket's address (107 octets)."""
    return f"/proc/self/fd/{fd}/{CONTROL}"
