"""What needs a cluster of its own: reverse zones, name servers, selectors, chains, API states."""

import pytest

from kubehop.dns.zone import KINDS
from tests.dns.zone.objects import (
    ask,
    cluster,
    endpoint,
    external,
    namespace,
    service,
    slice_of,
    zone,
)
from tests.dns.zone.test_answers import DB, WORLD, C, W


def test_every_address_has_a_name_in_ip6_arpa() -> None:
    digits = "fd000043000000000000000000000009"
    name = f"{'.'.join(reversed(digits))}.ip6.arpa."
    assert ask(zone(WORLD), f"{name} PTR") == [f"{name} 5 PTR dual.default.svc.{C}"]


def test_an_endpoint_of_several_services_has_several_names() -> None:
    found = cluster(
        service("a/x"), slice_of("a/x", "10.0.0.1"), service("b/y"), slice_of("b/y", "10.0.0.1")
    )
    name = "1.0.0.10.in-addr.arpa."
    names = [f"{name} 5 PTR 10-0-0-1.{s}.svc.{C}" for s in ("x.a", "y.b")]
    assert ask(zone(found), f"{name} PTR") == names


def test_a_cluster_ip_hides_endpoints_of_the_same_address() -> None:
    found = cluster(service("a/x", "10.0.0.1"), service("b/y"), slice_of("b/y", "10.0.0.1"))
    name = "1.0.0.10.in-addr.arpa."
    assert ask(zone(found), f"{name} PTR") == [f"{name} 5 PTR x.a.svc.{C}"]


def test_narrow_reverse_zones_have_their_own_apex() -> None:
    narrow = zone(WORLD, zones="cluster.local 10.43.0.0/16")
    assert narrow.options.zones == (C, "43.10.in-addr.arpa.")
    assert ask(narrow, "5.5.43.10.in-addr.arpa. PTR") == [f"5.5.43.10.in-addr.arpa. 5 PTR {W}"]
    assert narrow.zone_of("5.1.42.10.in-addr.arpa.") == ""
    assert ask(narrow, "whoami.default.svc.43.10.in-addr.arpa. A") == ["NXDOMAIN"]
    soa = "ns.dns.43.10.in-addr.arpa. hostmaster.43.10.in-addr.arpa. 7 7200 1800 86400 5"
    assert ask(narrow, "43.10.in-addr.arpa. SOA") == [f"43.10.in-addr.arpa. 5 SOA {soa}"]


def test_ns_names_the_service_that_coredns_is_an_endpoint_of() -> None:
    found = zone(WORLD, own=("10.42.0.2",))
    kube_dns = f"kube-dns.kube-system.svc.{C}"
    assert ask(found, f"{C} NS") == [f"{C} 5 NS {kube_dns}", f"+ {kube_dns} 5 A 10.43.0.10"]
    assert ask(found, f"ns.dns.{C} A") == [f"ns.dns.{C} 5 A 10.43.0.10"]
    assert ask(found, f"ns.dns.{C} AAAA") == ["NODATA"]
    assert ask(found, f"ns.dns.{C} MX") == ["NODATA"]
    assert ask(found, f"ns.dns.{C} TXT") == ["NXDOMAIN"]
    assert ask(found, f"dns.{C} A") == ["NXDOMAIN"]


def test_ns_of_a_headless_service_names_its_endpoints() -> None:
    found = cluster(service("kube-system/dns"), slice_of("kube-system/dns", "10.42.0.2"))
    name = f"10-42-0-2.dns.kube-system.svc.{C}"
    expected = [f"{C} 5 NS {name}", f"+ {name} 5 A 10.42.0.2"]
    assert ask(zone(found, own=("10.42.0.2",)), f"{C} NS") == expected


def test_ns_without_an_endpoint_is_the_bound_address() -> None:
    expected = [f"{C} 5 NS ns.dns.{C}", f"+ ns.dns.{C} 5 A 192.0.2.1"]
    assert ask(zone(WORLD, own=("192.0.2.1",)), f"{C} NS") == expected
    assert ask(zone(WORLD), f"{C} NS") == ["NODATA"]


def test_the_zone_is_spelt_as_in_the_question() -> None:
    upper = "Cluster.LOCAL."
    soa = f"ns.dns.{upper} hostmaster.{upper} 7 7200 1800 86400 5"
    assert ask(zone(WORLD), f"{upper} SOA") == [f"{upper} 5 SOA {soa}"]
    # The apex is compared with its case, where name servers are concerned.
    assert ask(zone(WORLD, own=("10.42.0.2",)), f"{upper} NS") == ["NODATA"]
    name = f"_http._tcp.whoami.default.svc.{upper}"
    target = f"whoami.default.svc.{upper}"
    assert ask(zone(WORLD), f"{name} SRV")[0] == f"{name} 5 SRV 0 100 80 {target}"


def test_label_selectors_choose_objects_and_namespaces() -> None:
    found = cluster(
        namespace("a", team="x"),
        namespace("b", team="y"),
        service("a/one", "10.0.0.1", tier="front"),
        service("a/two", "10.0.0.2", tier="back"),
        service("b/one", "10.0.0.3", tier="front"),
    )
    chosen = zone(found, "labels tier in (front, middle)")
    assert ask(chosen, f"one.a.svc.{C} MX") == ["NODATA"]
    assert ask(chosen, f"two.a.svc.{C} MX") == ["NXDOMAIN"]
    assert ask(chosen, "2.0.0.10.in-addr.arpa. PTR") == ["NXDOMAIN"]
    spaces = zone(found, "namespace_labels team=x")
    assert ask(spaces, f"one.a.svc.{C} MX") == ["NODATA"]
    assert ask(spaces, f"one.b.svc.{C} MX") == ["NXDOMAIN"]
    # Only the option `namespaces` hides addresses.
    assert ask(spaces, "3.0.0.10.in-addr.arpa. PTR") != ["NXDOMAIN"]


@pytest.mark.parametrize(
    ("options", "missing", "synced"),
    [
        ("", (), True),
        ("", ("Service",), False),
        ("", ("Namespace",), False),
        ("", ("EndpointSlice",), False),
        ("noendpoints", ("EndpointSlice",), True),
        ("", ("Pod",), True),
        ("pods verified", ("Pod",), False),
    ],
)
def test_synced_when_what_the_plugin_needs_was_listed(
    options: str, missing: tuple[str, ...], synced: bool
) -> None:
    assert zone(WORLD, options, synced=KINDS - set(missing)).synced is synced


def test_objects_of_a_kind_that_was_not_listed_are_not_there() -> None:
    found = zone(WORLD, synced=KINDS - {"EndpointSlice"})
    assert ask(found, f"{W} A") == [f"{W} 5 A 10.43.5.5"]
    assert ask(found, f"{DB} A") == ["NXDOMAIN"]
    assert ask(zone(WORLD, synced=KINDS - {"Namespace"}), f"{W} A") == ["NXDOMAIN"]


def test_a_chain_of_external_names_ends_after_eleven() -> None:
    def chain(length: int) -> list[str]:
        hops = [external(f"a/n{i}", f"n{i + 1}.a.svc.{C}") for i in range(length)]
        return ask(zone(cluster(*hops, service(f"a/n{length}", "10.0.0.1"))), f"n0.a.svc.{C} A")

    assert len(chain(11)) == 12
    assert chain(12) == ["NODATA"]


def test_topology_picks_endpoints_of_a_zone() -> None:
    found = zone(
        cluster(
            service("a/h"),
            slice_of("a/h", endpoint("10.0.0.1", zone="East-1a"), endpoint("10.0.0.2", zone="b.c")),
        ),
        "zonal",
    )

    def asked(prefix: str) -> list[str]:
        lines = ask(found, f"{prefix}._zone.h.a.svc.{C} A")
        return [line.rpartition(" ")[2] for line in lines]

    assert asked("east-1a.pin") == ["10.0.0.1"]
    assert asked("b.c.pin") == ["10.0.0.2"]
    assert asked("nowhere.pin") == ["NODATA"]
    assert asked("nowhere.prefer") == ["10.0.0.1", "10.0.0.2"]
