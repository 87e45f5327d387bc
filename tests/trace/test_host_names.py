"""Traces to host names: looked up first, as a program would."""

from fractions import Fraction

import pytest

from kubehop import example
from kubehop.dns.lookup.resolvers import RESOLVERS
from kubehop.dns.settings import DNSSettings
from kubehop.model.errors import UsageError
from kubehop.service.frontends import FrontendKind
from kubehop.trace.by_name import trace_any
from kubehop.trace.lookups import Names
from kubehop.trace.values import Trace, Verdict
from tests.workload.making import cluster, deployment, pod, service

NOTES = example.cluster()
"""The cluster of the field notes."""
NAMES = Names(NOTES, DNSSettings())
GLIBC = RESOLVERS["glibc"]
CLIENT = pod("client", "nodeName: node-0", "podIP: 10.42.0.99")


def trace(target: str, origin: str = "pod/busybox", **settings: object) -> Trace:
    names = Names(NOTES, DNSSettings(**settings))  # type: ignore[arg-type]
    return trace_any(names, origin, target, RESOLVERS["glibc"])


def test_a_name_is_looked_up_first() -> None:
    found = trace("whoami.default:80")
    assert found.lookup is not None
    assert found.lookup.queries == 4
    by_service = trace("svc/whoami:80")
    assert [f.endpoint for f in found.fates] == [f.endpoint for f in by_service.fates]
    assert by_service.lookup is None


def test_a_name_that_is_not_found_sends_nothing() -> None:
    (fate,) = trace("nosuch:80").fates
    assert (fate.verdict, fate.endpoint, len(fate.hops)) == (Verdict.UNRESOLVED, None, 1)


def test_a_headless_name_has_each_address_alike() -> None:
    found = cluster(
        deployment("db", 3)
        + service("db", "clusterIP: None", "[{name: web, port: 8080}]")
        + pod("client", "nodeName: node-0", "podIP: 10.42.0.99")
    )
    names = Names(found, DNSSettings())
    answer = trace_any(names, "pod/client", "db:8080", RESOLVERS["musl"])
    assert [fate.probability for fate in answer.fates] == [Fraction(1, 3)] * 3


def test_an_address_that_nothing_tells_is_asked_for() -> None:
    with pytest.raises(UsageError, match=r"say it with --host example\.com=IP"):
        trace("example.com:443")
    known = trace("example.com:443", hosts={"example.com": ("93.184.216.34",)})
    assert known.fates[0].verdict is Verdict.DELIVERED


ALIAS = service("db", "type: ExternalName, externalName: db.corp.com", "null").replace(
    "selector: {app: db}, ports: null, ", ""
)


def test_the_address_that_is_asked_for_is_the_aliass_targets() -> None:
    names = Names(cluster(ALIAS + CLIENT), DNSSettings())
    with pytest.raises(UsageError, match=r"say it with --host db\.corp\.com=IP"):
        trace_any(names, "pod/client", "db:5432", RESOLVERS["glibc"])


def test_nobody_translates_the_port_of_a_headless_service() -> None:
    found = cluster(deployment("db", 1) + service("db", "clusterIP: None") + CLIENT)
    said = "Service default/db is headless: nobody turns port 80 into 8080, its targetPort"
    for port, expected in (("80", True), ("8080", False)):
        answer = trace_any(Names(found, DNSSettings()), "pod/client", f"db:{port}", GLIBC)
        assert (said in answer.notes) is expected


DUAL = """
---
apiVersion: v1
kind: Service
metadata: {name: dual}
spec:
  clusterIPs: [10.43.5.6, "fd00:43::6"]
  ipFamilies: [IPv4, IPv6]
  ipFamilyPolicy: RequireDualStack
  ports: [{port: 80}]
"""


@pytest.mark.parametrize(("resolver", "address"), [("glibc", "[fd00:43::6]"), ("go", "10.43.5.6")])
def test_which_family_is_used_depends_on_the_resolver(resolver: str, address: str) -> None:
    client = pod("client", "nodeName: a", 'podIPs: [{ip: 10.42.0.8}, {ip: "fd00:42::8"}]')
    names = Names(cluster(DUAL + client), DNSSettings())
    (fate,) = trace_any(names, "pod/client", "dual:80", RESOLVERS[resolver]).fates
    assert fate.hops[0].what.endswith(f"sends to {address}:80")


def test_options_of_services_are_not_for_host_names() -> None:
    with pytest.raises(UsageError, match="--via is for svc/NAME:PORT"):
        trace_any(NAMES, "pod/busybox", "whoami:80", GLIBC, via=FrontendKind.NODE_PORT)
    with pytest.raises(UsageError, match="no Node elsewhere"):
        trace_any(NAMES, "pod/busybox", "whoami:80", GLIBC, node="elsewhere")


def test_clients_outside_have_a_resolver_of_their_own() -> None:
    with pytest.raises(UsageError, match="say it with --host"):
        trace("www.example.com:80", "external")
    (fate,) = trace("whoami.default:80", "external").fates
    assert fate.verdict is Verdict.UNRESOLVED


def test_ports_are_numbers() -> None:
    with pytest.raises(UsageError, match="'http' is not a port number"):
        trace("whoami:http")
