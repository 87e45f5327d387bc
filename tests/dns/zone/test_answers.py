"""The kubernetes plugin's answers, a line per fact of the reference (cluster-dns, section 1)."""

import pytest

from kubehop.dns.zone import KINDS
from tests.dns.zone.objects import (
    ask,
    cluster,
    endpoint,
    external,
    namespace,
    pod,
    service,
    slice_of,
    zone,
)

WORLD = cluster(
    namespace("empty"),
    service("default/whoami", "10.43.5.5"),
    slice_of("default/whoami", endpoint("10.42.1.5", pod="whoami-abc"), ports="http:8080/TCP"),
    service("default/many", "10.43.5.8", ports="http:80/TCP,https:443/TCP,dns:53/UDP"),
    service("default/plain", "10.43.5.6", ports=":8080/TCP"),
    service("default/silent", "10.43.5.7", ports=""),
    service("default/dual", "10.43.5.9", "fd00:43::9"),
    service("default/six", "FD00:43::6"),
    service("demo/db", ports="pg:5432/TCP"),
    slice_of(
        "demo/db",
        endpoint("10.42.1.20", "db-0", "db-0"),
        endpoint("10.42.1.21", "db-1", "db-1", ready=None),
        endpoint("10.42.1.22", "db-2", "db-2", ready=False),
        ports="pg:5432/TCP",
    ),
    service("demo/web"),
    slice_of("demo/web", endpoint("10.42.1.11", pod="web-a"), endpoint("10.42.1.12", pod="web-b")),
    service("demo/same"),
    slice_of("demo/same", endpoint("10.42.4.1", "twin"), endpoint("10.42.4.2", "twin")),
    service("demo/both"),
    slice_of("demo/both", "10.42.3.1", nth=4),
    slice_of("demo/both", "fd00:42::1", nth=6),
    service("demo/six"),
    slice_of("demo/six", "fd00:42:0:1::"),
    service("demo/gone"),
    slice_of("demo/gone", endpoint("10.42.1.30", ready=False)),
    service("demo/sliceless"),
    service("demo/portless", ports=""),
    slice_of("demo/portless", "10.42.1.40", ports=""),
    service("demo/three"),
    slice_of("demo/three", "10.42.5.1", "10.42.5.2", "10.42.5.3"),
    external("default/ext", "example.com"),
    external("default/in", "whoami.default.svc.cluster.local"),
    external("default/in2", "In.Default.svc.cluster.local."),
    external("default/out2", "ext.default.svc.cluster.local"),
    external("default/ip", "1.2.3.4"),
    external("default/loop", "loop.default.svc.cluster.local"),
    external("default/dead", "nosuch.default.svc.cluster.local"),
    external("default/pong", "ping.default.svc.cluster.local"),
    external("default/ping", "pong.default.svc.cluster.local"),
    service("kube-system/kube-dns", "10.43.0.10", ports="dns:53/UDP"),
    slice_of("kube-system/kube-dns", "10.42.0.2", ports="dns:53/UDP"),
    pod("default/client", "10.42.0.7"),
    pod("default/done", "10.42.0.8", phase="Succeeded"),
    pod("demo/six", "fd00:42::7"),
)

C = "cluster.local."
W = f"whoami.default.svc.{C}"
DB, WEB = f"db.demo.svc.{C}", f"web.demo.svc.{C}"
V6 = "0." * 16

ANSWERS = [
    # Schema, apex and what is above Services
    ("", f"dns-version.{C} TXT", [f'dns-version.{C} 28800 TXT "1.1.0"']),
    ("", f"dns-version.{C} A", ["NXDOMAIN"]),
    ("", f"{C} SOA", [f"{C} 5 SOA ns.dns.{C} hostmaster.{C} 7 7200 1800 86400 5"]),
    ("ttl 400", f"{C} SOA", [f"{C} 300 SOA ns.dns.{C} hostmaster.{C} 7 7200 1800 86400 400"]),
    ("", f"{C} A", ["NODATA"]),
    ("", f"{C} SRV", ["NODATA"]),
    ("", f"{C} TXT", ["NXDOMAIN"]),
    ("", f"svc.{C} A", ["NODATA"]),
    ("", f"pod.{C} AAAA", ["NODATA"]),
    ("", f"foo.{C} A", ["NXDOMAIN"]),
    ("", f"default.svc.{C} A", ["NODATA"]),
    ("", f"empty.svc.{C} A", ["NODATA"]),
    ("", f"empty.svc.{C} TXT", ["NXDOMAIN"]),
    ("", f"nosuch.svc.{C} A", ["NXDOMAIN"]),
    ("", f"x.empty.svc.{C} A", ["NXDOMAIN"]),
    # Cluster IPs: with and without endpoints, one family and two
    ("", f"{W} A", [f"{W} 5 A 10.43.5.5"]),
    ("ttl 30", f"{W} A", [f"{W} 30 A 10.43.5.5"]),
    ("ttl 0", f"{W} A", [f"{W} 0 A 10.43.5.5"]),
    ("", f"WhoAmI.Default.SVC.{C} A", [f"WhoAmI.Default.SVC.{C} 5 A 10.43.5.5"]),
    ("", f"{W} AAAA", ["NODATA"]),
    ("", f"many.default.svc.{C} A", [f"many.default.svc.{C} 5 A 10.43.5.8"]),
    ("", f"dual.default.svc.{C} A", [f"dual.default.svc.{C} 5 A 10.43.5.9"]),
    ("", f"dual.default.svc.{C} AAAA", [f"dual.default.svc.{C} 5 AAAA fd00:43::9"]),
    ("", f"six.default.svc.{C} AAAA", [f"six.default.svc.{C} 5 AAAA fd00:43::6"]),
    ("", f"six.default.svc.{C} A", ["NODATA"]),
    ("", f"silent.default.svc.{C} A", [f"silent.default.svc.{C} 5 A 10.43.5.7"]),
    ("", f"nosuch.default.svc.{C} A", ["NXDOMAIN"]),
    # Types that no name has
    *(("", f"{W} {kind}", ["NODATA"]) for kind in ("MX", "CNAME", "NS", "TXT", "ANY", "HTTPS")),
    *(("", f"{W} {kind}", ["NODATA"]) for kind in ("PTR", "HINFO", "TYPE65280", "DS")),
    *(("", f"x.{C} {kind}", ["NXDOMAIN"]) for kind in ("MX", "CNAME", "NS", "TXT", "ANY", "PTR")),
    ("", f"{W} SOA", ["NODATA"]),
    ("", f"nosuch.default.svc.{C} SOA", ["NODATA"]),
    *(("", f"{C} {kind}", ["REFUSED"]) for kind in ("AXFR", "IXFR")),
    # Ports: underscores are optional, an empty port is any, five labels are too many
    ("", f"_http._tcp.{W} SRV", [f"_http._tcp.{W} 5 SRV 0 100 80 {W}", f"+ {W} 5 A 10.43.5.5"]),
    ("", f"http.tcp.{W} SRV", [f"http.tcp.{W} 5 SRV 0 100 80 {W}", f"+ {W} 5 A 10.43.5.5"]),
    ("", f"_HTTP._TCP.{W} A", [f"_HTTP._TCP.{W} 5 A 10.43.5.5"]),
    ("", f"_._tcp.{W} SRV", [f"_._tcp.{W} 5 SRV 0 100 80 {W}", f"+ {W} 5 A 10.43.5.5"]),
    ("", f"_http._udp.{W} SRV", ["NXDOMAIN"]),
    ("", f"_8080._tcp.plain.default.svc.{C} SRV", ["NXDOMAIN"]),
    ("", f"_tcp.{W} SRV", ["NXDOMAIN"]),
    ("", f"x._http._tcp.{W} SRV", ["NXDOMAIN"]),
    ("", f"*.default.svc.{C} A", ["NXDOMAIN"]),
    ("", f"any.default.svc.{C} A", ["NXDOMAIN"]),
    (
        "",
        f"many.default.svc.{C} SRV",
        [
            *(f"many.default.svc.{C} 5 SRV 0 33 {p} many.default.svc.{C}" for p in (443, 53, 80)),
            f"+ many.default.svc.{C} 5 A 10.43.5.8",
        ],
    ),
    (
        "",
        f"dual.default.svc.{C} SRV",
        [
            f"dual.default.svc.{C} 5 SRV 0 50 80 dual.default.svc.{C}",
            f"+ dual.default.svc.{C} 5 A 10.43.5.9",
            f"+ dual.default.svc.{C} 5 AAAA fd00:43::9",
        ],
    ),
    ("", f"silent.default.svc.{C} SRV", ["NODATA"]),
    (
        "",
        f"plain.default.svc.{C} SRV",
        [
            f"plain.default.svc.{C} 5 SRV 0 100 8080 plain.default.svc.{C}",
            f"+ plain.default.svc.{C} 5 A 10.43.5.6",
        ],
    ),
    # Headless: ready endpoints only, by hostname or by address
    ("", f"{DB} A", [f"{DB} 5 A 10.42.1.20", f"{DB} 5 A 10.42.1.21"]),
    ("", f"{DB} AAAA", ["NODATA"]),
    ("", f"db-0.{DB} A", [f"db-0.{DB} 5 A 10.42.1.20"]),
    ("", f"DB-0.{DB} A", [f"DB-0.{DB} 5 A 10.42.1.20"]),
    ("", f"db-2.{DB} A", ["NXDOMAIN"]),
    ("", f"10-42-1-20.{DB} A", ["NXDOMAIN"]),
    ("", f"x.db-0.{DB} A", ["NXDOMAIN"]),
    (
        "",
        f"{DB} SRV",
        [
            f"{DB} 5 SRV 0 50 5432 db-0.{DB}",
            f"{DB} 5 SRV 0 50 5432 db-1.{DB}",
            f"+ db-0.{DB} 5 A 10.42.1.20",
            f"+ db-1.{DB} 5 A 10.42.1.21",
        ],
    ),
    (
        "",
        f"_http._tcp.three.demo.svc.{C} SRV",
        [
            *(
                f"_http._tcp.three.demo.svc.{C} 5 SRV 0 33 8080 10-42-5-{n}.three.demo.svc.{C}"
                for n in (1, 2, 3)
            ),
            *(f"+ 10-42-5-{n}.three.demo.svc.{C} 5 A 10.42.5.{n}" for n in (1, 2, 3)),
        ],
    ),
    ("", f"10-42-1-11.{WEB} A", [f"10-42-1-11.{WEB} 5 A 10.42.1.11"]),
    ("", f"web-a.{WEB} A", ["NXDOMAIN"]),
    ("endpoint_pod_names", f"web-a.{WEB} A", [f"web-a.{WEB} 5 A 10.42.1.11"]),
    ("endpoint_pod_names", f"10-42-1-11.{WEB} A", ["NXDOMAIN"]),
    ("endpoint_pod_names", f"db-0.{DB} A", [f"db-0.{DB} 5 A 10.42.1.20"]),
    (
        "",
        f"twin.same.demo.svc.{C} A",
        [f"twin.same.demo.svc.{C} 5 A 10.42.4.{n}" for n in (1, 2)],
    ),
    (
        "",
        f"same.demo.svc.{C} SRV",
        [
            f"same.demo.svc.{C} 5 SRV 0 50 8080 twin.same.demo.svc.{C}",
            *(f"+ twin.same.demo.svc.{C} 5 A 10.42.4.{n}" for n in (1, 2)),
        ],
    ),
    ("", f"both.demo.svc.{C} A", [f"both.demo.svc.{C} 5 A 10.42.3.1"]),
    ("", f"both.demo.svc.{C} AAAA", [f"both.demo.svc.{C} 5 AAAA fd00:42::1"]),
    (
        "",
        f"fd00-42-0-1--0.six.demo.svc.{C} AAAA",
        [f"fd00-42-0-1--0.six.demo.svc.{C} 5 AAAA fd00:42:0:1::"],
    ),
    *(("", f"{name}.demo.svc.{C} A", ["NXDOMAIN"]) for name in ("gone", "sliceless")),
    *(("", f"{name}.demo.svc.{C} MX", ["NXDOMAIN"]) for name in ("gone", "sliceless")),
    ("", f"portless.demo.svc.{C} A", [f"portless.demo.svc.{C} 5 A 10.42.1.40"]),
    ("", f"portless.demo.svc.{C} SRV", ["NODATA"]),
    ("", f"10-42-1-5.{W} A", [f"10-42-1-5.{W} 5 A 10.42.1.5"]),
    (
        "",
        f"10-42-1-5.{W} SRV",
        [f"10-42-1-5.{W} 5 SRV 0 100 8080 10-42-1-5.{W}", f"+ 10-42-1-5.{W} 5 A 10.42.1.5"],
    ),
    # Options that hide
    ("noendpoints", f"{W} A", [f"{W} 5 A 10.43.5.5"]),
    ("noendpoints", f"{DB} A", ["NXDOMAIN"]),
    ("noendpoints", f"10-42-1-5.{W} A", ["NXDOMAIN"]),
    ("ignore empty_service", f"{W} A", [f"{W} 5 A 10.43.5.5"]),
    ("ignore empty_service", f"many.default.svc.{C} A", ["NXDOMAIN"]),
    ("ignore empty_service", f"ip.default.svc.{C} A", ["NXDOMAIN"]),
    (
        "ignore empty_service",
        f"ext.default.svc.{C} CNAME",
        [f"ext.default.svc.{C} 5 CNAME example.com."],
    ),
    ("namespaces demo", f"{W} A", ["NXDOMAIN"]),
    ("namespaces demo", f"default.svc.{C} A", ["NXDOMAIN"]),
    ("namespaces demo", f"db-0.{DB} A", [f"db-0.{DB} 5 A 10.42.1.20"]),
    ("namespaces demo; namespaces default", f"{W} A", [f"{W} 5 A 10.43.5.5"]),
    # ExternalName
    ("", f"ext.default.svc.{C} A", [f"ext.default.svc.{C} 5 CNAME example.com.", "? example.com."]),
    ("", f"ext.default.svc.{C} CNAME", [f"ext.default.svc.{C} 5 CNAME example.com."]),
    *(("", f"ext.default.svc.{C} {kind}", ["NODATA"]) for kind in ("SRV", "TXT", "MX")),
    ("", f"foo.ext.default.svc.{C} A", ["NXDOMAIN"]),
    ("", f"_http._tcp.ext.default.svc.{C} SRV", ["NXDOMAIN"]),
    ("", f"in.default.svc.{C} A", [f"in.default.svc.{C} 5 CNAME {W}", f"{W} 5 A 10.43.5.5"]),
    ("", f"in.default.svc.{C} AAAA", ["NODATA"]),
    (
        "",
        f"in2.default.svc.{C} A",
        [
            f"In.Default.svc.{C} 5 CNAME {W}",
            f"in2.default.svc.{C} 5 CNAME In.Default.svc.{C}",
            f"{W} 5 A 10.43.5.5",
        ],
    ),
    (
        "",
        f"out2.default.svc.{C} A",
        [
            f"out2.default.svc.{C} 5 CNAME ext.default.svc.{C}",
            f"ext.default.svc.{C} 5 CNAME example.com.",
            "? example.com.",
        ],
    ),
    *(("", f"ip.default.svc.{C} {kind}", ["NXDOMAIN"]) for kind in ("A", "CNAME", "MX", "SRV")),
    *(("", f"{n}.default.svc.{C} A", ["NODATA"]) for n in ("loop", "dead", "ping", "pong")),
    # Pods
    ("", f"default.pod.{C} A", ["NXDOMAIN"]),
    ("", f"10-42-0-7.default.pod.{C} A", ["NXDOMAIN"]),
    ("pods insecure", f"default.pod.{C} A", ["NODATA"]),
    ("pods insecure", f"nosuch.pod.{C} A", ["NXDOMAIN"]),
    ("pods insecure", f"9-9-9-9.default.pod.{C} A", [f"9-9-9-9.default.pod.{C} 5 A 9.9.9.9"]),
    ("pods insecure", f"9-9-9-9.default.pod.{C} AAAA", ["NODATA"]),
    ("pods insecure", f"9-9-9-9.nosuch.pod.{C} A", ["NXDOMAIN"]),
    ("pods insecure", f"999-1-2-3.default.pod.{C} A", ["NXDOMAIN"]),
    ("pods insecure", f"client.default.pod.{C} A", ["NXDOMAIN"]),
    ("pods insecure", f"fd00--7.demo.pod.{C} AAAA", [f"fd00--7.demo.pod.{C} 5 AAAA fd00::7"]),
    (
        "pods insecure",
        f"--ffff-102-304.demo.pod.{C} A",
        [f"--ffff-102-304.demo.pod.{C} 5 A 1.2.3.4"],
    ),
    (
        "pods insecure",
        f"1-2-3-4.demo.pod.{C} SRV",
        [
            f"1-2-3-4.demo.pod.{C} 5 SRV 0 100 0 1-2-3-4.demo.pod.{C}",
            f"+ 1-2-3-4.demo.pod.{C} 5 A 1.2.3.4",
        ],
    ),
    ("pods verified", f"10-42-0-7.default.pod.{C} A", [f"10-42-0-7.default.pod.{C} 5 A 10.42.0.7"]),
    ("pods verified", f"10-42-0-7.demo.pod.{C} A", ["NXDOMAIN"]),
    ("pods verified", f"10-42-0-8.default.pod.{C} A", ["NXDOMAIN"]),
    ("pods verified", f"9-9-9-9.default.pod.{C} A", ["NXDOMAIN"]),
    (
        "pods verified",
        f"fd00-42--7.demo.pod.{C} AAAA",
        [f"fd00-42--7.demo.pod.{C} 5 AAAA fd00:42::7"],
    ),
    ("pods verified", f"default.pod.{C} A", ["NODATA"]),
    # Addresses
    ("", "5.5.43.10.in-addr.arpa. PTR", [f"5.5.43.10.in-addr.arpa. 5 PTR {W}"]),
    ("", "5.1.42.10.in-addr.arpa. PTR", [f"5.1.42.10.in-addr.arpa. 5 PTR 10-42-1-5.{W}"]),
    ("", "20.1.42.10.in-addr.arpa. PTR", [f"20.1.42.10.in-addr.arpa. 5 PTR db-0.{DB}"]),
    ("", "22.1.42.10.in-addr.arpa. PTR", ["NXDOMAIN"]),
    ("", "7.0.42.10.in-addr.arpa. PTR", ["NXDOMAIN"]),
    ("", "43.10.in-addr.arpa. PTR", ["NXDOMAIN"]),
    ("", "in-addr.arpa. PTR", ["NODATA"]),
    ("", "5.5.43.10.in-addr.arpa. A", ["NXDOMAIN"]),
    ("", "x.5.5.43.10.in-addr.arpa. PTR", ["NXDOMAIN"]),
    ("", f"9.{V6[:-8]}0.0.0.0.3.4.0.0.0.0.d.f.ip6.arpa. PTR", ["NXDOMAIN"]),
    ("noendpoints", "20.1.42.10.in-addr.arpa. PTR", ["NXDOMAIN"]),
    ("noendpoints", "5.5.43.10.in-addr.arpa. PTR", [f"5.5.43.10.in-addr.arpa. 5 PTR {W}"]),
    ("namespaces demo", "5.5.43.10.in-addr.arpa. PTR", ["NXDOMAIN"]),
    (
        "endpoint_pod_names",
        "11.1.42.10.in-addr.arpa. PTR",
        [f"11.1.42.10.in-addr.arpa. 5 PTR web-a.{WEB}"],
    ),
    # Zones of nodes (option of CoreDNS 1.14)
    ("", f"a.pin._zone.{WEB} A", ["NXDOMAIN"]),
    ("zonal", f"a.pin._zone.{WEB} A", ["NODATA"]),
    ("zonal", f"a.far._zone.{WEB} A", ["NXDOMAIN"]),
    ("zonal", f"a.pin._zone.{W} A", ["NXDOMAIN"]),
    ("zonal", f"a.b.prefer._zone.db.demo.svc.{C} AAAA", ["NODATA"]),
]


@pytest.mark.parametrize(("options", "question", "expected"), ANSWERS)
def test_answer(options: str, question: str, expected: list[str]) -> None:
    assert ask(zone(WORLD, options), question) == expected


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
