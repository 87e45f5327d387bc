"""What a file's bytes are before any parser sees them: encoding, binary junk, logs of a dump."""

import codecs
import re
from collections.abc import Iterator

from kubehop.model.errors import InputError

_UTF16 = {
    codecs.BOM_UTF32_LE: "utf-32",  # first: it begins with the mark of UTF-16
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_LOOKED_AT = 8192
_NAME = 400
_MARKUP = re.compile(rb"\s*+<(?:!doctype|html|\?xml)", re.IGNORECASE)
_START = b"==== START "
_LOGS = re.compile(rb"==== START (logs for container [^\n]*?) ====\r?(?=\n|\Z)")


def utf8(data: bytes) -> bytes:
    """`data` in UTF-8 without a byte order mark; the same object where nothing is to do.

    UTF-16 is what `kubectl ... > file` makes in Windows PowerShell. Raises InputError for
    what is no text, or markup: a login or error page saved in place of a manifest.
    """
    for mark, encoding in _UTF16.items():
        if data.startswith(mark):
            try:
                return data.decode(encoding).encode()
            except UnicodeError as error:
                raise InputError(f"broken {encoding.upper()} text") from error
    nul = data.find(b"\0", 0, _LOOKED_AT)
    if nul >= 0:
        raise InputError(f"not YAML or JSON but binary: NUL at byte {nul}")
    if _MARKUP.match(data, 0, _LOOKED_AT):
        raise InputError("not YAML or JSON but a page of HTML or XML")
    return data.removeprefix(codecs.BOM_UTF8)


def without_logs(data: bytes) -> Iterator[tuple[int, int]]:
    """The parts (start, end) of `data` between the container logs of `kubectl cluster-info dump`.

    A line in the first column that begins a log can be neither in JSON nor in a Kubernetes
    YAML document. Raises InputError for a log that does not end.
    """
    start = 0
    while log := _next_log(data, start):
        if log.start() > start:
            yield start, log.start()
        last = b"\n==== END " + log[1] + b" ===="
        end = data.find(last, log.end())
        if end < 0:
            raise InputError(f"cut off: no end of {log[1][:_NAME].decode(errors='replace')}")
        start = end + len(last)
    if start < len(data):
        yield start, len(data)


def _next_log(data: bytes, start: int) -> re.Match[bytes] | None:
    """`find` is ten times as fast as a regular expression that knows where lines begin."""
    while (start := data.find(_START, start)) >= 0:
        first_of_line = start == 0 or data[start - 1] == ord("\n")
        if first_of_line and (log := _LOGS.match(data, start)):
            return log
        start += len(_START)
    return None


def line_of(data: bytes, position: int) -> int:
    """The line, counted from 1, that the byte at `position` is in."""
    return data.count(b"\n", 0, position) + 1


_TEMPLATE = re.compile(r"\{\{-?\s*[-.$\w(/\"`]")


def template_hint(text: str) -> str:
    """What to do if `text` holds an action of a Helm template, else ""."""
    if not _TEMPLATE.search(text):
        return ""
    return " (a Helm template? render it first: helm template ... | kubehop -f -)"
