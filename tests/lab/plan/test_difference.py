"""What turns one lab into another, on a kernel that forgives nothing."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubehop.example import cluster as example
from kubehop.lab.plan.build import build_plan
from kubehop.lab.plan.difference import difference
from kubehop.lab.plan.rules import load_text
from kubehop.lab.plan.values import (
    FABRIC,
    Address,
    Drop,
    Hook,
    Make,
    Neighbour,
    Nft,
    Plan,
    Remove,
    Rewrite,
    Route,
    Sandbox,
    Step,
    Thing,
    Veth,
)
from kubehop.model.cluster import Cluster
from tests.clusters import cluster, node, pod
from tests.lab.plan.kernel_model import KernelModel, keys_of
from tests.strategies import CLUSTERS

NOTES = build_plan(example())
PODS = (pod("a", "10.42.0.2", "n0"), pod("b", "10.42.1.2", "n1"))


def changed(old: Plan, new: Plan) -> tuple[Step, ...]:
    """The steps, after they have been tried."""
    steps = difference(old, new)
    kernel = KernelModel(old.things)
    kernel.apply(steps)
    kernel.same_as(new)
    return steps


def removed(steps: tuple[Step, ...]) -> list[Thing]:
    return [step.thing for step in steps if isinstance(step, Remove)]


def made(steps: tuple[Step, ...]) -> list[Thing]:
    return [step.thing for step in steps if isinstance(step, Make)]


@given(CLUSTERS)
@settings(max_examples=50)
def test_nothing_to_do_for_the_same(found: Cluster) -> None:
    assert difference(build_plan(found), build_plan(replace(found))) == ()


@given(CLUSTERS, CLUSTERS)
@settings(max_examples=150)
def test_one_lab_becomes_another(old: Cluster, new: Cluster) -> None:
    changed(Plan(), build_plan(old))
    changed(build_plan(old), build_plan(new))
    changed(build_plan(old), Plan())


@given(CLUSTERS, st.data())
@settings(max_examples=150)
def test_any_part_may_change(found: Cluster, data: st.DataObject) -> None:
    """Things that no cluster would take away alone: faults do, and so does the next version."""
    whole = build_plan(found)
    chosen = data.draw(st.sets(st.sampled_from(range(len(whole.things))), max_size=8))
    less = [thing for at, thing in enumerate(whole.things) if at not in chosen]
    part = Plan(things=tuple(_standing(less)))
    changed(whole, part)
    changed(part, whole)


def _standing(things: list[Thing]) -> list[Thing]:
    """Those that need nothing that is not among them."""
    kernel, found = KernelModel(), []
    for thing in things:
        if all(key in kernel.keys for key in kernel.needs(thing)):
            kernel.make(thing)
            found.append(thing)
    return found


def test_up_makes_everything_in_order_and_loads_the_rules_whole() -> None:
    steps = changed(Plan(), NOTES)
    assert made(steps) == list(NOTES.things)
    assert steps[len(NOTES.things) :] == tuple(
        Nft(name, load_text(ruleset)) for name, ruleset in NOTES.rulesets.items()
    )


def test_down_is_a_removal_of_every_sandbox_and_nothing_else() -> None:
    steps = changed(NOTES, Plan())
    boxes = [thing for thing in NOTES.things if isinstance(thing, Sandbox)]
    assert steps == tuple(map(Remove, reversed(boxes)))


def test_a_pod_that_goes_is_one_step() -> None:
    (step,) = (
        step
        for step in changed(build_plan(cluster(*PODS)), build_plan(cluster(PODS[0])))
        if not isinstance(step, Nft)
    )
    assert isinstance(step, Remove)
    assert isinstance(step.thing, Sandbox)
    assert step.thing.namespace == "pod/default/b"


def test_a_pod_that_comes_leaves_the_others_alone() -> None:
    steps = changed(build_plan(cluster(PODS[0])), build_plan(cluster(*PODS)))
    assert not removed(steps)
    touched = {thing.namespace for thing in made(steps)}
    assert touched == {"pod/default/b", "node/n1"}


def test_a_pod_that_moves_goes_first() -> None:
    moved = pod("b", "10.42.0.7", "n0")
    steps = changed(build_plan(cluster(*PODS)), build_plan(cluster(PODS[0], moved)))
    kinds = [type(thing) for thing in removed(steps)]
    # Its sandbox looks the same and stays; the link to the old node goes, with all on it.
    assert kinds == [Veth]


def test_files_change_in_place_and_a_hostname_does_not() -> None:
    box = next(thing for thing in NOTES.things if isinstance(thing, Sandbox) and thing.files)
    (path, text), *others = box.files
    other = replace(box, files=((path, text + "#\n"), *others))
    assert changed(NOTES, with_other(box, other)) == (Rewrite(other),)
    renamed = replace(box, hostname="other")
    steps = changed(NOTES, with_other(box, renamed))
    assert removed(steps) == [box]
    assert renamed in made(steps)


def with_other(old: Thing, new: Thing) -> Plan:
    return replace(NOTES, things=tuple(new if t == old else t for t in NOTES.things))


def test_a_node_that_loses_its_only_address_gets_its_routes_again() -> None:
    """With the last IPv4 address the kernel takes the default route and the neighbours."""
    old, new = Address("node/n1", "eth0", "192.168.0.11/32"), "192.168.0.77"
    before = build_plan(cluster(node(0), node(1)))
    moved = node(1, second=new)
    assert moved.status
    status = type(moved.status)(addresses=(moved.status.addresses or ())[1:])
    after = build_plan(cluster(node(0), type(moved)(moved.metadata, moved.spec, status)))
    steps = changed(before, after)
    assert old in removed(steps)
    default = Route("node/n1", "0.0.0.0/0", "eth0", "169.254.1.1")
    assert default in before.things
    assert default in made(steps)
    assert default not in removed(steps)
    assert any(isinstance(t, Neighbour) and t.namespace == "node/n1" for t in made(steps))


def test_a_new_first_address_comes_before_the_others() -> None:
    before = build_plan(cluster(node(0)))
    raw = node(0, second="192.168.0.5")
    assert raw.status
    addresses = tuple(reversed(raw.status.addresses or ()))
    turned = type(raw)(raw.metadata, raw.spec, type(raw.status)(addresses=addresses))
    changed(before, build_plan(cluster(turned)))


@pytest.mark.parametrize("gone", [NOTES, replace(NOTES, drops=frozenset())])
def test_rules_that_go_take_their_tables(gone: Plan) -> None:
    name = "node/node-0"
    without = replace(gone, rulesets={n: r for n, r in gone.rulesets.items() if n != name})
    (step,) = changed(gone, without)
    assert isinstance(step, Nft)
    assert step.namespace == name
    assert step.text.startswith("delete table ip kubehop\n")
    assert changed(without, gone) == (Nft(name, load_text(gone.rulesets[name])),)


def test_rules_of_a_sandbox_that_is_made_again_are_loaded_whole() -> None:
    box = next(t for t in NOTES.things if isinstance(t, Sandbox) and t.namespace == "node/node-1")
    steps = changed(NOTES, with_other(box, replace(box, hostname="other")))
    rules = [step for step in steps if isinstance(step, Nft)]
    assert rules == [Nft("node/node-1", load_text(NOTES.rulesets["node/node-1"]))]


def test_drops_are_replaced_whole_where_they_change() -> None:
    one, other = (Drop(FABRIC, Hook.FORWARD, match) for match in ("udp dport 1", "udp dport 2"))
    some, more = (
        replace(NOTES, drops=frozenset({one})),
        replace(NOTES, drops=frozenset({one, other})),
    )
    for old, new, words in ((NOTES, some, 1), (some, more, 2), (more, NOTES, 0)):
        (step,) = changed(old, new)
        assert isinstance(step, Nft)
        assert step.namespace == FABRIC
        assert step.text.count("udp dport") == words
    assert changed(more, replace(more)) == ()


def test_an_equal_ruleset_needs_no_words() -> None:
    found = dict(NOTES.rulesets)
    same = {name: replace(r, elements=dict(r.elements)) for name, r in found.items()}
    assert changed(NOTES, replace(NOTES, rulesets=same)) == ()


def test_the_model_of_a_kernel_can_say_no() -> None:
    kernel = KernelModel(NOTES.things)
    for thing in NOTES.things[:3]:
        with pytest.raises(AssertionError):
            kernel.make(thing)
    with pytest.raises(AssertionError):
        kernel.remove(Sandbox("nowhere", "nowhere"))
    assert all(keys_of(thing) for thing in NOTES.things)
