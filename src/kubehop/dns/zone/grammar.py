"""What a name in the cluster's zone asks for.

Source: `plugin/kubernetes/parse.go`; reference: cluster-dns, 1.2.
"""

import re
from typing import NamedTuple

_LABELS = re.compile(r"(?:[^.\\]|\\.)+", re.DOTALL)


class Wanted(NamedTuple):
    """The parts of a name; `kind` is "" for the apex and for `svc` and `pod` alone.

    `topology` is the zone of `<topology>.pin|prefer._zone.<service>...` (option `zonal`).
    """

    kind: str = ""
    namespace: str = ""
    service: str = ""
    endpoint: str = ""
    port: str = ""
    protocol: str = ""
    topology: str = ""
    prefer: bool = False


APEX = Wanted()


def parse(name: str, zone: str, zonal: bool = False) -> Wanted | None:
    """What `name` in `zone` asks for, both folded; None if the grammar has no such name.

    1. `<namespace>.svc`, 2. `<service>.<namespace>.svc`, 3. `<endpoint>.<service>...`,
    4. `<port>.<protocol>.<service>...`, underscores optional; the same below `pod`.
    """
    parts = labels(name, zone)
    if not parts:
        return APEX
    kind = parts[-1]
    if kind not in ("svc", "pod"):
        return None
    match len(parts):
        case 1:
            return APEX
        case 2:
            return Wanted(kind, parts[0])
        case 3:
            return Wanted(kind, parts[1], parts[0])
        case 4:
            return Wanted(kind, parts[2], parts[1], parts[0])
        case 5:
            port, protocol = parts[0].removeprefix("_"), parts[1].removeprefix("_")
            return Wanted(kind, parts[3], parts[2], port=port, protocol=protocol)
    return _topology(parts) if zonal else None


def _topology(parts: list[str]) -> Wanted | None:
    """Zones of nodes may contain dots: everything left of the directive is one."""
    *topology, directive, anchor, service, namespace, kind = parts
    if anchor != "_zone" or directive not in ("pin", "prefer") or kind != "svc":
        return None
    prefer = directive == "prefer"
    return Wanted(kind, namespace, service, topology=".".join(topology), prefer=prefer)


def labels(name: str, zone: str) -> list[str]:
    """The labels of `name` left of `zone`; a dot inside a label is written `\\.`."""
    base = name[: -len(zone) - 1] if zone != "." else name[:-1]
    if not base:
        return []
    return base.split(".") if "\\" not in base else _LABELS.findall(base)
