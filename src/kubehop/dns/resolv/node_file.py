"""resolv.conf as the kubelet reads the node's (`parseResolvConf` in dns.go).

Only `#` begins a comment, `domain` is not known, the last `search` wins. Options of all lines
count, the last one of a name wins; older kubelets took the last line alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NodeFile:
    """What the kubelet takes out of the file; `problem` if it refuses it."""

    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    problem: str = ""


def read(text: str) -> NodeFile:
    """Read the node's resolv.conf; never raises."""
    nameservers: list[str] = []
    searches: list[str] = []
    options: tuple[str, ...] = ()
    problem = ""
    for line in text.split("\n"):
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        keyword, *values = fields
        if keyword == "nameserver" and values:
            nameservers.append(values[0])
        elif keyword == "nameserver":
            problem = "nameserver list is empty"
        elif keyword == "search":
            searches = [value.removesuffix(".") for value in values if value != "."]
        elif keyword == "options":
            options = merge(options, values)
    return NodeFile(tuple(nameservers), tuple(searches), options, problem)


def merge(options: Iterable[str], more: Iterable[str]) -> tuple[str, ...]:
    """Options by name, the later one wins; an empty value is none."""
    merged = {option.partition(":")[0]: option for option in (*options, *more)}
    return tuple(option.removesuffix(":") for option in merged.values())
