"""Services that are applied over others: what stays, what is given, what is refused."""

import pytest

from kubehop.model.errors import UsageError
from kubehop.model.service import Service
from kubehop.workload.following import Following, deleted, start
from kubehop.workload.options import Options
from tests.workload.following.making import begun, put
from tests.workload.making import inventory, service

DUAL = Options(service_cidrs=("10.43.0.0/16", "fd00:10:43::/112"))
BALANCED = service("web", "type: LoadBalancer, externalTrafficPolicy: Local")


def web(following: Following) -> Service:
    found = following.cluster.service("default", "web")
    assert found
    return found


def test_a_changed_port_keeps_addresses_and_node_ports() -> None:
    before = begun(BALANCED)
    after = put(before, BALANCED.replace("targetPort: web", "targetPort: 9090"))
    had, has = web(before), web(after)
    assert has.ports[0].target_port == 9090
    assert has.ports[0].node_port == had.ports[0].node_port
    assert has.cluster_ips == had.cluster_ips
    assert has.ingress == had.ingress
    assert has.spec.health_check_node_port == had.spec.health_check_node_port


def test_node_ports_stay_by_number_then_by_name() -> None:
    two = "[{name: a, port: 80}, {name: b, port: 81}]"
    before = web(begun(service("web", "type: NodePort", two)))
    a, b = (port.node_port for port in before.ports)
    renamed = "[{name: c, port: 80}, {name: b, port: 82}, {name: d, port: 83}]"
    after = web(
        put(begun(service("web", "type: NodePort", two)), service("web", "type: NodePort", renamed))
    )
    c, also_b, d = (port.node_port for port in after.ports)
    assert (c, also_b) == (a, b)
    assert d not in (a, b, None)


def test_a_node_port_that_moves_to_another_port_is_not_given_twice() -> None:
    two = "[{name: a, port: 80}, {name: b, port: 81}]"
    before = begun(service("web", "type: NodePort", two))
    a = web(before).ports[0].node_port
    moved = f"[{{name: a, port: 80}}, {{name: b, port: 81, nodePort: {a}}}]"
    after = web(put(before, service("web", "type: NodePort", moved)))
    assert after.ports[1].node_port == a
    assert after.ports[0].node_port not in (a, None)


def test_a_node_port_is_remembered_by_number_or_by_name_and_not_by_both() -> None:
    before = begun(service("web", "type: NodePort", "[{name: a, port: 80}]"))
    crossed = "[{name: a, port: 82}, {name: x, port: 80}]"
    after = web(put(before, service("web", "type: NodePort", crossed)))
    assert after.ports[1].node_port == web(before).ports[0].node_port
    assert after.ports[0].node_port not in (after.ports[1].node_port, None)


def test_what_only_the_former_type_had_goes() -> None:
    after = web(put(begun(BALANCED), service("web")))
    assert after.spec.type == "ClusterIP"
    assert after.ports[0].node_port is None
    assert after.ingress == ()
    assert after.spec.health_check_node_port is None
    assert after.cluster_ips == web(begun(BALANCED)).cluster_ips


def test_what_only_the_new_type_has_comes() -> None:
    after = web(put(begun(service("web")), BALANCED))
    assert after.ports[0].node_port
    assert after.ingress
    assert after.spec.health_check_node_port
    assert after.cluster_ips == web(begun(service("web"))).cluster_ips


def test_external_name_and_back() -> None:
    named = """
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: ExternalName, externalName: example.com}
"""
    away = put(begun(BALANCED), named)
    assert web(away).cluster_ips == ()
    assert web(away).spec.cluster_ip is None
    assert web(put(away, service("web"))).cluster_ips


def test_a_second_family_comes_and_goes() -> None:
    before = start(inventory(service("web")), DUAL)
    assert len(web(before).cluster_ips) == 1
    both = put(before, service("web", "ipFamilyPolicy: PreferDualStack"))
    assert web(both).spec.ip_families == ("IPv4", "IPv6")
    assert web(both).cluster_ips[0] == web(before).cluster_ips[0]
    assert {found.address_type for found in both.cluster.slices} == {"IPv4", "IPv6"}
    one = put(both, service("web", "ipFamilyPolicy: SingleStack"))
    assert web(one).cluster_ips == web(before).cluster_ips
    assert [found.address_type for found in one.cluster.slices] == ["IPv4"]


def test_what_was_deleted_gets_its_addresses_again() -> None:
    """Addresses come from the hash of the name; none that another one has got since."""
    before = begun(BALANCED)
    again = put(deleted(before, [("Service", "default", "web")]), BALANCED)
    assert again.cluster == before.cluster


def test_new_services_take_nothing_that_others_were_given() -> None:
    """As many node ports as there are, none of them twice though their hashes collide."""
    many = "".join(service(f"s{n}", "type: NodePort") for n in range(60))
    more = "".join(service(f"t{n}", "type: NodePort") for n in range(60))
    tight = Options(service_cidrs=("10.43.0.0/24",))
    now = put(start(inventory(many), tight), more)
    ips = [ip for found in now.cluster.services for ip in found.cluster_ips]
    ports = [port.node_port for found in now.cluster.services for port in found.ports]
    assert len(set(ips)) == len(ips) == 120
    assert len(set(ports)) == len(ports) == 120


OTHER = service("other", "clusterIP: 10.43.0.77, type: NodePort", "[{port: 80, nodePort: 30077}]")


@pytest.mark.parametrize(
    ("spec", "ports", "problem"),
    [
        ("clusterIP: 10.43.9.9", "", "spec.clusterIP: may not change from"),
        ("clusterIP: None", "", "spec.clusterIP: may not change from"),
        ("ipFamilies: [IPv6]", "", r"spec.ipFamilies\[0\]: the primary family may not change"),
        ("type: NodePort", "[{port: 80, nodePort: 30077}]", "30077 is that of Service default/o"),
        ("externalTrafficPolicy: Local", "", "externalTrafficPolicy may only be set"),
    ],
)
def test_what_the_api_server_refuses(spec: str, ports: str, problem: str) -> None:
    before = start(inventory(service("web") + OTHER), DUAL)
    with pytest.raises(UsageError, match=problem):
        put(before, service("web", spec, ports or "[{port: 80}]"))


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("clusterIP: 10.43.0.77", "10.43.0.77 is that of Service default/other"),
        ("ipFamilies: [IPv6]", "none left, or of no family that the cluster has"),
        ("clusterIP: None, type: NodePort", "is headless"),
    ],
)
def test_what_is_refused_of_a_new_one(spec: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        put(begun(OTHER), service("web", spec))


def test_a_service_as_it_stands_may_be_applied() -> None:
    """What an API shows of it, allocated fields and all, changes nothing."""
    before = begun(BALANCED)
    found = web(before)
    ip = found.cluster_ips[0]
    allocated = f"clusterIP: {ip}, clusterIPs: [{ip}], ipFamilies: [IPv4]"
    shown = BALANCED.replace("type: LoadBalancer", f"type: LoadBalancer, {allocated}")
    assert put(before, shown).cluster == before.cluster


def test_a_pending_load_balancer_of_a_dump_stays_pending() -> None:
    seen = "type: LoadBalancer, clusterIP: 10.43.1.1, clusterIPs: [10.43.1.1], ipFamilies: [IPv4]"
    after = put(begun(""), service("web", seen, "[{port: 80, nodePort: 30001}]"))
    assert web(after).ingress == ()
    assert web(after).ports[0].node_port == 30001
