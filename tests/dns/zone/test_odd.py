"""Objects that are rare: endpoints that are names, addresses of two spellings, pods that end."""

import msgspec

from kubehop.dns.names import reverse
from kubehop.dns.zone import ZoneData, names, owner_of, transfer
from kubehop.model.changes import Change
from kubehop.model.pod import Pod
from kubehop.model.service import EndpointSlice
from tests.dns.zone.objects import ask, cluster, external, pod, service, slice_of, zone

C = "cluster.local."
A = f"a.svc.{C}"
PODS = "pods verified"


def names_of(where: str, *hosts: str, nth: int = 1) -> EndpointSlice:
    """A slice whose addresses are names."""
    made = slice_of(where, *hosts, nth=nth)
    return msgspec.structs.replace(made, address_type="FQDN")


HOSTS = names_of("a/out", "example.com", f"web.{A}", "192.0.2.9")
OUT = cluster(
    service("a/out"), service("a/web", "10.43.0.1"), HOSTS, slice_of("a/out", "10.42.0.1")
)


def test_an_endpoint_that_is_a_name_is_an_alias() -> None:
    assert ask(zone(OUT), f"out.{A} A") == [
        f"out.{A} 5 A 10.42.0.1",
        f"out.{A} 5 A 192.0.2.9",
        f"out.{A} 5 CNAME example.com.",
        "? example.com.",
        f"out.{A} 5 CNAME web.{A}",
        f"web.{A} 5 A 10.43.0.1",
    ]
    label = f"example-com.out.{A}"
    assert ask(zone(OUT), f"{label} A") == [f"{label} 5 CNAME example.com.", "? example.com."]
    assert ask(zone(OUT), f"{label} CNAME") == [f"{label} 5 CNAME example.com."]
    assert ask(zone(OUT), f"{label} SRV") == ["NODATA"]
    assert ask(zone(OUT), f"{label} MX") == ["NODATA"]


def test_a_type_that_no_name_has_is_looked_for_all_the_same() -> None:
    assert ask(zone(OUT), f"out.{A} HTTPS") == ["? NODATA"]
    assert ask(zone(OUT), f"web.{A} HTTPS") == ["NODATA"]


def test_a_transfer_lists_no_names_of_endpoints_and_gives_srv_the_root() -> None:
    found = [f"{r.name} {r.type} {r.data}" for r in transfer(zone(OUT), C)]
    assert f"example-com.out.{A} CNAME example.com." not in found
    assert f"_http._tcp.out.{A} SRV 0 33 8080 ." in found


def test_endpoints_that_lead_to_each_other_end() -> None:
    everybody = [f"s{n}.{A}" for n in range(9)]
    objects = [
        made
        for n in range(9)
        for made in (service(f"a/s{n}"), names_of(f"a/s{n}", *everybody, nth=n))
    ]
    assert ask(zone(cluster(*objects)), f"s0.{A} A") == ["NODATA"]


def test_a_change_names_what_points_to_it() -> None:
    found = zone(
        cluster(service("a/out"), names_of("a/out", f"web.{A}"), external("a/far", f"out.{A}"))
    )
    touched = found.data.apply(Change(put=(service("a/web", "10.43.0.1"),)))
    assert {f"{n}.{A}" for n in ("web", "out", "far")} <= names(found, touched)
    found.data.apply(Change(gone=(("EndpointSlice", "a", "out-1"),)))
    touched = found.data.apply(Change(gone=(("Service", "a", "web"),)))
    assert f"out.{A}" not in names(found, touched)


def test_an_ipv4_address_may_be_written_as_an_ipv6_one() -> None:
    found = zone(cluster(service("a/s"), slice_of("a/s", "::ffff:10.0.0.1", "fd00::1")))
    assert ask(found, f"s.{A} A") == [f"s.{A} 5 A 10.0.0.1"]
    assert ask(found, f"s.{A} AAAA") == [f"s.{A} 5 AAAA fd00::1"]


def test_a_reverse_name_with_a_label_to_spare_belongs_to_its_address() -> None:
    plain = reverse("fd00::1")
    longer = f"0.{plain}"
    found = zone(cluster(service("a/s", "fd00::1")))
    assert ask(found, f"{longer} PTR") == [f"{longer} 5 PTR s.{A}"]
    touched = found.data.apply(Change(gone=(("Service", "a", "s"),)))
    assert owner_of(longer, "ip6.arpa.") == owner_of(plain, "ip6.arpa.") == plain
    assert plain in names(found, touched)


def test_the_nameserver_is_looked_for_among_what_labels_select() -> None:
    dns = [service("kube-system/dns", "10.43.0.10"), slice_of("kube-system/dns", "10.42.0.2")]
    own = ("10.42.0.2",)
    assert ask(zone(cluster(*dns), own=own), f"{C} NS")[0].endswith("dns.kube-system.svc." + C)
    hidden = zone(cluster(*dns), "labels tier=a", own=own)
    assert ask(hidden, f"{C} NS") == [f"{C} 5 NS ns.dns.{C}", f"+ ns.dns.{C} 5 A 10.42.0.2"]


def test_a_headless_nameserver_has_the_addresses_of_its_own_slice() -> None:
    slices = (slice_of("a/dns", "10.42.0.2"), slice_of("a/dns", "10.42.0.3", nth=1))
    found = zone(cluster(service("a/dns"), *slices), own=("10.42.0.2",))
    assert ask(found, f"ns.dns.{C} A") == [f"ns.dns.{C} 5 A 10.42.0.2"]


def ending(found: Pod) -> Pod:
    metadata = msgspec.structs.replace(found.metadata, deletion_timestamp="2026-01-01T00:00:00Z")
    return msgspec.structs.replace(found, metadata=metadata)


def test_a_pod_has_its_name_until_it_is_gone() -> None:
    found = zone(cluster(pod("a/old", "10.0.0.1"), ending(pod("a/listed", "10.0.0.2"))), PODS)
    assert isinstance(found.data, ZoneData)
    found.data.apply(
        Change(put=(ending(pod("a/old", "10.0.0.9")), ending(pod("a/new", "10.0.0.3"))))
    )
    known = [n for n in (1, 2, 3, 9) if ask(found, f"10-0-0-{n}.a.pod.{C} A") != ["NXDOMAIN"]]
    assert known == [1, 2], "the address that it had before, and no pod that was never heard of"
    done = ending(pod("a/listed", "10.0.0.2", "Succeeded"))
    found.data.apply(Change(put=(done,), gone=(("Pod", "a", "old"),)))
    assert (
        ask(found, f"10-0-0-1.a.pod.{C} A") == ask(found, f"10-0-0-2.a.pod.{C} A") == ["NXDOMAIN"]
    )
