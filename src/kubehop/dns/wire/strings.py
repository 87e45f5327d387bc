"""Character strings (RFC 1035 3.3, 5.1): what TXT and HINFO records hold."""

from kubehop.dns.wire.errors import WireError

MAX_STRING = 255


def write_strings(text: str) -> bytes:
    """The octets of words that are quoted, or end at white space; raises WireError."""
    out = b""
    for word in _words(text):
        if len(word) > MAX_STRING:
            raise WireError("a character string is longer than 255 octets")
        out += bytes((len(word),)) + word
    if not out:
        raise WireError("no character string")
    return out


def read_strings(octets: bytes) -> str:
    """The words, quoted, with a space between two; raises WireError."""
    words, at = [], 0
    while at < len(octets):
        end = at + 1 + octets[at]
        if end > len(octets):
            raise WireError("a character string is cut off")
        words.append(f'"{"".join(map(_shown, octets[at + 1 : end]))}"')
        at = end
    return " ".join(words)


def _shown(octet: int) -> str:
    if octet in b'"\\':
        return f"\\{chr(octet)}"
    return chr(octet) if 32 <= octet < 127 else f"\\{octet:03}"


def _words(text: str) -> list[bytes]:
    words, at = [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        quoted = text[at] == '"'
        word, at = _word(text, at + quoted, '"' if quoted else " \t")
        words.append(word)
        at += quoted
    return words


def _word(text: str, at: int, ends: str) -> tuple[bytes, int]:
    """A word that starts at `at`, and the offset of the character that ends it."""
    out = bytearray()
    while at < len(text) and text[at] not in ends:
        digits = text[at + 1 : at + 4]
        if text[at] != "\\":
            out += text[at].encode()
            at += 1
        elif len(digits) == 3 and digits.isdecimal() and int(digits) < 256:
            out.append(int(digits))
            at += 4
        else:
            out += digits[:1].encode()
            at += 2
    return bytes(out), at
