"""What an ECHO server says, as octets on the way to a value."""

from dataclasses import dataclass

_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(frozen=True, slots=True)
class Answer:
    """Who answered, where it got the packet, and whom it saw."""

    pod: str
    node: str
    address: str
    port: int
    source_seen: str


def http_body(data: bytes) -> bytes | None:
    """The body of an HTTP response, None while it is incomplete.

    Raises ValueError for a status other than 200 and a response without a length.
    """
    head, end, body = data.partition(_END)
    if not end:
        return None
    status, *fields = head.split(b"\r\n")
    if status.split(b" ")[1:2] != [b"200"]:
        raise ValueError(f"an ECHO server said {status!r}")
    length = next((f[len(_LENGTH) :] for f in fields if f.lower().startswith(_LENGTH)), None)
    if length is None:
        raise ValueError(f"an ECHO server gave no length: {head!r}")
    return body if len(body) >= int(length) else None


def parse_answer(text: bytes) -> Answer:
    """An Answer from lines `pod:`, `node:`, `local:` and `peer:`; raises ValueError."""
    fields = {}
    for line in text.decode("ascii").splitlines():
        key, colon, value = line.partition(":")
        if colon:
            fields[key] = value.strip()
    try:
        address, port = split(fields["local"])
        return Answer(fields["pod"], fields["node"], address, port, split(fields["peer"])[0])
    except KeyError as missing:
        raise ValueError(f"an ECHO server's answer has no {missing}: {text!r}") from None


def split(where: str) -> tuple[str, int]:
    """`10.0.0.1:80` or `[fd00::1]:80`, apart."""
    address, _, port = where.rpartition(":")
    return address.strip("[]"), int(port)
