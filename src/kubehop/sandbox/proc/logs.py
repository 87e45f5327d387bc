"""What pods and containers are called, by the names of their log files: the kubelet's work.

/var/log/pods holds folders NAMESPACE_NAME_UID, /var/log/containers links
NAME_NAMESPACE_CONTAINER-ID.log to files NAMESPACE_NAME_UID/CONTAINER/ATTEMPT.log in it (kubelet's
kuberuntime/{helpers,legacy}.go). Nobody needs root to list them. No link is followed.
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress

from msgspec import Struct

_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
_UID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}"
_FOLDER = re.compile(rf"({_LABEL})_({_NAME})_({_UID})")
_LINK = re.compile(rf"({_NAME})_({_LABEL})_({_LABEL})-([0-9a-f]{{64}})\.log")
_TARGET = re.compile(rf"(?:.*/)?{_FOLDER.pattern}/({_LABEL})/([0-9]{{1,9}})\.log")
_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Named(Struct, frozen=True):
    """A pod as the kubelet calls it; the uid of a static pod is its hash."""

    namespace: str
    name: str
    uid: str = ""


class NamedContainer(Struct, frozen=True):
    """A container with an id; `attempt` counts its restarts."""

    pod: Named
    name: str
    attempt: int = 0


class Names(Struct, frozen=True):
    """Pods by uid and containers by id; `unread` are folders that are there and not for us."""

    pods: dict[str, Named] = {}
    containers: dict[str, NamedContainer] = {}
    unread: tuple[str, ...] = ()


def read_names(root: str = "/") -> Names:
    """The names that /var/log below `root` tells; none where there is no such folder."""
    containers, unread = dict[str, NamedContainer](), []
    pods = dict[str, Named]()
    for folder in ("pods", "containers"):
        try:
            fd = _opened(root, "var", "log", folder)
        except PermissionError:
            unread.append(f"/var/log/{folder}")
            continue
        except OSError:
            continue
        try:
            if folder == "pods":
                pods = pods_of(os.listdir(fd))
            else:
                containers = containers_of(_links(fd))
        except PermissionError:
            unread.append(f"/var/log/{folder}")
        finally:
            os.close(fd)
    told = {each.pod.uid: each.pod for each in containers.values() if each.pod.uid}
    return Names(told | pods, containers, tuple(unread))


def pods_of(folders: Iterable[str]) -> dict[str, Named]:
    """By uid. One that two folders claim is nobody's."""
    found: dict[str, Named] = {}
    twice = set()
    for folder in folders:
        if named := _FOLDER.fullmatch(folder):
            pod = Named(named[1], named[2], named[3])
            if found.setdefault(pod.uid, pod) != pod:
                twice.add(pod.uid)
    return {uid: pod for uid, pod in found.items() if uid not in twice}


def containers_of(links: Iterable[tuple[str, str]]) -> dict[str, NamedContainer]:
    """By id, of names of links and what they point to ("" if that is not known).

    The target tells the pod's uid; a target that tells another pod than the link does not count.
    """
    found: dict[str, NamedContainer] = {}
    twice = set()
    for link, target in links:
        if not (named := _LINK.fullmatch(link)):
            continue
        container = NamedContainer(Named(named[2], named[1]), named[3])
        there = _TARGET.fullmatch(target)
        if there and (there[1], there[2], there[4]) == (named[2], named[1], named[3]):
            container = NamedContainer(Named(there[1], there[2], there[3]), there[4], int(there[5]))
        if found.setdefault(named[4], container) != container:
            twice.add(named[4])
    return {id: container for id, container in found.items() if id not in twice}


def _links(folder: int) -> Iterator[tuple[str, str]]:
    for name in os.listdir(folder):
        target = ""
        with suppress(OSError):
            target = os.readlink(name, dir_fd=folder)
        yield name, target


def _opened(root: str, *parts: str) -> int:
    """Step by step, so that no link below `root` leads out of it. Raises OSError."""
    fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in parts:
        try:
            below = os.open(part, _FLAGS, dir_fd=fd)
        finally:
            os.close(fd)
        fd = below
    return fd
