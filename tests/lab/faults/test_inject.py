"""From words to faults, and what stands with them; clusters and plans are values only."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubehop.example import cluster as example
from kubehop.lab.faults import FAULTS, Injected, Parameter, Place, added, chosen, faulty, healed
from kubehop.lab.plan.build import build_plan
from kubehop.lab.plan.difference import difference
from kubehop.lab.plan.inputs import begin
from kubehop.lab.plan.values import Plan
from kubehop.model.cluster import Cluster
from kubehop.model.errors import UsageError
from kubehop.model.meta import Object
from kubehop.workload.options import Options
from tests.lab.faults.places import everywhere
from tests.lab.plan.kernel_model import KernelModel
from tests.strategies import OPTIONS, completed, objects
from tests.workload.making import of_objects

NOTES = example()
PLAN = build_plan(NOTES)
NODE, TO, POD, SERVICE = Parameter


def choose(
    name: str, given: dict[Parameter, str], cluster: Cluster = NOTES, plan: Plan = PLAN
) -> Injected:
    return chosen(name, given, cluster, plan, "default")


def test_every_fault_fits_the_notes_cluster() -> None:
    assert {one.fault for one in everywhere(NOTES, PLAN)} == set(FAULTS)


def test_rows_say_all_that_a_user_wants_to_know() -> None:
    for name, row in FAULTS.items():
        assert name == row.name
        assert all((row.summary, row.symptom, row.cause, row.fix))
        assert row.summary.endswith(".")


def test_names_become_whole() -> None:
    assert choose("server-stopped", {POD: "coredns.kube-system"}) == Injected(
        "server-stopped", Place(pod="kube-system/coredns")
    )
    assert choose("wrong-nameserver", {POD: "pod/busybox"}).place.pod == "default/busybox"
    assert choose("health-lies", {SERVICE: "svc/example-service"}).place == Place(
        service="default/example-service"
    )


def test_which_of_two_nodes_comes_first_does_not_matter() -> None:
    one = choose("overlay-dropped", {NODE: "node-2", TO: "node/node-0"})
    assert one == choose("overlay-dropped", {NODE: "node-0", TO: "node-2"})
    assert one.label == "overlay-dropped --node node-0 --to node-2"


USAGE = "kubehop lab fault add"


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("dns-lopping", {}, "no fault dns-lopping: did you mean dns-looping"),
        ("xyzzy", {}, f"no fault xyzzy: there is {', '.join(FAULTS)}"),
        ("rules-gone", {}, f"rules-gone needs --node: {USAGE} rules-gone --node NODE"),
        (
            "dns-gone",
            {NODE: "node-0"},
            f"dns-gone has no --node: {USAGE} dns-gone [--pod POD]",
        ),
        ("rules-gone", {NODE: "node-7"}, "no Node node-7; there is node-"),
        ("server-stopped", {POD: "whoami"}, "no Pod default/whoami; there is default/whoami-"),
        ("server-stopped", {POD: "busybox"}, "server-stopped: Pod default/busybox has no server"),
        (
            "overlay-dropped",
            {NODE: "node-0", TO: "node-0"},
            "overlay-dropped: --node and --to are the same node",
        ),
        ("dns-gone", {POD: "busybox"}, "dns-gone: Pod default/busybox is not behind Service kube"),
        ("dns-refusing", {POD: "busybox"}, "dns-refusing: Pod default/busybox is no DNS server"),
        ("health-lies", {SERVICE: "whoami"}, "health-lies: Service default/whoami has no health"),
    ],
)
def test_what_does_not_fit_is_one_line(name: str, given: dict[Parameter, str], said: str) -> None:
    with pytest.raises(UsageError) as error:
        choose(name, given)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


def test_a_health_check_cannot_lie_where_it_is_right() -> None:
    service = NOTES.service("default", "example-service")
    assert service is not None
    here = {e.node_name for s in NOTES.slices_of(service) for e in s.endpoints or ()}
    node = min(name for name in here if name)
    with pytest.raises(UsageError, match="200 is no lie there"):
        choose("health-lies", {SERVICE: "example-service", NODE: node})


def test_without_an_overlay_there_is_none_to_drop() -> None:
    flat = completed([*NOTES.nodes, *NOTES.pods], Options(pod_network="kindnet"))
    with pytest.raises(UsageError, match="no overlay joins Node node-0 and Node node-1"):
        choose("overlay-dropped", {NODE: "node-0", TO: "node-1"}, flat, build_plan(flat))


# Healing

SOME = (
    Injected("dns-gone"),
    Injected("overlay-dropped", Place(node="node-0", to="node-1")),
    Injected("overlay-dropped", Place(node="node-0", to="node-2")),
    Injected("server-stopped", Place(pod="default/whoami-1")),
    Injected("wrong-nameserver", Place(pod="kube-system/coredns")),
)


@pytest.mark.parametrize(
    ("name", "given", "goes"),
    [
        ("", {}, SOME),
        ("dns-gone", {}, SOME[:1]),
        ("overlay-dropped", {}, SOME[1:3]),
        ("overlay-dropped", {NODE: "node-2"}, SOME[2:3]),
        ("overlay-dropped", {NODE: "node/node-2", TO: "node-0"}, SOME[2:3]),
        ("server-stopped", {POD: "whoami-1"}, SOME[3:4]),
        ("wrong-nameserver", {POD: "coredns.kube-system"}, SOME[4:]),
        ("wrong-nameserver", {POD: "kube-system/coredns"}, SOME[4:]),
    ],
)
def test_healing_takes_what_is_named(
    name: str, given: dict[Parameter, str], goes: tuple[Injected, ...]
) -> None:
    stays, gone = healed(SOME, name, given)
    assert gone == goes
    assert stays == tuple(one for one in SOME if one not in goes)


def test_healing_what_is_not_there() -> None:
    said = "no fault mtu-hole --node n in this lab; there is: dns-gone"
    with pytest.raises(UsageError, match=said):
        healed(SOME[:1], "mtu-hole", {NODE: "n"})
    with pytest.raises(UsageError, match="did you mean mtu-hole"):
        healed(SOME, "mtu-hol")
    assert healed(()) == ((), ())


def test_a_fault_goes_with_its_object() -> None:
    without = replace(NOTES, pods=tuple(p for p in NOTES.pods if p.name != "busybox"))
    lost = Injected("wrong-nameserver", Place(pod="default/busybox"))
    found = faulty(without, [lost, SOME[0]], build_plan)
    assert (found.faults, found.healed) == (SOME[:1], (lost,))


def test_a_fault_of_a_pod_outlives_another_that_hides_the_pod() -> None:
    both = (Injected("dns-gone"), Injected("wrong-nameserver", Place(pod="kube-system/coredns")))
    assert faulty(NOTES, both, build_plan).faults == both


def test_the_same_twice_is_refused() -> None:
    assert added(SOME[:1], SOME[1]) == SOME[:2]
    with pytest.raises(UsageError, match=r"dns-gone is in this lab already"):
        added(SOME, SOME[0])


def test_a_corefile_that_is_given_loops_as_well() -> None:
    text = ".:53 {\n    forward . 10.0.0.1\n    loop\n}\n"
    plan = faulty(NOTES, [Injected("dns-looping")], build_plan, text).plan
    assert {s.corefile for s in plan.nameservers if s.pod} == {
        ".:53 {\n    forward . /etc/resolv.conf\n}\n"
    }


# Properties


def with_dns(found: list[Object], options: Options) -> Cluster:
    """As a lab begins: with cluster DNS, which the drawn objects do not have."""
    return begin(of_objects(found), options).cluster


CLUSTERS = st.builds(with_dns, objects(), OPTIONS)


@given(CLUSTERS, st.data())
@settings(max_examples=60)
def test_faults_come_and_go_without_a_trace(cluster: Cluster, data: st.DataObject) -> None:
    """Whatever their order; and healing gives the very plan, since nothing else is kept."""
    plan = build_plan(cluster)
    some = data.draw(st.lists(st.sampled_from(everywhere(cluster, plan)), max_size=4, unique=True))
    found = faulty(cluster, some, build_plan)
    assert found.healed == ()
    assert faulty(cluster, data.draw(st.permutations(some)), build_plan) == found
    assert faulty(cluster, healed(found.faults)[0], build_plan).plan == plan
    kernel = KernelModel(plan.things)
    for old, new in ((plan, found.plan), (found.plan, plan)):
        kernel.apply(difference(old, new))
        kernel.same_as(new)


@given(CLUSTERS, st.data())
@settings(max_examples=60)
def test_every_fault_changes_what_is_done(cluster: Cluster, data: st.DataObject) -> None:
    plan = build_plan(cluster)
    one = data.draw(st.sampled_from(everywhere(cluster, plan)))
    alone = faulty(cluster, [one], build_plan).plan
    assert alone != plan
    assert difference(plan, alone) or alone.listeners != plan.listeners or _asked(alone, plan)


def _asked(one: Plan, other: Plan) -> bool:
    return one.nameservers != other.nameservers
