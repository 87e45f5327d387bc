"""From EndpointSlices to the endpoints of a port, and what of them is used (sections 2.1, 2.2)."""

import msgspec
import pytest
from msgspec.structs import replace

from kubehop.model.addresses import Family
from kubehop.model.service import SlicePort
from kubehop.service.endpoints import Endpoint, backends
from tests.clusters import DRAINING, UNREADY, behind, endpoint, service

WEB = service()


def found(*entries: dict[str, object]) -> tuple[Endpoint, ...]:
    return backends(behind(WEB, *entries), WEB.ports[0], Family.IPV4).endpoints


def test_unset_conditions_have_their_defaults() -> None:
    (one,) = found(endpoint("10.42.0.2"))
    assert (one.ready, one.serving, one.terminating) == (True, True, False)
    assert (one.node, one.zone, one.pod) == ("", "", "")
    (one,) = found(endpoint("10.42.0.2", conditions={"ready": False, "terminating": True}))
    assert one.draining


def test_draining_is_serving_and_terminating_and_not_ready() -> None:
    conditions: tuple[dict[str, bool], ...] = (
        {},
        UNREADY,
        DRAINING,
        DRAINING | {"ready": True},
        DRAINING | {"serving": False},
        DRAINING | {"terminating": False},
    )
    drawn = [found(endpoint("10.42.0.2", conditions=one))[0].draining for one in conditions]
    assert drawn == [False, False, True, False, False, False]


def test_a_pod_is_named_with_its_namespace() -> None:
    own = endpoint("10.42.0.2", targetRef={"kind": "Pod", "name": "a"})
    other = endpoint("10.42.0.3", targetRef={"kind": "Pod", "name": "b", "namespace": "far"})
    machine = endpoint("10.42.0.4", targetRef={"kind": "VirtualMachine", "name": "c"})
    assert [one.pod for one in found(own, other, machine)] == ["default/a", "far/b", ""]


def test_keys_are_socket_addresses() -> None:
    dual = service(clusterIPs=["10.43.0.1", "fd00:10:43::1"])
    slices = behind(dual, endpoint("10.42.0.2"), endpoint("FD00:10:42::0002"))
    keys = [backends(slices, dual.ports[0], family).endpoints[0].key for family in Family]
    assert keys == ["10.42.0.2:8080", "[fd00:10:42::2]:8080"]


def test_a_local_copy_wins_on_its_own_node_only() -> None:
    first = behind(WEB, endpoint("10.42.0.2", "n0"))
    second = behind(WEB, endpoint("10.42.0.2", "n1"), endpoint("10.42.0.3", "n1"))
    both = backends((*first, *second), WEB.ports[0], Family.IPV4)
    assert [(e.address, e.node) for e in both.at("n0")] == [
        ("10.42.0.2", "n0"),
        ("10.42.0.3", "n1"),
    ]
    assert [(e.address, e.node) for e in both.at("n1")] == [
        ("10.42.0.2", "n1"),
        ("10.42.0.3", "n1"),
    ]
    assert both.at("n2") == both.endpoints
    assert len(both.copies) == 1


def test_a_slice_without_the_port_gives_nothing() -> None:
    other = msgspec.convert(
        {"metadata": {"name": "web"}, "spec": {"ports": [{"name": "x", "port": 80}]}}, type(WEB)
    )
    assert backends(behind(WEB, endpoint("10.42.0.2")), other.ports[0], Family.IPV4).endpoints == ()


@pytest.mark.parametrize(
    ("port", "keys"),
    [
        ({"name": "", "port": 8080}, ["10.42.0.2:8080"]),
        ({"port": 8080}, []),
        ({"name": None, "port": 8080}, []),
        ({"name": "", "port": 0}, []),
        ({"name": "", "protocol": "UDP", "port": 8080}, []),
    ],
)
def test_a_slice_port_without_name_or_number_is_passed_over(
    port: dict[str, object], keys: list[str]
) -> None:
    (made,) = behind(WEB, endpoint("10.42.0.2"))
    slices = [replace(made, ports=(msgspec.convert(port, SlicePort),))]
    found = backends(slices, WEB.ports[0], Family.IPV4).endpoints
    assert [each.key for each in found] == keys
