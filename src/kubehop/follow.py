"""What cluster DNS answers from, followed: the form of a source, and files as one."""

import errno
import os
import stat
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from kubehop.files import SUFFIXES, read_paths
from kubehop.model.changes import EVERYTHING, State, Update, between, corefile_in
from kubehop.model.cluster import Cluster
from kubehop.model.errors import InputError, KubehopError

Named = Iterable[tuple[str, bytes]]
Read = Callable[[Named], Cluster]
Report = Callable[[str], None]


@runtime_checkable
class Source(Protocol):
    """A cluster that can be followed: `kubehop.live.watch.LiveSource` and FileSource are.

    `start` says what is known after at most `seconds`; then `run` tells, in its own thread,
    what changes, until `stop` is set, and closes the source. `close` is for who never runs it.
    """

    def start(self, seconds: float = 5) -> State: ...

    def run(self, tell: Callable[[Update], None], stop: threading.Event) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How often files are looked at, in seconds.

    A change is read when nothing has moved for `settle`: until then somebody may be writing.
    A file that lost all it had is about to be filled again (`kubectl get ... > FILE`): it is
    given `patience`. What could not be read is tried again after `look`, twice as long each
    time up to `retry_limit`, or as soon as it changes.
    """

    look: float = 1
    settle: float = 0.1
    patience: float = 10
    retry_limit: float = 30


@dataclass(frozen=True, slots=True)
class _Mark:
    """By what a change of a file shows, whether it is written or replaced; or its errno."""

    size: int = 0
    modified: int = 0
    changed: int = 0
    inode: tuple[int, int] = (0, 0)
    error: int = 0


_Marks = dict[str, _Mark]
_FOLLOWED_MODES = (stat.S_IFREG, stat.S_IFDIR)


class FileSource:
    """Manifests, dumps and snapshots: files and directories, looked at again and again.

    Standard input ("-") and pipes can be read only once: what they said stays.
    """

    def __init__(
        self, paths: Sequence[str], read: Read, report: Report, *, pace: Pace = Pace()
    ) -> None:
        """`read` makes the cluster of named contents; `report` gets a line for each problem."""
        self._paths = tuple(paths)
        self._read = read
        self._report = report
        self._pace = pace
        self._once: dict[str, tuple[tuple[str, bytes], ...]] = {}
        self._marks: _Marks = {}
        self._cluster = Cluster()
        self._trouble = ""
        self._failed = 0
        self._retry_at = 0.0

    def start(self, seconds: float = 5) -> State:
        """All that the files say now. Raises what `read` raises, and InputError."""
        if self._paths.count("-") > 1:
            raise InputError("standard input can be read only once", file="-")
        self._marks = _scan(self._paths)
        self._cluster = self._read(self._contents())
        return State(self._cluster, EVERYTHING, corefile_in(self._cluster))

    def run(self, tell: Callable[[Update], None], stop: threading.Event) -> None:
        """Tell what changes in the files, in this thread, until `stop` is set.

        What cannot be read changes nothing: it is reported once, and again when it is over.
        """
        while not stop.wait(self._pace.look):
            marks = _scan(self._paths)
            if marks != self._marks or self._is_due():
                marks = self._settled(marks, stop)
                if not stop.is_set():
                    self._marks = marks
                    self._read_again(tell)

    def close(self) -> None:
        """Nothing is open between two looks."""

    def _is_due(self) -> bool:
        return bool(self._trouble) and time.monotonic() >= self._retry_at

    def _settled(self, marks: _Marks, stop: threading.Event) -> _Marks:
        """The marks when nobody writes any more; a file that grows for ever is read as it is."""
        deadline = time.monotonic() + self._pace.patience
        while time.monotonic() < deadline and not stop.wait(self._pace.settle):
            before, marks = marks, _scan(self._paths)
            if marks == before and not self._emptied(marks):
                break
        return marks

    def _emptied(self, marks: _Marks) -> bool:
        return any(
            not mark.size and not mark.error and self._marks.get(path, _Mark()).size
            for path, mark in marks.items()
        )

    def _read_again(self, tell: Callable[[Update], None]) -> None:
        try:
            cluster = self._read(self._contents())
        except KubehopError as error:
            self._fail(str(error))
            return
        self._recover()
        before, self._cluster = self._cluster, cluster
        change, corefile = between(before, cluster), corefile_in(cluster)
        if change or corefile != corefile_in(before):
            tell(Update(change, EVERYTHING, corefile))

    def _fail(self, line: str) -> None:
        if line != self._trouble:
            self._report(line)
        self._trouble = line
        wait = self._pace.look * 2 ** min(self._failed, 30)
        self._failed += 1
        self._retry_at = time.monotonic() + min(wait, self._pace.retry_limit)

    def _recover(self) -> None:
        if self._trouble:
            self._report(f"over: {self._trouble}")
        self._trouble, self._failed = "", 0

    def _contents(self) -> Iterator[tuple[str, bytes]]:
        for path in self._paths:
            if path in self._once:
                yield from self._once[path]
            elif _is_followed(path):
                yield from read_paths([path])
            else:
                self._once[path] = tuple(read_paths([path]))
                yield from self._once[path]


def _is_followed(path: str) -> bool:
    """False for what can be read only once; a file that is missing may come."""
    try:
        return path != "-" and stat.S_IFMT(os.stat(path).st_mode) in _FOLLOWED_MODES
    except (OSError, ValueError):
        return True


def _scan(paths: Iterable[str]) -> _Marks:
    """Marks of all files that are followed, those in directories found anew."""
    marks: _Marks = {}
    for path in paths:
        if not _is_followed(path):
            continue
        try:
            found = os.stat(path)
        except (OSError, ValueError) as error:
            marks[path] = _failure(error)
            continue
        marks[path] = _mark(found)
        if stat.S_ISDIR(found.st_mode):
            _scan_folder(path, marks)
    return marks


def _scan_folder(folder: str, marks: _Marks) -> None:
    """Every manifest below; as where they are read, hidden ones are none."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    _scan_entry(entry, marks)
    except OSError as error:
        marks[folder] = _failure(error)


def _scan_entry(entry: os.DirEntry[str], marks: _Marks) -> None:
    if entry.is_dir(follow_symlinks=False):
        _scan_folder(entry.path, marks)
    elif entry.name.removesuffix(".gz").endswith(SUFFIXES):
        try:
            marks[entry.path] = _mark(entry.stat())
        except OSError as error:  # gone since, or a link to nothing
            marks[entry.path] = _failure(error)


def _mark(found: os.stat_result) -> _Mark:
    inode = (found.st_dev, found.st_ino)
    if stat.S_ISDIR(found.st_mode):  # its entries have marks of their own
        return _Mark(size=1, inode=inode)
    return _Mark(found.st_size, found.st_mtime_ns, found.st_ctime_ns, inode)


def _failure(error: OSError | ValueError) -> _Mark:
    return _Mark(error=getattr(error, "errno", None) or errno.EINVAL)
