"""Which containers are one sandbox, and whose."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.sandbox.docker.mapping import runtime_of, sandboxes_of
from kubehop.sandbox.docker.messages import Summary, Version, decoded
from kubehop.sandbox.values import Container, Sandbox, SourceError
from tests.sandbox.docker.containers import VERSION, cid, listed, network, pod_labels

UID = "0b1e0001-0000-4000-8000-000000000000"
DUAL = {"bridge": network("172.17.0.2", "FD00:D0C:0::242:AC11:2"), "n1": network("172.18.0.2")}


def found(*containers: Mapping[str, Any]) -> tuple[Sandbox, ...]:
    body = json.dumps(containers).encode()
    return sandboxes_of(decoded(body, tuple[Summary, ...], "/containers/json"), "docker 1")


def one(*containers: Mapping[str, Any]) -> Sandbox:
    (sandbox,) = found(*containers)
    return sandbox


def test_a_pod_of_cri_dockerd() -> None:
    sandbox, app = f"k8s_POD_web_shop_{UID}_2", f"k8s_app_web_shop_{UID}_1"
    pod = one(
        listed(
            2,
            app,
            mode=f"container:{cid(1)}",
            labels=pod_labels(
                "web", "shop", UID, docker_type="container", sandbox_id=cid(1), container_name="app"
            ),
        ),
        listed(
            1,
            sandbox,
            mode="none",
            labels=pod_labels("web", "shop", UID, docker_type="podsandbox", container_name="POD"),
            networks={"none": network()},
        ),
    )
    assert pod == Sandbox(
        id=cid(1),
        namespace="shop",
        name="web",
        uid=UID,
        attempt=2,
        ready=True,
        created=1795549936 * 10**9,
        host_network=False,
        runtime="docker 1",
        names=(sandbox,),
        containers=(Container(cid(2), "app", None, True, 1, (app,)),),
        source="docker",
    )


def test_a_pod_by_names_alone() -> None:
    pod = one(
        listed(1, f"k8s_POD_web_shop_{UID}_0", networks=DUAL),
        listed(2, f"k8s_app_web_shop_{UID}_0_1a2b3c4d", mode=f"container:{cid(1)}"),
    )
    assert (pod.namespace, pod.name, pod.uid, pod.attempt) == ("shop", "web", UID, 0)
    assert pod.addresses == ("172.17.0.2", "fd00:d0c::242:ac11:2", "172.18.0.2")
    assert [(each.id, each.name) for each in pod.containers] == [(cid(2), "app")]


def test_a_renamed_sandbox_is_known_by_its_labels() -> None:
    labels = pod_labels("web", "shop", UID, docker_type="podsandbox")
    pod = one(listed(1, "renamed", labels=labels))
    assert (pod.namespace, pod.name, pod.attempt, pod.containers) == ("shop", "web", 0, ())


def test_a_container_that_is_called_pod_is_no_sandbox() -> None:
    labels = pod_labels("web", "shop", UID, docker_type="container", sandbox_id=cid(1))
    app = listed(2, f"k8s_POD_web_shop_{UID}_0", labels=labels, mode=f"container:{cid(1)}")
    pod = one(listed(1, f"k8s_POD_web_shop_{UID}_5"), app)
    assert (pod.attempt, [each.id for each in pod.containers]) == (5, [cid(2)])


def test_the_label_counts_only_where_docker_does_not_say() -> None:
    labels = pod_labels("web", "shop", UID, docker_type="container", sandbox_id=cid(1))
    sandbox = listed(1, f"k8s_POD_web_shop_{UID}_0")
    assert len(found(sandbox, listed(2, "x", labels=labels))) == 2
    assert len(found(sandbox, listed(2, "x", labels=labels, mode=""))) == 1


def test_a_sandbox_that_was_removed() -> None:
    named = f"k8s_{{}}_web_shop_{UID}_3"
    mode = f"container:{cid(9)}"
    pod = one(
        listed(1, named.format("a"), mode=mode), listed(2, named.format("b"), labels={}, mode=mode)
    )
    assert (pod.id, pod.name, pod.ready, pod.attempt) == (cid(9), "web", False, 0)
    assert [each.attempt for each in pod.containers] == [3, 3]


def test_static_pods_have_a_hash_for_a_uid() -> None:
    assert one(listed(1, f"k8s_POD_etcd-node_kube-system_{'ab' * 16}_0")).static
    assert not one(listed(1, f"k8s_POD_web_shop_{UID}_0")).static


def test_a_container_that_is_no_pods() -> None:
    assert one(listed(1, "db", "linked/db", networks=DUAL)) == Sandbox(
        id=cid(1),
        name="db",
        ready=True,
        created=1795549936 * 10**9,
        host_network=False,
        addresses=("172.17.0.2", "fd00:d0c::242:ac11:2", "172.18.0.2"),
        runtime="docker 1",
        names=("db",),
        containers=(Container(cid(1), "db", None, True, 0, ("db",)),),
        source="docker",
    )


@pytest.mark.parametrize("other", [cid(1), "db"])
def test_containers_join_through_others(other: str) -> None:
    pod = one(
        listed(3, "third", mode=f"container:{cid(2)}"),
        listed(2, "second", mode=f"container:{other}"),
        listed(1, "db"),
    )
    assert (pod.id, pod.name) == (cid(1), "db")
    assert [each.name for each in pod.containers] == ["db", "third", "second"]


def test_what_joined_lives_on() -> None:
    pod = one(listed(2, "left", mode=f"container:{cid(1)}"))
    assert (pod.id, pod.name, pod.ready, pod.host_network) == (cid(1), "left", True, None)


def test_containers_in_a_circle_are_each_their_own() -> None:
    circle = [listed(each, f"c{each}", mode=f"container:{cid(3 - each)}") for each in (1, 2)]
    assert [pod.id for pod in found(*circle)] == [cid(1), cid(2)]


def test_host_network_has_no_addresses_of_its_own() -> None:
    pod = one(listed(1, "db", mode="host", networks={"host": network()}))
    assert (pod.host_network, pod.addresses) == (True, ())


@pytest.mark.parametrize(
    ("state", "running"),
    [
        ("running", True),
        ("paused", True),
        ("restarting", False),
        ("exited", False),
        ("created", False),
        ("dead", False),
        ("", None),
    ],
)
def test_states(state: str, running: bool | None) -> None:
    pod = one(listed(1, "db", state=state, networks=DUAL))
    assert (pod.ready, pod.containers[0].running) == (running, running)
    assert bool(pod.addresses) is (running is not False)


def test_no_time_and_nulls_of_go() -> None:
    pods = found(
        {"Id": cid(1), "Names": None, "Labels": None, "HostConfig": {}, "NetworkSettings": None},
        {"Id": cid(2), "NetworkSettings": {"Networks": {"bridge": None}}, "Created": -62135596800},
    )
    assert [each.created for each in pods] == [0, 0]
    assert [(each.name, each.host_network) for each in pods] == [(cid(1)[:12], None)] * 2


@pytest.mark.parametrize("address", ["1.2.3", "0x7f.1", "::1::", "fe80::1%eth0", "\x1b[31m", "é"])
def test_an_address_that_is_none_is_left_out(address: str) -> None:
    assert one(listed(1, "db", networks={"x": network(address, address)})).addresses == ()


@pytest.mark.parametrize("id", ["", "abc", "../../etc", "A" * 64, cid(1) + "\n", cid(1)[:63] + " "])
def test_an_id_that_is_none_is_refused(id: str) -> None:
    with pytest.raises(SourceError, match="not the Engine API's"):
        found(listed(1, "db") | {"Id": id})


MODES = st.sampled_from(["default", "host", "none"]) | st.integers(0, 9).map(
    lambda number: f"container:{cid(number)}"
)
LABELS = st.dictionaries(
    st.sampled_from(
        ["io.kubernetes.docker.type", "io.kubernetes.sandbox.id", "io.kubernetes.pod.name"]
    ),
    st.sampled_from(["podsandbox", "container", cid(1), cid(8), "x"]),
)
NAMES = st.lists(
    st.sampled_from(["k8s_POD_a_b_c_0", "k8s_x_a_b_c_1", "plain", "c1", "l/x"]), max_size=2
)


@given(st.lists(st.tuples(MODES, LABELS, NAMES), max_size=6))
def test_each_container_is_in_one_sandbox(
    drawn: list[tuple[str, dict[str, str], list[str]]],
) -> None:
    pods = found(
        *(
            listed(number, *names, mode=mode, labels=labels)
            for number, (mode, labels, names) in enumerate(drawn)
        )
    )
    inside = [each.id for pod in pods for each in pod.containers]
    assert len(set(inside)) == len(inside)
    assert len({pod.id for pod in pods}) == len(pods)
    assert {cid(number) for number in range(len(drawn))} <= {*inside, *(pod.id for pod in pods)}


def test_runtimes() -> None:
    assert runtime_of(msgspec.json.decode(VERSION, type=Version)) == "docker 20.10.24+dfsg1"
    podman = {"Version": "4.3.1", "Components": [{"Name": "Podman Engine", "Version": "4.3.1"}]}
    assert runtime_of(msgspec.convert(podman, Version)) == "podman 4.3.1"
    assert runtime_of(msgspec.convert({"Version": "1"}, Version)) == "docker 1"
