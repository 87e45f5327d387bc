from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kubehop.model.changes import Change, Key, between, joined, key_of
from kubehop.model.cluster import Cluster
from kubehop.model.meta import Object, ObjectMeta
from kubehop.model.node import Namespace
from kubehop.model.pod import Pod, PodStatus
from kubehop.model.service import EndpointSlice, Service, ServiceSpec


def service(name: str, address: str = "10.43.0.7", namespace: str = "default") -> Service:
    spec = ServiceSpec(cluster_ip=address)
    return Service(metadata=ObjectMeta(name=name, namespace=namespace), spec=spec)


def pod(name: str) -> Pod:
    metadata = ObjectMeta(name=name, namespace="default")
    return Pod(metadata=metadata, status=PodStatus(phase="Running"))


def a_slice(name: str) -> EndpointSlice:
    return EndpointSlice(metadata=ObjectMeta(name=name, namespace="default"), address_type="IPv4")


def test_nothing_changed() -> None:
    cluster = Cluster(services=(service("web"),), pods=(pod("web-1"),))
    assert between(cluster, cluster) == Change()
    assert not between(cluster, cluster)


def test_the_same_objects_decoded_again_have_not_changed() -> None:
    old = Cluster(services=(service("web"),), pods=(pod("web-1"),))
    new = Cluster(services=(service("web"),), pods=(pod("web-1"),))
    assert not between(old, new)


def test_each_kind_comes_and_goes() -> None:
    full = Cluster(
        namespaces=(Namespace(metadata=ObjectMeta(name="default")),),
        services=(service("web"),),
        slices=(a_slice("web-abc"),),
        pods=(pod("web-1"),),
    )
    came, left = between(Cluster(), full), between(full, Cluster())
    assert came == Change((*full.namespaces, *full.services, *full.slices, *full.pods))
    assert left == Change(
        gone=(
            ("Namespace", "", "default"),
            ("Service", "default", "web"),
            ("EndpointSlice", "default", "web-abc"),
            ("Pod", "default", "web-1"),
        )
    )
    assert came
    assert left


def test_a_changed_object_is_put_and_not_gone() -> None:
    old = Cluster(services=(service("api"), service("web")))
    new = Cluster(services=(old.services[0], service("web", "10.43.0.8")))
    assert between(old, new) == Change(put=(new.services[1],))


def test_the_same_name_elsewhere_is_another_object() -> None:
    old = Cluster(services=(service("web"),))
    new = Cluster(services=(service("web", namespace="shop"),))
    assert between(old, new) == Change(new.services, (("Service", "default", "web"),))


def test_the_last_word_about_an_object_counts() -> None:
    first, second = service("web"), service("web", "10.43.0.8")
    gone = Change(gone=(key_of(first),))
    assert joined([Change((first,)), gone]) == gone
    assert joined([gone, Change((first,)), Change((second,))]) == Change((second,))
    assert joined([]) == Change()


SERVICES = st.builds(service, st.sampled_from("abc"), st.sampled_from(["10.43.0.7", "10.43.0.8"]))
STATES = st.lists(SERVICES, unique_by=lambda obj: obj.name).map(
    lambda found: Cluster(services=tuple(sorted(found, key=lambda obj: obj.name)))
)


def applied(state: dict[Key, Object], change: Change) -> dict[Key, Object]:
    kept = {key: obj for key, obj in state.items() if key not in change.gone}
    return kept | {key_of(obj): obj for obj in change.put}


@given(st.lists(STATES, min_size=2))
def test_changes_lead_from_one_state_to_another(states: list[Cluster]) -> None:
    def table(cluster: Cluster) -> dict[Key, Object]:
        return {key_of(obj): obj for obj in cluster.services}

    steps = [between(old, new) for old, new in pairwise(states)]
    assert applied(table(states[0]), joined(steps)) == table(states[-1])
    for old, new, step in zip(states, states[1:], steps, strict=False):
        assert applied(table(old), step) == table(new)
        assert all(table(old).get(key_of(obj)) != obj for obj in step.put)
        assert table(old).keys() >= set(step.gone)
