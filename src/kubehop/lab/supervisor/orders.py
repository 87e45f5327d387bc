"""What a lab can be told, by name: each takes the state, the order and what tells progress."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from kubehop.lab.faults import Injected, Parameter, added, chosen, fault_named, healed
from kubehop.lab.observe import COUNTS, Question, as_json, observe
from kubehop.lab.observe_names import compare_lookup, files_there, lookup_comparison_json
from kubehop.lab.plan.build import build_plan
from kubehop.lab.plan.listing import plan_json
from kubehop.lab.plan.values import FABRIC, OUTSIDE, node_namespace, pod_namespace
from kubehop.lab.probe.prober import Prober
from kubehop.lab.probe.values import fabric_links
from kubehop.lab.room import check_pods, check_replicas
from kubehop.lab.supervisor.messages import Message
from kubehop.lab.supervisor.state import Faults, State
from kubehop.lab.supervisor.status import status
from kubehop.model.errors import UsageError
from kubehop.model.inventory import Inventory
from kubehop.model.pod import Pod
from kubehop.service.frontends import FrontendKind
from kubehop.source.read import read
from kubehop.source.snapshot import write
from kubehop.trace.questions import find_node, find_pod, parse_origin
from kubehop.workload.following import applied, conditioned, deleted, scaled

Progress = Callable[[str], None]


def _status(state: State, _order: Message, _progress: Progress) -> Message:
    return status(state)


def _enter(state: State, order: Message, _progress: Progress) -> Message:
    """Where a program is to run: the PID of what holds that sandbox, and the files that it sees
    besides, for a pod on the host's network has its own."""
    where, namespace = _text(order, "where"), _text(order, "namespace", "default")
    place = _namespace(state, where, namespace)
    _check_container(state, place, _text(order, "container", ""))
    files = files_there(state.lab.cluster, _pod(state, where, namespace))
    return {"namespace": place, "pid": state.lab.kernel.pid(place), "files": files}


def _pod(state: State, where: str, namespace: str) -> Pod | None:
    kind, _, name = where.partition("/")
    if where in (OUTSIDE, FABRIC) or (kind == "node" and name):
        return None
    return find_pod(state.lab.cluster, where.removeprefix("pod/"), namespace)


def _namespace(state: State, where: str, namespace: str) -> str:
    """`POD`, `pod/POD`, `node/NODE`, `outside` or `fabric`."""
    kind, _, name = where.partition("/")
    if where in (OUTSIDE, FABRIC):
        return where
    if kind == "node" and name:
        return node_namespace(find_node(state.lab.cluster, name).name)
    pod = find_pod(state.lab.cluster, where.removeprefix("pod/"), namespace)
    found = node_namespace(pod.node_name) if pod.host_network else _sandbox(pod)
    boxes = {thing.namespace for thing in state.lab.plan.things}
    if found not in boxes:
        raise UsageError(f"{pod.reference} is not in the lab: {pod.phase or 'it is on no node'}")
    return found


def _sandbox(pod: Pod) -> str:
    return pod_namespace(pod.namespace, pod.name)


def _check_container(state: State, place: str, container: str) -> None:
    """Containers of a pod share its sandbox, so any name of theirs leads there."""
    if not container:
        return
    pod = next((p for p in state.lab.cluster.pods if _sandbox(p) == place), None)
    spec = pod.spec if pod else None
    every = (*(spec.containers or ()), *(spec.init_containers or ())) if spec else ()
    names = [one.name for one in every]
    if container not in names:
        raise UsageError(f"no container {container} in {place}; there is {', '.join(names)}")


def _apply(state: State, order: Message, progress: Progress) -> list[str]:
    inventory = _inventory(order)
    check_pods(inventory)
    return state.change(lambda following: applied(following, inventory), progress)


def _inventory(order: Message) -> Inventory:
    """The files that came with the order."""
    named = list(_files(order))
    found = read(named, namespace=_text(order, "namespace", "default"))
    if not any(found.objects.values()):
        raise UsageError(f"{', '.join(name for name, _ in named)}: no object of a network")
    return found


def _files(order: Message) -> Iterator[tuple[str, bytes]]:
    """Names and contents, `files: [[NAME, BASE64], ...]`."""
    files = order.get("files")
    if not isinstance(files, list) or not files:
        raise UsageError("no files were given")
    for file in files:
        match file:
            case [str(name), str(content)]:
                try:
                    yield name, base64.b64decode(content, validate=True)
                except ValueError as error:
                    raise UsageError(f"{name}: not in base64: {error}") from error
            case _:
                raise UsageError("a file is a name and its content, in base64")


def _delete(state: State, order: Message, progress: Progress) -> list[str]:
    if "files" in order:
        keys = [
            (kind, obj.namespace, obj.name)
            for kind, objects in _inventory(order).objects.items()
            for obj in objects
        ]
    else:
        keys = [(_text(order, "kind"), _text(order, "namespace", ""), _text(order, "name"))]
    return state.change(lambda following: deleted(following, keys), progress)


def _scale(state: State, order: Message, progress: Progress) -> list[str]:
    kind, namespace, name = (_text(order, word) for word in ("kind", "namespace", "name"))
    replicas = _number(order, "replicas")
    check_replicas(f"{kind} {namespace}/{name}", replicas)
    return state.change(lambda f: scaled(f, kind, namespace, name, replicas), progress)


def _set(state: State, order: Message, _progress: Progress) -> list[str]:
    pod = find_pod(state.lab.cluster, _text(order, "pod"), _text(order, "namespace", "default"))
    word = _text(order, "word")
    return state.change(lambda f: conditioned(f, pod.namespace, pod.name, word))


def _trace(state: State, order: Message, progress: Progress) -> Message:
    count = _number(order, "count")
    if count not in COUNTS:
        raise UsageError(f"{COUNTS[0]} to {COUNTS[-1]} connections, not {count}")
    via, protocol = _text(order, "via", ""), _text(order, "protocol", "")
    if via and via not in (kinds := [kind.value for kind in FrontendKind]):
        raise UsageError(f"via {via!r}: one of {', '.join(kinds)}")
    question = Question(
        _text(order, "from"),
        _text(order, "to"),
        count,
        protocol or None,
        FrontendKind(via) if via else None,
        _text(order, "node", ""),
        _text(order, "namespace", "default"),
    )
    lab = state.lab
    progress(f"{count} connections")
    with state.lock:
        lab.check_whole()
        prober = Prober(lab.kernel, fabric_links(lab.plan))
        # What ought to be, not what is: where a fault is the two are to differ.
        plan = build_plan(lab.cluster) if lab.faults else lab.plan
        return as_json(observe(lab.cluster, plan, prober, question))


def _resolve(state: State, order: Message, progress: Progress) -> Message:
    where, namespace = _text(order, "from"), _text(order, "namespace", "default")
    if where.partition("/")[0] not in ("pod", "node"):
        raise UsageError(f"FROM {where!r}: a lab asks from pod/NAME[.NAMESPACE] or node/NAME")
    lab = state.lab
    with state.lock:
        lab.check_whole()
        origin = parse_origin(lab.cluster, where, namespace)
        place = _namespace(state, where, namespace)
        found = compare_lookup(lab, origin, place, _text(order, "host"), progress)
        return lookup_comparison_json(found)


def _fault_add(state: State, order: Message, _progress: Progress) -> list[str]:
    name = _text(order, "fault")
    fault_named(name)
    lab = state.lab
    plan = build_plan(lab.cluster)
    found = chosen(name, _where(order), lab.cluster, plan, _text(order, "namespace", "default"))
    return [f"added: {found.label}", *state.with_faults(lambda there: added(there, found))]


def _fault_heal(state: State, order: Message, _progress: Progress) -> list[str]:
    name, namespace = _text(order, "fault", ""), _text(order, "namespace", "default")
    gone: list[Injected] = []

    def stay(there: Faults) -> Faults:
        stays, goes = healed(there, name, _where(order), namespace)
        gone.extend(goes)
        return stays

    lines = state.with_faults(stay)
    return [*(f"healed: {fault.label}" for fault in gone), *lines]


def _where(order: Message) -> dict[Parameter, str]:
    return {p: text for p in Parameter if (text := _text(order, p.value, ""))}


def _plan(state: State, _order: Message, _progress: Progress) -> Message:
    """The way from nothing to what stands, faults included."""
    return plan_json(state.lab.plan)


def _snapshot(state: State, _order: Message, _progress: Progress) -> Message:
    """The cluster that stands, as objects: what `kubehop trace -f` reads."""
    return {"content": base64.b64encode(write(_standing(state))).decode()}


def _standing(state: State) -> Inventory:
    """Workloads and the rest as given, and what controllers made of them as observed."""
    cluster = state.lab.cluster
    observed = {
        "Node": cluster.nodes,
        "Namespace": cluster.namespaces,
        "Pod": cluster.pods,
        "Service": cluster.services,
        "EndpointSlice": cluster.slices,
    }
    given = state.following.inventory
    return replace(given, objects={**given.objects, **observed})


def _text(order: Message, word: str, default: str | None = None) -> str:
    value = order.get(word, default)
    if value is None:
        raise UsageError(f"the order lacks {word}")
    if not isinstance(value, str):
        raise UsageError(f"{word}: expected text, not {type(value).__name__}")
    return value


def _number(order: Message, word: str) -> int:
    value = order.get(word)
    if not isinstance(value, int) or isinstance(value, bool):
        raise UsageError(f"{word}: expected a number")
    return value


ORDERS: dict[str, Callable[[State, Message, Progress], Any]] = {
    "status": _status,
    "enter": _enter,
    "apply": _apply,
    "delete": _delete,
    "scale": _scale,
    "set": _set,
    "trace": _trace,
    "resolve": _resolve,
    "fault-add": _fault_add,
    "fault-heal": _fault_heal,
    "plan": _plan,
    "snapshot": _snapshot,
}
