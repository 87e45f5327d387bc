"""The lines that a node's Job prints: JSON, of that node, and all of them. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from kubehop.model.errors import ClusterError

PART, END = "PodNetwork", "NodeCollected"
"""The kinds of a line, and of the last, which says how many of the first there are."""
LINE_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it was printed, without its end."""

    text: str


class _Head(msgspec.Struct):
    kind: str
    node: str
    pods: int = -1


def checked(chunks: Iterable[bytes], node: str) -> Iterator[Line]:
    """The lines of a log. Raises ClusterError at one that is none of ours, and if some lack.

    A kubelet rotates logs (containerLogMaxSize, 10 MiB) and then gives the newest part alone.
    """
    parts, ended = 0, False
    for raw in _split(chunks):
        head = _head(raw, node)
        if head.kind == END:
            ended = True
            if head.pods != parts:
                raise ClusterError(
                    f"{parts} of {head.pods} pods are in the log: its beginning was rotated away"
                )
        parts += head.kind == PART
        yield Line(raw.decode())
    if not ended:
        raise ClusterError("the log ends too early")


def _head(raw: bytes, node: str) -> _Head:
    try:
        head = msgspec.json.decode(raw, type=_Head)
        raw.decode()
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        said = raw[:200].decode("utf-8", "replace")
        raise ClusterError(f"printed what is no line of a collector: {said}") from error
    if head.node != node:
        raise ClusterError(f"speaks of node {head.node}")
    return head


def _split(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line for line in lines if line.strip())
        if len(rest) > LINE_BYTES:
            raise ClusterError(f"a line of more than {LINE_BYTES >> 20} MiB")
    if rest.strip():
        yield rest
