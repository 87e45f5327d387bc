"""Interfaces by /sys/class/net, for images without `ip`: what /proc leaves out. Pure.

Documentation/ABI/testing/sysfs-class-net. A container's /sys shows its own network. What an image's
`ifconfig` could tell is less than this, and it comes with a shell or `cat`, which suffice here.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from kubehop.sandbox.values import Interface
from kubehop.sandbox.words import LINK_FLAGS, LINK_TYPES, words

FOLDER = "/sys/class/net"
FIELDS = ("ifindex", "iflink", "mtu", "address", "broadcast", "flags", "tx_queue_len",
          "operstate", "type")  # fmt: skip
"""All can be read, always, and are one line."""
_UP, _LOWER_UP = 0x1, 0x10000
_RUNNING = ("up", "unknown")

Links = Mapping[str, Mapping[str, str]]


def by_name(text: bytes) -> Links:
    """Lines `eth0 mtu 1500`, as the shell writes them."""
    found: dict[str, dict[str, str]] = {}
    for line in text.decode("utf-8", "replace").splitlines():
        name, _, rest = line.partition(" ")
        field, _, value = rest.partition(" ")
        if field in FIELDS and value:
            found.setdefault(name, {})[field] = value.strip()
    return found


def paths(names: Iterable[str]) -> tuple[str, ...]:
    """What `cat` is to print of interfaces of these names."""
    return tuple(f"{FOLDER}/{name}/{field}" for name in names for field in FIELDS)


def lines(names: Sequence[str], printed: bytes) -> bytes:
    """What `cat` printed of them, as the shell writes it; nothing if a line is missing."""
    values = printed.decode("utf-8", "replace").splitlines()
    told = [(name, field) for name in names for field in FIELDS]
    if len(values) != len(told):
        return b""
    rows = zip(told, values, strict=True)
    return "".join(f"{name} {field} {value}\n" for (name, field), value in rows).encode()


def completed(interfaces: Iterable[Interface], links: Links) -> tuple[Interface, ...]:
    """The interfaces with what is told of them."""
    own = {_number(link.get("ifindex", "")) for link in links.values()}
    return tuple(
        _one(each, links[each.name], own) if each.name in links else each for each in interfaces
    )


def _one(one: Interface, told: Mapping[str, str], own: set[int | None]) -> Interface:
    link, type = _number(told.get("iflink", "")), _number(told.get("type", ""))
    return replace(
        one,
        index=_number(told.get("ifindex", "")) or one.index,
        flags=_flags(told.get("flags", ""), told.get("operstate", "")),
        mtu=_number(told.get("mtu", "")),
        state=told.get("operstate", "").upper(),
        queue_length=_number(told.get("tx_queue_len", "")),
        link_type="" if type is None else LINK_TYPES.get(type, f"[{type}]"),
        mac=told.get("address", ""),
        broadcast=told.get("broadcast", ""),
        # One that is here too may be ours or, by chance, has the same number elsewhere.
        link=None if link in own else link,
    )


def _flags(text: str, state: str) -> tuple[str, ...]:
    """As dev_get_flags() completes those that /sys shows."""
    try:
        flags = int(text, 16)
    except ValueError:
        return ()
    if not flags & _UP:
        return tuple(words(LINK_FLAGS, flags))
    if state in _RUNNING:
        return tuple(words(LINK_FLAGS, flags | _LOWER_UP))
    return ("NO-CARRIER", *words(LINK_FLAGS, flags))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else None
