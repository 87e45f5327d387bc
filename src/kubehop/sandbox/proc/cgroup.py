"""Which container and pod a process belongs to, by the text of its /proc/PID/cgroup; no I/O.

cgroups(7): lines are `ID:CONTROLLERS:PATH`, that of cgroup v2 is `0::PATH`. On hosts with both the
container's path may be on either. A path is searched, never anchored: kind and docker put a
whole host below one container, runtimes put groups of their own below a container's, and
`/../..` leads it if the reader is in a group of its own.
"""

import re

from msgspec import Struct
from msgspec.structs import replace


class Place(Struct, frozen=True):
    """`container_id` and `pod_uid` are "" for a process outside of any; the uid has hyphens.

    `static`: the uid is the hash of a static pod. `runtime` is "" where the path does not tell.
    `outer` are containers around it, from the outside: the host that is a container (kind), or
    the one in which somebody runs a runtime.
    """

    container_id: str = ""
    pod_uid: str = ""
    static: bool = False
    runtime: str = ""
    outer: tuple[str, ...] = ()


NOWHERE = Place()

_UID = "[0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32}"
_POD = re.compile(rf"(?:.*-)?pod({_UID})(?:\.slice)?")
_CONTAINER = re.compile(r"(?:([a-z][a-z0-9_.-]*)[-_])?([0-9a-f]{64})(?:\.scope)?")
_LINE = re.compile("^[^:\n]*:[^:\n]*:(.*)$", re.MULTILINE)
_HINT = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}[-_]")
_BY_COLONS = re.compile(r"([^/:]*):([^/:]*):([0-9a-f]{64})")
"""`slice:prefix:id`: what runc is told for systemd, taken for a path where systemd is not used."""

_RUNTIMES = {
    "cri-containerd": "containerd",
    "nerdctl": "containerd",
    "crio": "cri-o",
    "docker": "docker",
    "libpod": "podman",
}
_PARENTS = {"docker": "docker", "libpod_parent": "podman"}
"""Groups that hold containers without a prefix, by driver cgroupfs."""
_PODMAN = "libpod_parent"
_MONITOR = "conmon"
_MACHINES, _OVERHEAD = "kata", "kata_overhead"
"""Groups of what runs a virtual machine: in no container. sandbox_cgroup_only or not."""
_DELETED = " (deleted)"
_LONGEST = 1 << 16


def host_around(first: Place, own: Place) -> tuple[str, ...]:
    """The containers that make up the host, by the places of PID 1 and of a process of its own.

    A node of kind that has the cgroup namespace of the host around it is a container by its own
    words. A pod whose containers share their processes has a PID 1, too, and is no host.
    """
    base = _outer(first)
    return base if not first.pod_uid and _outer(own)[: len(base)] == base else ()


def below(place: Place, host: tuple[str, ...]) -> Place:
    """The same as one of that host calls it: itself is no container of its own."""
    if host and place.outer[: len(host)] == host:
        return replace(place, outer=place.outer[len(host) :])
    return NOWHERE if host and place.container_id and _outer(place) == host else place


def place(text: str) -> Place:
    """The innermost container that any line knows; `NOWHERE` if none does."""
    best = NOWHERE
    # Most lines of cgroup v1 have the same path, and most processes are in no container.
    for path in dict.fromkeys(_LINE.findall(text[:_LONGEST])):
        if _HINT.search(path):
            best = max(best, _by_path(path.removesuffix(_DELETED)), key=_telling)
    return best


def _telling(place: Place) -> tuple[bool, bool, int]:
    return bool(place.container_id), bool(place.pod_uid), len(place.outer)


def _by_path(path: str) -> Place:
    """Goes inwards: a pod's group or a container's within a container begins another host."""
    found, before_pod, parent = NOWHERE, NOWHERE, ""
    for part in path.split("/"):
        pod, prefix, id = _part(part, parent)
        if prefix.endswith(_MONITOR):
            return before_pod if found.pod_uid and not found.container_id else found
        if pod:
            before_pod = found
            found = _in_pod(found, pod)
        if id:
            runtime = _RUNTIMES.get(prefix) or _PARENTS.get(parent, "")
            found = _in_container(found, id, runtime)
        parent = part
    return found


def _part(part: str, parent: str) -> tuple[str, str, str]:
    """The pod's uid, the prefix and the id of a container, as far as this part tells them."""
    slice, prefix, id = "", "", ""
    if colons := _BY_COLONS.fullmatch(part):
        slice, prefix, id = colons.groups()
    elif named := _CONTAINER.fullmatch(part):
        prefix, id = named[1] or "", named[2]
        is_podmans = parent == _PODMAN and not prefix  # a pod, with its containers below
        if is_podmans or prefix == _MACHINES or parent == _OVERHEAD:
            return "", "", ""
    pod = _POD.fullmatch(slice or part)
    return pod[1] if pod else "", prefix, id


def _in_pod(around: Place, uid: str) -> Place:
    return Place("", uid.replace("_", "-"), len(uid) == 32, "", _outer(around))


def _in_container(around: Place, id: str, runtime: str) -> Place:
    if around.container_id:  # a container that somebody runs inside of a container: no pod's
        return Place(id, "", False, runtime, _outer(around))
    return replace(around, container_id=id, runtime=runtime)


def _outer(around: Place) -> tuple[str, ...]:
    return (*around.outer, around.container_id) if around.container_id else around.outer
