"""What to say where no source knows any pod: where was looked, and what to do."""

from collections.abc import Callable, Sequence

from kubehop.model.errors import printable
from kubehop.sandbox.values import NONE_THERE, Tried


def nowhere(tried: Sequence[Tried], source: str | None) -> str:
    """Follows what was asked for and not found; `source` is that of --source."""
    empty = ", ".join(each.source for each in tried if each.found == 0)
    kinds = [each.source for each in tried if each.found is None and each.why == NONE_THERE]
    absent = ", ".join(_ABSENT[kind](source or kind) for kind in kinds)
    parts = (
        "no pod at all is known here",
        f"looked in {empty}: nothing there" if empty else "",
        f"not there: {absent}" if absent else "",
        _to_do(tried, source),
    )
    return printable("; ".join(part for part in parts if part))


def _to_do(tried: Sequence[Tried], source: str | None) -> str:
    if any(each.needs.startswith("root") for each in tried):
        return "run it as root, on the pod's node"
    if source:
        return "without --source every source is asked"
    return "run it on the pod's node, or from elsewhere kubehop pod ip NAME --context CONTEXT"


def _cri(_: str) -> str:
    from kubehop.sandbox.cri.endpoints import KNOWN

    first, *others = KNOWN
    return (
        f"a CRI socket ({first} and {len(others)} other places; runtime-endpoint in "
        "/etc/crictl.yaml names one elsewhere)"
    )


def _docker(_: str) -> str:
    from kubehop.sandbox.docker.sockets import PLACES

    return f"docker's socket (/{PLACES[0]}; DOCKER_HOST names one elsewhere)"


def _lab(source: str) -> str:
    """`lab` is any, `lab:NAME` one."""
    from kubehop.cli.pod.labs import state_place

    name = source.partition(":")[2]
    return f"{f'lab {name}' if name else 'a lab'} of this user ({state_place()})"


_ABSENT: dict[str, Callable[[str], str]] = {"cri": _cri, "docker": _docker, "lab": _lab}
