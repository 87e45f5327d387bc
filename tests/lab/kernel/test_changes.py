"""Generated networks: what is taken away and made again is as if it had always been there."""

from socket import if_nameindex
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubehop.lab.kernel import Base, Kernel
from kubehop.lab.plan.values import Make, Remove, Sandbox, Thing
from tests.lab.inside import as_everyone, in_lab
from tests.lab.kernel.world import ip, make, node, pod, remove, standing

Network = tuple[tuple[Thing, ...], ...]
_VARIES = {"ifindex", "link_index", "link_netnsid", "operstate", "flags"}
"""Numbers, and what the kernel tells later, of the end of a link that was up last."""


@st.composite
def networks(draw: st.DrawFn) -> tuple[Network, Network]:
    """Nodes, and pods on them: things by sandbox."""
    nodes = [node(f"node/n{number}") for number in range(draw(st.integers(1, 3)))]
    places = draw(st.lists(st.integers(0, len(nodes) - 1), max_size=5))
    pods = [pod(f"pod/x/p{n}", n, f"node/n{place}") for n, place in enumerate(places, 2)]
    return tuple(nodes), tuple(pods)


def state(kernel: Kernel, namespaces: list[str]) -> dict[str, Any]:
    shows = (("address",), ("-4", "route"), ("-6", "route"), ("-4", "neigh"), ("-6", "neigh"))
    return {
        f"{namespace} {show}": sorted(str(_plain(one)) for one in ip(kernel, namespace, *show))
        for namespace in namespaces
        for show in shows
    }


def _plain(found: Any) -> Any:
    if isinstance(found, dict):
        return {key: _plain(value) for key, value in found.items() if key not in _VARIES}
    return found


@as_everyone
@in_lab
def test_taken_away_and_made_again(base: Base, uid: int | None) -> None:
    suppressed = [HealthCheck.too_slow]

    @settings(max_examples=15, deadline=None, database=None, suppress_health_check=suppressed)
    @given(networks(), st.data())
    def check(network: tuple[Network, Network], data: st.DataObject) -> None:
        with standing(base) as kernel:
            changes(kernel, network, data)
        assert [name for _, name in if_nameindex()] == ["lo"]

    def changes(kernel: Kernel, network: tuple[Network, Network], data: st.DataObject) -> None:
        nodes, pods = network
        every = [thing for one in (*nodes, *pods) for thing in one]
        namespaces = [thing.namespace for thing in every if isinstance(thing, Sandbox)]
        kernel.apply(make(data.draw(st.permutations(every))))
        before = state(kernel, namespaces)
        some = data.draw(st.lists(st.sampled_from(pods), unique=True)) if pods else []
        for one in some:  # all that is its own, or what holds it; the kernel does the rest
            whole = data.draw(st.booleans())
            kernel.apply(remove(one) if whole else [Remove(one[0])])
        kernel.apply(make(thing for one in some for thing in one))
        after = state(kernel, namespaces)
        for what in before:
            assert after[what] == before[what]
        kernel.apply(remove(every))
        assert kernel.pids() == frozenset()

    check()


@as_everyone
@in_lab
def test_many_links_of_many_namespaces_go_at_once(base: Base, uid: int | None) -> None:
    nodes = [f"node/n{number}" for number in range(8)]
    pods = [pod(f"pod/x/{name[5:]}-{n}", n, name) for name in nodes for n in range(2, 8)]
    kernel = Kernel(base)
    kernel.apply([Make(thing) for name in nodes for thing in node(name)])
    kernel.apply([Make(thing) for one in pods for thing in one])
    kernel.apply([Remove(one[0]) for one in pods])
    for name in nodes:
        assert [link["ifname"] for link in ip(kernel, name, "link")] == ["lo"]
    kernel.close()
