"""DNS servers: of the cluster, and outside; what changes, and who is told."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import dns.exception
import dns.message
import dns.query
import dns.rcode
import pytest

from kubehop import example
from kubehop.dns.lookup.resolvers import RESOLVERS
from kubehop.dns.message import Question
from kubehop.dns.outside import Mood
from kubehop.dns.settings import DNSSettings
from kubehop.lab.faults.names import REFUSING
from kubehop.lab.kernel import Base, Kernel
from kubehop.lab.plan.public_zone import PUBLIC_HOSTS, public_settings, public_zone
from kubehop.lab.plan.values import Address, Nameserver, Route, RouteKind, Thing
from kubehop.lab.servers import DNSServers
from kubehop.lab.servers.chains import Arrived
from kubehop.model.cluster import Cluster
from kubehop.model.config import ConfigMap
from kubehop.model.meta import ObjectMeta
from kubehop.model.node import Namespace
from kubehop.model.service import Service
from kubehop.trace.lookups import Names
from kubehop.trace.questions import parse_origin
from tests.clusters import cluster, service
from tests.lab.inside import as_everyone, in_lab
from tests.lab.servers.talking import refuses, sandboxes

DNS, OTHER = "pod/kube-system/dns", "pod/kube-system/dns-2"
AT, SIX, UPSTREAM, UPSTREAM6 = "10.42.0.2", "fd00:42::2", "203.0.113.53", "2001:db8:113::53"
CONF = f"search corp.example\nnameserver {UPSTREAM}\n"
POD = Nameserver(DNS, (AT, SIX), pod="kube-system/dns", resolv_conf=CONF)
OUTSIDE = Nameserver(DNS, (UPSTREAM, UPSTREAM6))
BOTH = (POD, OUTSIDE)
WEB = "web.default.svc.cluster.local."
OWN = "cluster.local:53 {\n    kubernetes\n}\n.:53 {\n    forward . /etc/resolv.conf\n}\n"

Said = tuple[str, list[str]]


def holding(*services: Service) -> Cluster:
    """A cluster with the namespace default and these in it."""
    default = Namespace(metadata=ObjectMeta(name="default"))
    return replace(cluster(*services), namespaces=(default,))


CLUSTER = holding(service())


def with_corefile(text: str, found: Cluster = CLUSTER) -> Cluster:
    metadata = ObjectMeta(name="coredns", namespace="kube-system")
    return replace(found, config_maps=(ConfigMap(metadata=metadata, data={"Corefile": text}),))


@contextmanager
def dns_lab(
    base: Base, names: Sequence[str] = (DNS,), **options: object
) -> Iterator[tuple[Kernel, DNSServers]]:
    """Namespaces where cluster DNS has an address, and any address outside is a local one."""
    things: list[Thing] = [
        Address(DNS, "lo", f"{AT}/32"),
        Address(DNS, "lo", f"{SIX}/128"),
        Address(DNS, "lo", f"{UPSTREAM6}/128"),
        Route(DNS, "203.0.113.0/24", "lo", kind=RouteKind.LOCAL, table=255),
    ]
    with sandboxes(base, names, *things) as kernel:
        servers = DNSServers(kernel.inside, **options)  # type: ignore[arg-type]
        try:
            yield kernel, servers
        finally:
            servers.stop()


def said(kernel: Kernel, name: str, type: str = "A", at: str = AT, tcp: bool = False) -> Said:
    """The rcode and the addresses of an answer."""
    asked = dns.message.make_query(name, type)
    with kernel.inside(DNS):
        reply = (dns.query.tcp if tcp else dns.query.udp)(asked, at, timeout=5)
    data = [str(rdata) for rrset in reply.answer for rdata in rrset]
    return dns.rcode.to_text(reply.rcode()), data


@as_everyone
@in_lab
def test_names_of_the_cluster_and_of_the_world(base: Base, uid: int | None) -> None:
    with dns_lab(base) as (kernel, servers):
        assert servers.apply(CLUSTER, BOTH) == ()
        for at in (AT, SIX):
            for tcp in (False, True):
                assert said(kernel, WEB, "A", at, tcp) == ("NOERROR", ["10.43.0.1"])
                assert said(kernel, "example.com.", "A", at, tcp) == ("NOERROR", ["192.0.2.100"])
        assert said(kernel, "EXAMPLE.com.", "AAAA") == ("NOERROR", ["2001:db8:2::64"])
        assert said(kernel, "github.com.", "AAAA") == ("NOERROR", [])
        assert said(kernel, "web.ca-central-1.compute.internal.") == ("NXDOMAIN", [])
        assert said(kernel, "nope.default.svc.cluster.local.") == ("NXDOMAIN", [])
        assert said(kernel, "kubernetes.default.svc.cluster.local.")[0] == "NOERROR"
        for at in (UPSTREAM, UPSTREAM6):
            assert said(kernel, WEB, at=at) == ("NXDOMAIN", [])
            assert said(kernel, "kubernetes.io.", at=at, tcp=True)[0] == "NOERROR"


@in_lab
def test_a_change_of_the_cluster(base: Base) -> None:
    with dns_lab(base) as (kernel, servers):
        servers.apply(CLUSTER, BOTH)
        assert said(kernel, "new.default.svc.cluster.local.")[0] == "NXDOMAIN"
        news = service("new", clusterIP="10.43.0.9")
        assert servers.apply(holding(service(), news), BOTH) == ()
        assert said(kernel, "new.default.svc.cluster.local.") == ("NOERROR", ["10.43.0.9"])
        servers.apply(CLUSTER, BOTH)
        assert said(kernel, "new.default.svc.cluster.local.")[0] == "NXDOMAIN"


@in_lab
def test_another_corefile(base: Base) -> None:
    with dns_lab(base) as (kernel, servers):
        servers.apply(CLUSTER, BOTH)
        assert servers.apply(with_corefile(OWN), BOTH) == ()
        assert said(kernel, WEB)[0] == "NOERROR"
        assert said(kernel, "1.0.43.10.in-addr.arpa.", "PTR")[0] == "NXDOMAIN"
        changed = with_corefile(OWN.replace("cluster.local", "corp.local"))
        servers.apply(changed, BOTH)
        assert said(kernel, "web.default.svc.corp.local.")[0] == "NOERROR"
        # One that CoreDNS would refuse: the old one serves on, and it is said each time.
        for _ in range(2):
            (line,) = servers.apply(with_corefile(".:53 {\n  nonsense\n}\n"), BOTH)
            assert line.startswith("DNS server kube-system/dns in pod/kube-system/dns: ConfigMap")
            assert said(kernel, "web.default.svc.corp.local.")[0] == "NOERROR"
        # One that listens elsewhere: CoreDNS closes the port.
        (line,) = servers.apply(with_corefile(OWN.replace(":53", ":5353")), BOTH)
        assert line.endswith("its Corefile listens on 5353, not on 53")
        with kernel.inside(DNS):
            assert refuses(53, AT)
        assert servers.apply(CLUSTER, BOTH) == ()
        assert said(kernel, WEB)[0] == "NOERROR"


@in_lab
def test_servers_come_and_go(base: Base) -> None:
    with dns_lab(base, (DNS, OTHER)) as (kernel, servers):
        other = replace(POD, namespace=OTHER, addresses=("127.0.0.1",), pod="kube-system/dns-2")
        for found in (BOTH, (*BOTH, other), (other,), (), BOTH):
            assert servers.apply(CLUSTER, found) == ()
            with kernel.inside(DNS):
                assert refuses(53, AT) == (POD not in found)
            with kernel.inside(OTHER):
                assert refuses(53) == (other not in found)
        servers.stop()
        with kernel.inside(DNS):
            assert refuses(53, AT)


@in_lab
def test_what_is_wrong_with_a_server(base: Base) -> None:
    with dns_lab(base) as (kernel, servers):
        servers.apply(CLUSTER, BOTH)
        servers.apply(CLUSTER, (replace(POD, corefile=REFUSING), OUTSIDE))
        assert said(kernel, WEB)[0] == said(kernel, "example.com.")[0] == "REFUSED"
        servers.apply(CLUSTER, (replace(POD, resolv_conf="nameserver 127.0.0.53\n"), OUTSIDE))
        assert said(kernel, WEB)[0] == "NOERROR"
        assert said(kernel, "example.com.")[0] == "SERVFAIL"
        servers.apply(CLUSTER, (POD, replace(OUTSIDE, silent=True)))
        with pytest.raises(dns.exception.Timeout), kernel.inside(DNS):
            dns.query.udp(dns.message.make_query("example.com.", "A"), UPSTREAM, timeout=0.3)
        with kernel.inside(DNS):
            assert not refuses(53, UPSTREAM)
        servers.apply(CLUSTER, BOTH)
        assert said(kernel, "example.com.")[0] == "NOERROR"


@in_lab
def test_an_address_that_cannot_be_had_is_a_line(base: Base) -> None:
    with dns_lab(base) as (kernel, servers):
        bad = replace(POD, addresses=("10.99.99.99",))
        lost = replace(POD, namespace="pod/no/where")
        assert servers.apply(CLUSTER, (bad, lost, OUTSIDE)) == (
            "DNS server kube-system/dns in pod/kube-system/dns: cannot listen on 10.99.99.99:53: "
            "Cannot assign requested address",
            "DNS server kube-system/dns in pod/no/where: the lab has no namespace pod/no/where",
        )
        assert said(kernel, "example.com.", at=UPSTREAM)[0] == "NOERROR"


@in_lab
def test_every_query_is_told_in_the_order_in_which_they_come(base: Base) -> None:
    told: list[Arrived] = []
    with dns_lab(base, log=told.append) as (kernel, servers):
        servers.apply(CLUSTER, BOTH)
        names = [WEB, "example.com.", WEB, "nope.example.", WEB, "example.com."]
        for name in names:
            said(kernel, name)
        said(kernel, WEB, "AAAA", tcp=True)
        servers.apply(holding(service(), service("b", clusterIP="10.43.0.9")), BOTH)
        said(kernel, WEB)
    expected = [Arrived("kube-system/dns", AT, "udp", Question(name, "A")) for name in names]
    last = Arrived("kube-system/dns", AT, "tcp", Question(WEB, "AAAA"))
    assert told == [*expected, last, expected[0]]


@pytest.mark.parametrize("resolver", ["glibc", "musl", "busybox"])
def test_predicted_answers_are_given(resolver: str) -> None:
    """Each query that is predicted for a pod of the notes, asked for real."""
    found = example.cluster()
    names = Names(found, public_settings(DNSSettings()))
    origin = parse_origin(found, "pod/busybox", "default")
    looked = ("whoami", "example.com", "github.com", "kubernetes.default", "nope.example")
    steps = [
        answered.step
        for name in looked
        for answered in names.lookup(name, origin, RESOLVERS[resolver]).steps
    ]

    @in_lab
    def asked(base: Base) -> list[Said]:
        with dns_lab(base) as (kernel, servers):
            servers.apply(found, (replace(POD, addresses=(AT, SIX)), OUTSIDE))
            return [said(kernel, s.query.question.name, s.query.question.type) for s in steps]

    predicted = [(s.result.rcode.name, [r.data for r in s.result.answer]) for s in steps]  # type: ignore[union-attr]
    assert asked() == predicted
    assert len(steps) > 15


def test_the_public_zone_and_the_settings_of_a_prediction() -> None:
    said_before = DNSSettings(hosts={"Example.com.": ("192.0.2.1",)}, mood=Mood.REFUSED)
    settings = public_settings(said_before)
    assert settings.hosts["Example.com."] == ("192.0.2.1",)
    assert "example.com" not in settings.hosts
    assert settings.mood is Mood.REFUSED
    assert public_settings(DNSSettings()).mood is Mood.NXDOMAIN
    assert public_settings(settings) == settings
    zone = public_zone(DNSSettings())
    for name, addresses in PUBLIC_HOSTS.items():
        replies = [zone.answer(Question(f"{name}.", type)) for type in ("A", "AAAA")]
        assert [r.data for reply in replies if reply for r in reply.answer] == list(addresses)
