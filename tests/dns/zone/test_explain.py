"""Reasons, and the objects that they are about."""

import pytest

from kubehop.dns.message import Question
from kubehop.dns.names import folded
from kubehop.dns.zone import KINDS, Why, explain
from tests.dns.zone.objects import (
    cluster,
    endpoint,
    external,
    pod,
    service,
    slice_of,
    zone,
)

C = "cluster.local."
WORLD = cluster(
    service("demo/web", "10.43.0.1"),
    slice_of("demo/web", "10.42.0.5"),
    service("demo/db"),
    slice_of("demo/db", endpoint("10.42.0.1", "db-0"), endpoint("10.42.0.2", ready=False)),
    service("demo/gone"),
    external("demo/ext", "example.com"),
    external("demo/ip", "1.2.3.4"),
    pod("demo/p", "10.42.0.9"),
)
WEB, DB, GONE = "Service demo/web", "Service demo/db", "Service demo/gone"


@pytest.mark.parametrize(
    ("options", "question", "text", "about"),
    [
        ("", f"web.demo.svc.{C} A", f"{WEB} has cluster IP 10.43.0.1", WEB),
        ("", f"web.demo.svc.{C} AAAA", f"{WEB} has no IPv6 cluster IP", WEB),
        ("", f"_x._tcp.web.demo.svc.{C} SRV", f"{WEB} has no port named x", WEB),
        ("", f"nosuch.demo.svc.{C} A", "no Service nosuch in namespace demo", ""),
        ("", f"web.nosuch.svc.{C} A", "namespace nosuch does not exist", "Namespace nosuch"),
        (
            "namespaces other",
            f"web.demo.svc.{C} A",
            "namespace demo is not among those that CoreDNS serves",
            "Namespace demo",
        ),
        ("", f"demo.svc.{C} A", "namespace demo exists, its name has no records", ""),
        ("", f"db.demo.svc.{C} A", f"{DB} has 1 ready endpoint", DB),
        ("", f"x.db.demo.svc.{C} A", f"no ready endpoint of {DB} is called x", DB),
        ("", f"_x._tcp.db.demo.svc.{C} A", f"no endpoint of {DB} has a port named x", DB),
        ("", f"gone.demo.svc.{C} A", f"{GONE} is headless without ready endpoints", GONE),
        (
            "noendpoints",
            f"db.demo.svc.{C} A",
            "CoreDNS runs with noendpoints: it knows no endpoints",
            DB,
        ),
        (
            "ignore empty_service; noendpoints",
            f"web.demo.svc.{C} A",
            f"{WEB} has no ready endpoints, and ignore empty_service hides it",
            WEB,
        ),
        (
            "",
            f"ext.demo.svc.{C} A",
            "Service demo/ext is an ExternalName for example.com",
            "Service demo/ext",
        ),
        (
            "",
            f"a.ext.demo.svc.{C} A",
            "Service demo/ext is an ExternalName: nothing is below it",
            "Service demo/ext",
        ),
        (
            "",
            f"ip.demo.svc.{C} A",
            "Service demo/ip is an ExternalName for an address, 1.2.3.4: not a name",
            "Service demo/ip",
        ),
        ("", f"foo.{C} A", f"no name in {C} has this form", ""),
        ("", f"svc.{C} A", "the name exists, without data of type A", ""),
        ("", f"{C} SOA", f"the zone itself, {C}", ""),
        ("", f"dns-version.{C} TXT", "the version of the DNS schema", ""),
        ("", f"{C} AXFR", "zone transfers need the transfer plugin", ""),
        ("", f"1-2-3-4.demo.pod.{C} A", "CoreDNS gives pods no names (pods disabled)", ""),
        (
            "pods insecure",
            f"1-2-3-4.demo.pod.{C} A",
            "any address is echoed in an existing namespace (pods insecure)",
            "",
        ),
        ("pods verified", f"10-42-0-9.demo.pod.{C} A", "pod demo/p has it", "Pod demo/p"),
        (
            "pods verified",
            f"1-2-3-4.demo.pod.{C} A",
            "no pod in namespace demo has this address (pods verified)",
            "",
        ),
        ("", "1.0.43.10.in-addr.arpa. PTR", f"10.43.0.1 is the cluster IP of {WEB}", WEB),
        ("", "5.0.42.10.in-addr.arpa. PTR", f"10.42.0.5 is a ready endpoint of {WEB}", WEB),
        (
            "",
            "2.0.42.10.in-addr.arpa. PTR",
            "no Service has cluster IP 10.42.0.2, and no ready endpoint is there",
            "",
        ),
    ],
)
def test_why(options: str, question: str, text: str, about: str) -> None:
    found = zone(WORLD, options)
    name, kind = question.split()
    assert explain(found, Question(name, kind), found.zone_of(folded(name))) == Why(text, about)


def test_what_was_not_listed_cannot_be_told() -> None:
    found = zone(WORLD, synced=KINDS - {"EndpointSlice"})
    why = explain(found, Question(f"db.demo.svc.{C}", "A"), C)
    assert why == Why("CoreDNS cannot tell: it could not list EndpointSlice objects", DB)
    answered = explain(found, Question(f"web.demo.svc.{C}", "A"), C)
    assert answered == Why(f"{WEB} has cluster IP 10.43.0.1", WEB)
