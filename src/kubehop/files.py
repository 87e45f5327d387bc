"""Files, directories and standard input to bytes: what `-f` takes."""

import contextlib
import gc
import gzip
import io
import os
import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from kubehop.model.errors import InputError

SUFFIXES = (".yaml", ".yml", ".json")

MAX_UNPACKED = 4 << 30
MAX_RATIO = 500
"""gzip reaches 1,030 on zeros, and below 200 on the most repetitive dump of a cluster."""
SMALL = 64 << 20
"""What any gzip file may unpack to, whatever its ratio."""
MAX_TEXT = 8 << 20
"""etcd takes no ConfigMap of more than 1.5 MiB."""

_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20


def read_paths(paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file that `paths` name, read one at a time.

    A path is a file, a directory (all manifests below it, in the order of their names) or "-"
    (standard input, once). What is compressed with gzip is unpacked. Raises InputError for
    what is missing, cannot be read, is broken gzip, or is a directory without a manifest.
    """
    if paths.count("-") > 1:
        raise InputError("standard input can be read only once", file="-")
    for path in paths:
        if path == "-":
            yield "-", _unpacked("-", sys.stdin.buffer.read())
        else:
            for name in _manifests(path) if os.path.isdir(path) else (path,):
                yield name, _content(name)


def _manifests(root: str) -> list[str]:
    """The manifests below a directory, sorted; hidden ones and links out of it left out."""
    real = Path(root).resolve()
    found = [
        path
        for folder, folders, files in os.walk(root, onerror=_refuse)
        for path in _in_folder(folder, folders, files, real)
    ]
    if not found:
        raise InputError(f"no {', '.join(SUFFIXES)} file in this directory", file=root)
    return sorted(found)


def _in_folder(folder: str, folders: list[str], files: list[str], real: Path) -> Iterator[str]:
    folders[:] = [name for name in folders if not name.startswith(".")]
    for name in files:
        path = os.path.join(folder, name)
        manifest = name.removesuffix(".gz").endswith(SUFFIXES) and not name.startswith(".")
        if manifest and os.path.isfile(path) and Path(os.path.realpath(path)).is_relative_to(real):
            yield path


def _refuse(error: OSError) -> None:
    raise _failed(str(error.filename), error) from error


def _content(path: str) -> bytes:
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise _failed(path, error) from error
    return _unpacked(path, data)


def read_text(path: str) -> str:
    """A text file that is no manifest: a Corefile, a resolv.conf. Raises InputError."""
    try:
        with open(path, "rb") as file:  # maybe /dev/zero
            data = file.read(MAX_TEXT + 1)
        if len(data) > MAX_TEXT:
            raise InputError(f"larger than {MAX_TEXT >> 20} MiB", file=path)
        return data.decode()
    except UnicodeDecodeError as error:
        raise InputError("cannot be read: it is not UTF-8 text", file=path) from error
    except (OSError, ValueError) as error:
        raise _failed(path, error) from error


def _failed(path: str, error: OSError | ValueError) -> InputError:
    """The system's words: "No such file or directory"."""
    reason = error.strerror if isinstance(error, OSError) else None
    return InputError(f"cannot be read: {reason or error}", file=path or "''")


def _unpacked(name: str, data: bytes) -> bytes:
    """`data`, unpacked if it is gzip, whatever the file is called."""
    if not data.startswith(_GZIP):
        return data
    limit = min(MAX_UNPACKED, max(SMALL, MAX_RATIO * len(data)))
    unpacked = io.BytesIO()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            while chunk := packed.read(_CHUNK):
                unpacked.write(chunk)
                if unpacked.tell() > limit:
                    raise InputError(f"unpacks to more than {limit >> 20} MiB", file=name)
    except EOFError as error:
        raise InputError("gzip is cut off", file=name) from error
    except (OSError, zlib.error) as error:
        raise InputError(f"broken gzip: {error}", file=name) from error
    return unpacked.getvalue()  # without a copy


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """No garbage collection inside: a load makes millions of objects and no garbage, and the
    collector would walk all of them again and again (an eighth of the time of a load)."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
