"""`ip addr` as text, which is all that busybox prints. Pure; unreadable lines are left out.

Forms: busybox `networking/libiproute/ipaddress.c`, iproute2 `ip/ipaddress.c`.
"""

import re
from ipaddress import ip_address
from itertools import pairwise

from msgspec.structs import replace

from kubehop.sandbox.values import Interface, InterfaceAddress

_FIRST = re.compile(r"(\d{1,10}): ([^\s@]+?)(?:@(\S+))?: <([^>\s]*)>(.*)")
_LINK = re.compile(r"link/(\S+)(?: (\S+))?(?: brd (\S+))?")
_ADDRESS = re.compile(r"inet6? ([0-9a-fA-F.:]+)(?: peer ([0-9a-fA-F.:]+))?(?:/(\d{1,3}))?(.*)")
_WORDS = frozenset({"secondary", "tentative", "deprecated", "dadfailed", "dynamic",
                    "noprefixroute", "temporary", "nodad", "optimistic"})  # fmt: skip


def interfaces(text: bytes) -> tuple[Interface, ...]:
    """In the order of the text; nothing if there is none."""
    found: list[Interface] = []
    for line in text.decode("utf-8", "replace").splitlines():
        if first := _FIRST.fullmatch(line.rstrip()):
            found.append(_interface(*first.groups()))
        elif found:
            found[-1] = _more(found[-1], line.strip())
    names = {one.name: one.index for one in found}
    return tuple(_linked(one, names) for one in found)


def _interface(index: str, name: str, link: str | None, flags: str, rest: str) -> Interface:
    told = _pairs(rest)
    return Interface(
        name=name,
        index=int(index),
        kind="" if not link else f"@{link}",
        flags=tuple(flags.split(",")) if flags else (),
        mtu=_number(told.get("mtu", "")),
        qdisc=told.get("qdisc", ""),
        state=told.get("state", ""),
        group=told.get("group", ""),
        queue_length=_number(told.get("qlen", "")),
    )


def _linked(one: Interface, names: dict[str, int | None]) -> Interface:
    """`eth0@if41` is interface 41 of another namespace, `eth0.5@eth0` one of this."""
    link = one.kind.removeprefix("@")
    index = _number(link[2:]) if link.startswith("if") else None
    return replace(one, kind="", link=index if index is not None else names.get(link))


def _more(one: Interface, line: str) -> Interface:
    if link := _LINK.match(line):
        kind, mac, broadcast = link.groups()
        return replace(one, link_type=kind, mac=mac or "", broadcast=broadcast or "")
    if (match := _ADDRESS.fullmatch(line)) and (address := _address(*match.groups())):
        return replace(one, addresses=(*one.addresses, address))
    if line.startswith("valid_lft") and one.addresses:
        told = _pairs(line)
        last = replace(
            one.addresses[-1],
            valid_seconds=_seconds(told.get("valid_lft", "")),
            preferred_seconds=_seconds(told.get("preferred_lft", "")),
        )
        return replace(one, addresses=(*one.addresses[:-1], last))
    return one


def _address(text: str, peer: str | None, prefix: str | None, rest: str) -> InterfaceAddress | None:
    try:
        version = ip_address(text).version
    except ValueError:
        return None
    words, told = rest.split(), _pairs(rest)
    flags = tuple(word for word in words if word in _WORDS)
    scope = told.get("scope", "global")
    label = words[-1] if version == 4 and words and words[-1] not in (*flags, scope) else ""
    return InterfaceAddress(
        address=text,
        prefix=_number(prefix or "") if prefix else (32 if version == 4 else 128),
        scope=scope,
        flags=flags,
        label=label,
        peer=peer or "",
        broadcast=told.get("brd", ""),
    )


def _pairs(text: str) -> dict[str, str]:
    """Every word with the one behind it: `mtu 1500`."""
    words = text.split()
    return dict(pairwise(words))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else None


def _seconds(text: str) -> int | None:
    return _number(text.removesuffix("sec"))
