"""What `kubectl delete` of an object takes with it, before controllers act on it."""

import difflib
from collections.abc import Callable, Iterable, Mapping, Set

from kubehop.model.cluster import sort_key
from kubehop.model.errors import UsageError
from kubehop.model.kinds import KINDS
from kubehop.model.meta import Object
from kubehop.model.workloads import Job, ReplicaSet
from kubehop.workload import owners
from kubehop.workload.following.state import FIELDS, Name, Turn
from kubehop.workload.following.workloads import CLASSES, Workloads
from kubehop.workload.owners import Key

IMMORTAL = ("default", "kube-system", "kube-public")
"""Namespaces that the API server never deletes (admission plugin NamespaceLifecycle)."""


def removed(turn: Turn, keys: Iterable[Key]) -> Turn:
    """The turn without these objects, each there at first, and without what goes with them."""
    wanted = tuple(dict.fromkeys(keys))
    for key in wanted:
        check_there(turn, key)
    for kind, namespace, name in wanted:
        turn = _removers().get(kind, _object)(turn, (kind, namespace, name))
    return turn


def check_there(turn: Turn, key: Key) -> None:
    """Raise UsageError with what is near for an object that is not there."""
    kind, namespace, name = key
    if kind not in KINDS:
        raise UsageError(f"no kind {kind!r}{_near(kind, KINDS)}")
    there = names(turn, kind)
    if (namespace, name) not in there:
        shown = {_shown(each): each for each in sorted(there)}
        wanted = _shown((namespace, name))
        raise UsageError(f"no {kind} {wanted}{_near(wanted, shown)}")


def _shown(name: Name) -> str:
    return "/".join(filter(None, name))


def _near(word: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(word, list(known), n=3)
    return f"; did you mean {' or '.join(found)}?" if found else ""


def names(turn: Turn, kind: str) -> Set[Name]:
    """The names of all objects of a kind, workloads that only pods tell of among them."""
    if kind in FIELDS:
        return {sort_key(obj) for obj in getattr(turn.cluster, FIELDS[kind])}
    given = {sort_key(obj) for obj in turn.inventory.objects.get(kind, ())}
    if kind not in CLASSES:
        return given
    parents = owners.parents(turn.inventory)
    lines = (owners.lineage(pod, parents) for pod in turn.cluster.pods)
    return given | {(space, name) for line in lines for each, space, name in line if each == kind}


def _object(turn: Turn, key: Key) -> Turn:
    """One object alone."""
    kind, namespace, name = key
    return turn.without(kind, {(namespace, name)})


def _pod(turn: Turn, key: Key) -> Turn:
    """A pod, which its workload replaces; one that has ended was counted already."""
    pod = turn.cluster.pod(*key[1:])
    decider = Workloads.of(turn).decider(pod) if pod and not pod.finished else None
    return _object(turn.touching(decider) if decider else turn, key)


def _service(turn: Turn, key: Key) -> Turn:
    """A Service, and with it the Endpoints of its name (`pkg/controller/endpoint`)."""
    return _object(turn, key).without("Endpoints", {key[1:]})


def _workload(turn: Turn, key: Key) -> Turn:
    """A workload with what it manages, down to pods; what manages it makes it again."""
    parents = owners.parents(turn.inventory)
    own = {sort_key(pod) for pod in turn.cluster.pods if key in owners.lineage(pod, parents)}
    turn = _object(turn, key).without("Pod", own)
    for kind in (ReplicaSet, Job):
        managed = {sort_key(o) for o in turn.inventory.of(kind) if owners.controller(o) == key}
        turn = turn.without(kind.__name__, managed)
    above = parents.get(key)
    return turn.touching(above) if above else turn


def _namespace(turn: Turn, key: Key) -> Turn:
    """A namespace with everything in it. Raises UsageError for those that always are."""
    name = key[2]
    if name in IMMORTAL:
        raise UsageError(f"Namespace {name}: this namespace may not be deleted")
    for kind in KINDS:
        inside = {each for each in _stored(turn, kind) if each[0] == name}
        turn = turn.without(kind, inside)
    return _object(turn, key)


def _stored(turn: Turn, kind: str) -> Iterable[Name]:
    objects: tuple[Object, ...] = turn.inventory.objects.get(kind, ())
    if kind in FIELDS:
        objects = (*objects, *getattr(turn.cluster, FIELDS[kind]))
    return map(sort_key, objects)


Remover = Callable[[Turn, Key], Turn]


def _removers() -> Mapping[str, Remover]:
    own: dict[str, Remover] = {"Pod": _pod, "Service": _service, "Namespace": _namespace}
    return own | dict.fromkeys(CLASSES, _workload)
