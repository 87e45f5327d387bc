"""Domain names between octets and text (RFC 1035 3.1, 4.1.4, 5.1).

Text escapes what would end a label or a word: `\\.` is a dot inside a label, `\\032` a space.
"""

from functools import lru_cache

from kubehop.dns.wire.errors import WireError

MAX_OCTETS = 255
MAX_LABEL = 63
MAX_POINTERS = 126
"""Compression pointers followed in one name: as many as a name can have labels."""

_SPECIAL = frozenset(b".\\\"'@;()")
_TEXT = [
    f"\\{chr(octet)}" if octet in _SPECIAL else chr(octet) if 32 < octet < 127 else f"\\{octet:03}"
    for octet in range(256)
]
_PLAIN = frozenset(octet for octet in range(256) if len(_TEXT[octet]) == 1)


def unpack(message: bytes, start: int) -> tuple[str, int]:
    """The name at `start`, and where it ends there; raises WireError.

    Pointers may lead anywhere, also forward, but not on and on: names of more than 255 octets
    and more than 126 pointers are refused.
    """
    labels, end = unpack_labels(message, start)
    return text_of(labels), end


def text_of(labels: list[bytes]) -> str:
    """Labels as the text of an absolute name."""
    return "".join(f"{_label_text(label)}." for label in labels) or "."


def unpack_labels(message: bytes, start: int) -> tuple[list[bytes], int]:
    """As `unpack`, the labels as octets."""
    labels: list[bytes] = []
    at, end, pointers, octets = start, 0, 0, 1
    try:
        while length := message[at]:
            if length < 64:
                label = message[at + 1 : at + 1 + length]
                octets += length + 1
                if len(label) < length or octets > MAX_OCTETS:
                    raise WireError("a name runs out of its message or is too long")
                labels.append(label)
                at += length + 1
            elif length >= 192 and pointers < MAX_POINTERS:
                end = end or at + 2
                at = (length & 63) << 8 | message[at + 1]
                pointers += 1
            else:
                raise WireError("a label has a reserved length, or pointers lead in a circle")
    except IndexError:
        raise WireError("a name runs out of its message") from None
    return labels, end or at + 1


def _label_text(label: bytes) -> str:
    if _PLAIN.issuperset(label):
        return label.decode("ascii")
    return "".join(_TEXT[octet] for octet in label)


def pack(name: str) -> bytes:
    """A name's octets without compression; raises WireError."""
    packed = b"".join(pack_label(label) for label in split(name)) + b"\0"
    if len(packed) > MAX_OCTETS:
        raise WireError(f"a name is longer than 255 octets: {name}")
    return packed


@lru_cache(maxsize=4096)  # a cluster's labels come again and again
def pack_label(label: str) -> bytes:
    """One label as it is spelt, with its length before it; raises WireError."""
    octets = _octets(label)
    if not 0 < len(octets) <= MAX_LABEL:
        raise WireError(f"a label is empty or longer than 63 octets: {label!r}")
    return bytes((len(octets),)) + octets


def split(name: str) -> list[str]:
    """The labels of a name as they are spelt, escapes included; [] for the root."""
    if "\\" not in name:
        stripped = name.removesuffix(".")
        return stripped.split(".") if stripped else []
    labels, start, at = [], 0, 0
    while at < len(name):
        if name[at] == ".":
            labels.append(name[start:at])
            start = at + 1
        at += 2 if name[at] == "\\" else 1
    return [*labels, name[start:]] if start < len(name) else labels


def _octets(label: str) -> bytes:
    """A label's octets: `\\DDD` is an octet by its number, `\\X` is X."""
    if "\\" not in label and label.isascii():
        return label.encode()
    out, at = bytearray(), 0
    while at < len(label):
        value, step = _octet(label, at)
        if not 0 <= value <= 255:
            raise WireError(f"no label: {label!r}")
        out.append(value)
        at += step
    return bytes(out)


def _octet(label: str, at: int) -> tuple[int, int]:
    """The octet that is spelt at `at`, -1 if none is, and how many characters spell it."""
    if label[at] != "\\":
        return (ord(label[at]) if label[at].isascii() else -1), 1
    digits = label[at + 1 : at + 4]
    if len(digits) == 3 and digits.isdecimal():
        return int(digits), 4
    return (ord(digits[0]) if digits else -1), 2
