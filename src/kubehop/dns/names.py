"""Domain names as text: absolute, with the trailing dot; compared without case (RFC 4343)."""

import ipaddress

from kubehop.model.errors import UsageError

MAX_NAME = 253
"""Longest name in characters, without the trailing dot (255 octets on the wire, RFC 1035)."""
MAX_LABEL = 63


def absolute(name: str) -> str:
    """`name` with its trailing dot; "" and "." are the root."""
    return name if name.endswith(".") else f"{name}."


def folded(name: str) -> str:
    """How names are compared: absolute, ASCII lower case only (RFC 4343)."""
    name = absolute(name)
    return name.lower() if name.isascii() else name.translate(_LOWER)


_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def in_ascii(name: str) -> str:
    """`name` if a resolver can be asked for it; raises UsageError with its ASCII form (IDNA)."""
    if name.isascii():
        return name
    try:
        form = f": programs ask for {name.encode('idna').decode()}"
    except UnicodeError:
        form = ""
    raise UsageError(f"{name!r} is not ASCII, which names in DNS are{form}")


def labels(name: str) -> tuple[str, ...]:
    """The labels of a name without escapes, leftmost first; () for the root."""
    stripped = name.removesuffix(".")
    return tuple(stripped.split(".")) if stripped else ()


def within(name: str, zone: str) -> bool:
    """True if `name` is `zone` or lies below it; both folded."""
    return zone == "." or name == zone or name.endswith(f".{zone}")


def fits(name: str) -> bool:
    """True if `name` can be asked for: labels of 1 to 63 characters, 253 in all."""
    parts = labels(name)
    return len(name.removesuffix(".")) <= MAX_NAME and all(0 < len(p) <= MAX_LABEL for p in parts)


def reverse(address: str) -> str:
    """The name that holds the PTR of an address: `5.1.42.10.in-addr.arpa.` (RFC 1035, 3596)."""
    return f"{ipaddress.ip_address(address).reverse_pointer}."
