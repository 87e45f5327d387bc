"""What a zone transfer lists (cluster-dns, 1.4)."""

from kubehop.dns.zone import transfer
from tests.dns.zone.objects import (
    SERIAL,
    cluster,
    endpoint,
    external,
    namespace,
    pod,
    service,
    slice_of,
    zone,
)

C = "cluster.local."
WORLD = cluster(
    service("a/web", "10.43.0.1", "fd00::1", ports="http:80/TCP,:81/TCP"),
    service("a/db", ports="pg:5432/TCP"),
    slice_of("a/db", endpoint("10.42.0.1", "db-0"), "10.42.0.2", ports="pg:5432/TCP,:1/TCP"),
    service("a/silent", "10.43.0.2", ports=""),
    external("a/ext", "example.com"),
    external("a/ip", "1.2.3.4"),
    service("b/web", "10.43.0.3"),
    pod("a/p", "10.42.0.9"),
)


def listed(options: str = "", own: tuple[str, ...] = ()) -> list[str]:
    found = transfer(zone(WORLD, options, own=own), C)
    return [f"{r.name} {r.ttl} {r.type} {r.data}" for r in found]


def test_transfer() -> None:
    soa = f"{C} 5 SOA ns.dns.{C} hostmaster.{C} {SERIAL} 7200 1800 86400 5"
    first, *rest, last = listed()
    assert first == last == soa
    web, db, silent = (f"{name}.a.svc.{C}" for name in ("web", "db", "silent"))
    assert sorted(rest) == sorted(
        [
            f"{web} 5 A 10.43.0.1",
            f"{web} 5 AAAA fd00::1",
            f"{web} 5 SRV 0 100 80 {web}",
            f"{web} 5 SRV 0 100 81 {web}",
            f"_http._tcp.{web} 5 SRV 0 100 80 {web}",
            f"{db} 5 A 10.42.0.1",
            f"db-0.{db} 5 A 10.42.0.1",
            f"_pg._tcp.{db} 5 SRV 0 50 5432 db-0.{db}",
            f"{db} 5 A 10.42.0.2",
            f"10-42-0-2.{db} 5 A 10.42.0.2",
            f"_pg._tcp.{db} 5 SRV 0 50 5432 10-42-0-2.{db}",
            f"{silent} 5 A 10.43.0.2",
            f"{silent} 5 SRV 0 100 65535 {silent}",
            f"ext.a.svc.{C} 5 CNAME example.com.",
            f"web.b.svc.{C} 5 A 10.43.0.3",
            f"web.b.svc.{C} 5 SRV 0 100 80 web.b.svc.{C}",
            f"_http._tcp.web.b.svc.{C} 5 SRV 0 100 80 web.b.svc.{C}",
        ]
    )


def test_only_namespaces_that_are_served() -> None:
    assert not [line for line in listed("namespaces b") if f".a.svc.{C}" in line]


def test_name_servers_come_with_addresses_of_ttl_zero() -> None:
    lines = listed(own=("10.42.0.1",))
    assert lines[1:3] == [f"{C} 5 NS db-0.db.a.svc.{C}", f"{C} 5 NS 10-42-0-2.db.a.svc.{C}"]
    assert f"db-0.db.a.svc.{C} 0 A 10.42.0.1" in lines


def test_a_client_that_has_the_serial_gets_the_soa_alone() -> None:
    found = zone(cluster(namespace("a")))
    assert [r.type for r in transfer(found, C, SERIAL)] == ["SOA"]
    assert [r.type for r in transfer(found, C, SERIAL - 1)] == ["SOA", "SOA"]
