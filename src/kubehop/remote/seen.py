"""From what was read inside of a container to the network and the files of its pod. Pure."""

from collections.abc import Sequence

from kubehop.remote import ip_json, ip_text, sysfs
from kubehop.remote.image import ADDRESSES_JSON, ADDRESSES_TEXT, ROUTES_JSON, Parts
from kubehop.sandbox.proc.network import network_of
from kubehop.sandbox.values import Files, Interface, Network, Route, Unknown

_NET = "/proc/net/"
_PEERS = Unknown(
    "peers on the host",
    "only the host sees them",
    "kubehop pod ip on the node, or kubehop pod collect",
)

_LESS = Unknown(
    "interfaces",
    "/proc and /sys tell neither their kind, nor the scopes of IPv4 addresses, nor the tables of"
    " IPv6 routes",
    "kubehop pod ip on the node, or kubehop pod collect",
)


def network(parts: Parts, whole: bool, how: str) -> Network:
    """Interfaces and routes as `ip` told them, else as /proc and /sys do; sockets by /proc.

    `whole`: nothing was cut off. What no part tells is said to be unknown.
    """
    told = network_of(lambda name: parts.get(_NET + name, b""), None, how)
    links = _interfaces(parts)
    by_sysfs = sysfs.by_name(parts.get(sysfs.FOLDER, b""))
    routes = _routes(parts)
    proc = _with_sysfs(told.unknown) if by_sysfs else told.unknown
    unknown = [_PEERS, *(() if links else proc), *_missing(parts, whole)]
    return Network(
        inode=None,
        interfaces=links or sysfs.completed(told.interfaces, by_sysfs),
        routes=told.routes if routes is None else routes,
        listening=told.listening,
        how=how,
        unknown=tuple(unknown),
    )


def _with_sysfs(unknown: Sequence[Unknown]) -> tuple[Unknown, ...]:
    """What is still not known."""
    kept = (each for each in unknown if each.what != _LESS.what)
    return (_LESS, *kept)


def files(parts: Parts) -> Files:
    """None for what could not be read, be it that there is no such file."""
    texts = {
        "resolv_conf": parts.get("/etc/resolv.conf"),
        "hosts": parts.get("/etc/hosts"),
        "hostname": parts.get("/proc/sys/kernel/hostname"),
    }
    text = {k: None if v is None else v.decode("utf-8", "replace") for k, v in texts.items()}
    hostname = text["hostname"]
    return Files(
        resolv_conf=text["resolv_conf"],
        hosts=text["hosts"],
        hostname=None if hostname is None else hostname.strip(),
        unknown=tuple(
            Unknown(name, "the container has none that can be read")
            for name, content in text.items()
            if content is None
        ),
    )


def _interfaces(parts: Parts) -> tuple[Interface, ...]:
    by_json = parts.get(" ".join(ADDRESSES_JSON))
    if by_json is not None and (found := ip_json.interfaces(by_json)):
        return found
    return ip_text.interfaces(parts.get(" ".join(ADDRESSES_TEXT), b""))


def _routes(parts: Parts) -> tuple[Route, ...] | None:
    found: list[Route] = []
    for command, family in zip(ROUTES_JSON, (4, 6), strict=True):
        text = parts.get(" ".join(command))
        routes = None if text is None else ip_json.routes(text, family)
        if routes is None:
            return None
        found += routes
    return tuple(found)


def _missing(parts: Parts, whole: bool) -> list[Unknown]:
    """Kernels without IPv6 have no tcp6; of the rest each part is there or is unknown."""
    found = [] if whole else [Unknown("a part of the sockets", "the container wrote too much")]
    if _NET + "tcp" not in parts:
        found.append(Unknown("listening sockets", "/proc/net could not be read in the container"))
    return found
