"""What holds for every cluster that is followed, whatever is done to it."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from kubehop.model.cluster import Cluster, sort_key
from kubehop.model.errors import UsageError
from kubehop.model.inventory import Inventory
from kubehop.model.meta import Object
from kubehop.model.node import Node
from kubehop.model.pod import Pod
from kubehop.model.service import Endpoints, EndpointSlice, Service
from kubehop.model.workloads import DaemonSet, Deployment, StatefulSet, Workload
from kubehop.workload.complete import complete
from kubehop.workload.fit import admitted
from kubehop.workload.following import (
    Following,
    applied,
    conditioned,
    deleted,
    described,
    scaled,
    start,
)
from kubehop.workload.following.workloads import active
from kubehop.workload.options import Options
from kubehop.workload.owners import controller, key
from kubehop.workload.replicas import daemon_spec
from tests.workload.making import deployment, inventory, node, of_objects, pod, service
from tests.workload.test_properties import SELECTORS, SERVICES, STATUS, ZONE

OPTIONS = st.builds(
    Options,
    nodes=st.integers(1, 4),
    zones=st.integers(0, 3),
    service_cidrs=st.sampled_from([None, None, ("10.43.0.0/16", "fd00:10:43::/112")]),
)
CIDRS = ("", "podCIDR: 10.42.{}.0/24", "podCIDR: 10.1.{}.0/29")
MORE_SERVICES = (
    *SERVICES,
    "annotations",
    "sessionAffinity: ClientIP",
    "externalIPs: [198.51.100.7]",
)


def _workload(kind: str, name: str, replicas: int, spec: str) -> str:
    text = deployment(name, replicas, pod=spec).replace("kind: Deployment", f"kind: {kind}")
    return text.replace(f"replicas: {replicas}", "") if kind == "DaemonSet" else text


@st.composite
def workload(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["Deployment", "Deployment", "StatefulSet", "DaemonSet"]))
    number = draw(st.integers(0, 2))
    spec = draw(st.sampled_from(SELECTORS))
    return _workload(kind, f"{kind[:2].lower()}{number}", draw(st.integers(0, 5)), spec)


@st.composite
def some_service(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(["de0", "de1", "de2", "st0", "st1", "da0", "web"]))
    spec = draw(st.sampled_from(MORE_SERVICES))
    text = service(name, "" if spec == "annotations" else spec)
    if spec == "annotations":
        auto = 'annotations: {service.kubernetes.io/topology-mode: "Auto"}'
        text = text.replace(f"{{name: {name}}}", f"{{name: {name}, {auto}}}", 1)
    return text


@st.composite
def some_node(draw: st.DrawFn) -> str:
    number = draw(st.integers(0, 4))
    cidr = draw(st.sampled_from(CIDRS)).format(number)
    taint = draw(st.sampled_from(["", "", "taints: [{key: own, effect: NoSchedule}], "]))
    labels = ZONE.format(draw(st.integers(0, 2)), draw(st.sampled_from(["ssd", "tape"])))
    return node(f"n{number}", taint + cidr, labels, f"192.0.2.{number + 1}")


@st.composite
def some_pod(draw: st.DrawFn) -> str:
    number = draw(st.integers(0, 3))
    at = draw(st.sampled_from(["", "nodeName: n0", "nodeName: n1", "nodeName: gone"]))
    return pod(f"p{number}", at, draw(st.sampled_from(STATUS)).format(number))


ANYTHING = st.one_of(workload(), workload(), some_service(), some_node(), some_pod())


def _distinct(texts: Iterable[str]) -> str:
    """One document for each object: what is read is free of contradictions."""
    found = {}
    for text in texts:
        (obj,) = (obj for kind in inventory(text).objects.values() for obj in kind)
        found[key(obj)] = text
    return "".join(found.values())


MANIFESTS = st.lists(ANYTHING, max_size=8).map(_distinct)


def begun(text: str, options: Options) -> Following:
    return start(inventory(text), options)


Operation = Callable[[Following], Following]


@st.composite
def operation(draw: st.DrawFn, following: Following) -> Operation:
    """Something that can be done to the cluster, or that is refused."""
    cluster, given = following.cluster, following.inventory
    counted = [*given.of(Deployment), *given.of(StatefulSet)]
    things: list[Object] = [*cluster.pods, *cluster.services, *cluster.nodes, *counted]
    things += given.of(DaemonSet)
    kinds = ["apply", *(["set"] if cluster.pods else []), *(["scale"] if counted else [])]
    match draw(st.sampled_from([*kinds, *(["delete"] if things else [])])):
        case "apply":
            text = _distinct(draw(st.lists(ANYTHING, min_size=1, max_size=3)))
            return lambda f: applied(f, inventory(text))
        case "set":
            chosen = draw(st.sampled_from(cluster.pods))
            word = draw(st.sampled_from(["ready", "not-ready", "terminating"]))
            return lambda f: conditioned(f, chosen.namespace, chosen.name, word)
        case "scale":
            found = draw(st.sampled_from(counted))
            number = draw(st.integers(0, 6))
            return lambda f: scaled(f, type(found).__name__, "default", found.name, number)
        case _:
            keys = [key(draw(st.sampled_from(things)))]
            return lambda f: deleted(f, keys)


def tried(following: Following, act: Operation) -> Following:
    """What follows; the same where the API server refuses."""
    try:
        return act(following)
    except UsageError:
        return following


STORIES = st.tuples(MANIFESTS, OPTIONS, st.data())


def tell(
    manifests: str, options: Options, data: st.DataObject
) -> Iterable[tuple[Following, Following]]:
    """Each state with the one before it."""
    now = begun(manifests, options)
    for _ in range(data.draw(st.integers(1, 5))):
        before, now = now, tried(now, data.draw(operation(now)))
        yield before, now


def addresses(cluster: Cluster) -> list[str]:
    pods = [p for p in cluster.pods if not p.host_network and not p.finished]
    return [
        *(ip for found in pods for ip in found.addresses),
        *(ip for found in cluster.nodes for ip in found.internal_ips),
        *(ip for found in cluster.services for ip in found.cluster_ips),
        *(entry.ip for found in cluster.services for entry in found.ingress if entry.ip),
    ]


@settings(max_examples=150)
@given(STORIES)
def test_nothing_is_given_twice(story: tuple[str, Options, st.DataObject]) -> None:
    for _, now in tell(*story):
        found = addresses(now.cluster)
        assert len(found) == len(set(found))
        ports = [p.node_port for s in now.cluster.services for p in s.ports if p.node_port]
        ports += [n for s in now.cluster.services if (n := s.spec.health_check_node_port)]
        assert len(ports) == len(set(ports))
        for kind in (now.cluster.pods, now.cluster.services, now.cluster.slices):
            names = list(map(sort_key, kind))
            assert names == sorted(set(names))


@settings(max_examples=150)
@given(STORIES)
def test_slices_are_those_that_complete_would_make(
    story: tuple[str, Options, st.DataObject],
) -> None:
    for _, now in tell(*story):
        found = now.cluster
        if not found.nodes:  # `complete` would imagine some
            continue
        objects = of_objects((*found.nodes, *found.pods, *found.services))
        again = complete(objects, replace(now.options, service_cidrs=found.service_cidrs))
        assert found.slices == again.slices


@settings(max_examples=150)
@given(STORIES)
def test_replicas_hold(story: tuple[str, Options, st.DataObject]) -> None:
    for _, now in tell(*story):
        for kind in (Deployment, StatefulSet, DaemonSet):
            for found in now.inventory.of(kind):
                _check_replicas(found, now)


def _check_replicas(found: Workload, now: Following) -> None:
    pods = [p for p in now.cluster.pods if controller(p) == key(found)]
    if isinstance(found, Deployment):
        assert sum(map(active, pods)) == (1 if found.spec.replicas is None else found.spec.replicas)
    elif isinstance(found, StatefulSet):
        ordinals = {f"{found.name}-{n}" for n in range(found.spec.replicas or 0)}
        assert {p.name for p in pods if active(p)} <= ordinals <= {p.name for p in pods}
    elif isinstance(found, DaemonSet):
        at = [p.node_name for p in pods if active(p)]
        assert len(at) == len(set(at))
        everywhere = {p.node_name for p in pods}
        assert {n.name for n in admitted(daemon_spec(found), now.cluster.nodes)[0]} <= everywhere


def _stands(before: Pod, now: Pod) -> bool:
    """True if a pod is where it was, or came to be somewhere for the first time."""
    if before.phase == "Pending" or not before.addresses:
        return before.node_name in ("", now.node_name)
    return (before.node_name, before.addresses) == (now.node_name, now.addresses)


@settings(max_examples=200)
@given(STORIES)
def test_what_is_not_concerned_stays(story: tuple[str, Options, st.DataObject]) -> None:
    manifests, options, data = story
    now = begun(manifests, options)
    for _ in range(data.draw(st.integers(1, 5))):
        before, text = now, _distinct(data.draw(st.lists(ANYTHING, min_size=1, max_size=2)))
        now = tried(now, lambda f, text=text: applied(f, inventory(text)))  # type: ignore[misc]
        concerned = {key(obj) for kind in inventory(text).objects.values() for obj in kind}
        if any(kind == "Node" for kind, _, _ in concerned):
            concerned |= {key(found) for found in before.inventory.of(DaemonSet)}
        _check_standing(before.cluster, now.cluster, concerned)


def _check_standing(old: Cluster, new: Cluster, concerned: set[tuple[str, str, str]]) -> None:
    for table in ("nodes", "services", "policies", "config_maps"):
        now = {key(obj): obj for obj in getattr(new, table)}
        for obj in getattr(old, table):
            assert key(obj) in concerned or now[key(obj)] == obj
    pods = {sort_key(found): found for found in new.pods}
    for found in old.pods:
        if key(found) not in concerned and controller(found) not in concerned:
            assert _stands(found, pods[sort_key(found)])


@settings(max_examples=100)
@given(STORIES)
def test_what_was_given_changes_nothing_when_it_is_applied_again(
    story: tuple[str, Options, st.DataObject],
) -> None:
    for _, now in tell(*story):
        assert applied(now, now.inventory) is now
        assert deleted(now, ()) is now


@settings(max_examples=100)
@given(STORIES)
def test_what_changed_is_told(story: tuple[str, Options, st.DataObject]) -> None:
    for before, now in tell(*story):
        lines = described(before.cluster, now.cluster)
        assert list(lines) == sorted(lines)
        assert all(line and "\n" not in line for line in lines)
        shown = ("nodes", "namespaces", "pods", "services", "slices", "proxy", "service_cidrs")
        same = all(getattr(before.cluster, f) == getattr(now.cluster, f) for f in shown)
        assert same == (not lines)


@settings(max_examples=100)
@given(STORIES)
def test_the_same_is_done_each_time(story: tuple[str, Options, st.DataObject]) -> None:
    manifests, options, data = story
    now = begun(manifests, options)
    act = data.draw(operation(now))
    assert tried(now, act) == tried(begun(manifests, options), act)


@settings(max_examples=100)
@given(MANIFESTS, st.lists(some_node(), min_size=1, max_size=4).map(_distinct), OPTIONS)
def test_all_at_once_or_onto_bare_nodes(manifests: str, nodes: str, options: Options) -> None:
    whole = _of_texts(manifests, nodes)
    try:
        later = applied(begun(nodes, options), whole)
    except UsageError:
        reject()
    at_once = complete(whole, options)
    assert at_once.service_cidrs == later.cluster.service_cidrs
    assert at_once.pods == later.cluster.pods
    assert at_once.services == later.cluster.services
    assert at_once.slices == later.cluster.slices
    assert at_once.namespaces == later.cluster.namespaces


def _of_texts(manifests: str, nodes: str) -> Inventory:
    kept = [obj for kind, found in inventory(manifests).objects.items() for obj in found]
    named = inventory(nodes).of(Node)
    return of_objects([*(obj for obj in kept if not isinstance(obj, Node)), *named])


@settings(max_examples=100)
@given(STORIES)
def test_the_order_of_what_is_independent_changes_nothing(
    story: tuple[str, Options, st.DataObject],
) -> None:
    manifests, options, data = story
    now = begun(manifests, options)
    free = [p for p in now.cluster.pods if controller(p) is None and p.addresses]
    free = [p for p in free if p.phase == "Running"]
    services = now.cluster.services
    assume(free and services)
    chosen, gone = data.draw(st.sampled_from(free)), data.draw(st.sampled_from(services))
    word = data.draw(st.sampled_from(["ready", "not-ready", "terminating"]))

    def first(f: Following) -> Following:
        return conditioned(f, chosen.namespace, chosen.name, word)

    def second(f: Following) -> Following:
        return deleted(f, [key(gone)])

    one, other = second(first(now)), first(second(now))
    assert one.cluster.pods == other.cluster.pods
    assert one.cluster.services == other.cluster.services
    assert one.cluster.slices == other.cluster.slices


@settings(max_examples=50)
@given(STORIES)
def test_nothing_is_left_when_all_is_deleted(story: tuple[str, Options, st.DataObject]) -> None:
    *_, (_, now) = tell(*story)
    given_ = [key(obj) for kind, found in now.inventory.objects.items() for obj in found]
    workloads = [k for k in given_ if k[0] in ("Deployment", "StatefulSet", "DaemonSet")]
    now = deleted(now, workloads)
    now = deleted(now, [key(found) for found in now.cluster.pods])
    now = deleted(now, [key(found) for found in now.cluster.services])
    assert not [*now.cluster.pods, *now.cluster.services, *now.cluster.slices]
    assert not any(now.inventory.of(kind) for kind in (Pod, Service, EndpointSlice, Endpoints))
