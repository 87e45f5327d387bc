"""Lookups from where a client is: the files, the way to the nameserver, the answers and why."""

from fractions import Fraction

import pytest

from kubehop import example
from kubehop.dns.lookup.protocol import Status
from kubehop.dns.lookup.resolvers import RESOLVERS
from kubehop.dns.outside import UNKNOWN_ADDRESS, Mood
from kubehop.dns.settings import DNSSettings
from kubehop.model.cluster import Cluster
from kubehop.model.errors import InputError, UsageError
from kubehop.trace.lookups import Names, Prediction, resolver_named
from kubehop.trace.nameservers import Answers
from kubehop.trace.questions import parse_origin
from kubehop.workload.options import Options
from tests.workload.making import cluster, node, pod, service

NOTES = example.cluster()
"""The cluster of the field notes."""
NAMES = Names(NOTES, DNSSettings())
GLIBC = RESOLVERS["glibc"]
CLIENT = pod("client", "nodeName: node-0", "podIP: 10.42.0.99")


def look(
    name: str,
    origin: str | None = "pod/busybox",
    resolver: str = "glibc",
    found: Cluster = NOTES,
    **settings: object,
) -> Prediction:
    names = Names(found, DNSSettings(**settings))  # type: ignore[arg-type]
    start = parse_origin(found, origin, "default") if origin else None
    return names.lookup(name, start, resolver_named(resolver))


def asked(found: Prediction) -> list[str]:
    """`NAME TYPE` of every query."""
    return [f"{o.step.query.question.name} {o.step.query.question.type}" for o in found.steps]


# name -> queries by glibc; the notes' claims, and where they are wrong
NOTES_CLAIM = [
    ("whoami", 2),
    ("whoami.default", 4),
    ("whoami.default.svc.cluster.local", 10),
    ("whoami.default.svc.cluster.local.", 2),
    ("example.com", 10),
    ("example.com.", 2),
    ("busybox", 0),
]


@pytest.mark.parametrize(("name", "queries"), NOTES_CLAIM)
def test_queries_of_the_notes_cluster(name: str, queries: int) -> None:
    found = look(name)
    assert (found.outcome.status, found.queries) == (Status.FOUND, queries)


def test_the_search_list_has_no_pod_cluster_local() -> None:
    found = look("whoami")
    assert found.files.resolv_conf == (
        "search default.svc.cluster.local svc.cluster.local cluster.local "
        "ca-central-1.compute.internal\nnameserver 10.43.0.10\noptions ndots:5\n"
    )
    assert not any("pod.cluster.local" in line for line in asked(look("nosuch")))


def test_each_answer_says_why_and_names_the_object() -> None:
    first, _, third, _ = look("whoami.default").steps
    assert (first.why, first.object) == ("no Service default in namespace default", "")
    assert first.step.query.why == "search domain 1 of 4: default.svc.cluster.local"
    assert third.object == "Service default/whoami"


def test_who_answers_is_part_of_it() -> None:
    (met,) = look("whoami").nameservers
    assert (met.address, met.answers, met.share) == ("10.43.0.10", Answers.CLUSTER, Fraction(1))


NOT_READY = """
---
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec: {clusterIP: 10.43.0.10, selector: {k8s-app: kube-dns}, ports: [{port: 53, protocol: UDP}]}
"""


def test_without_dns_pods_the_service_rejects_and_glibc_gives_up_at_once() -> None:
    found = look("whoami", "pod/client", found=cluster(NOT_READY + pod("client", "nodeName: a")))
    assert (found.outcome.status, found.seconds, found.queries) == (Status.TRY_AGAIN, 0.0, 4)
    assert {met.answers for met in found.nameservers} == {Answers.UNREACHABLE}
    assert "refused" in found.steps[0].why


HOST_NETWORK = pod("host", "nodeName: a, hostNetwork: true", "podIP: 192.0.2.1")
DNS_NONE = pod(
    "own", "nodeName: a, dnsPolicy: None, dnsConfig: {nameservers: [10.43.9.9]}", "podIP: 10.42.0.9"
)


def test_a_host_network_pod_asks_the_nodes_resolver() -> None:
    """The notes' trap: ClusterFirst becomes Default, and cluster names are unknown outside."""
    found = look("whoami.default", "pod/host", found=cluster(HOST_NETWORK + service("whoami")))
    assert found.files.why == "dnsPolicy ClusterFirst with hostNetwork: the node's"
    assert found.outcome.status is Status.NOT_FOUND
    assert {met.answers for met in found.nameservers} == {Answers.OUTSIDE}


def test_nodes_know_localhost_and_themselves() -> None:
    """From /etc/hosts, which a pod on the host's network begins with a copy of."""
    found = cluster(HOST_NETWORK + node("a"))
    for origin in ("node/a", "pod/host"):
        for name, address in (("localhost", "127.0.0.1"), ("a", "192.0.2.1")):
            one = look(name, origin, found=found)
            assert one.queries == 0, (origin, name)
            assert address in one.outcome.addresses


@pytest.mark.parametrize("resolver", ["glibc", "busybox", "go"])
def test_without_a_search_list_the_hostnames_domain_is_searched(resolver: str) -> None:
    """setHostnameAsFQDN makes the kernel's hostname one; observed with glibc and busybox."""
    spec = "nodeName: node-0, subdomain: db, setHostnameAsFQDN: true, dnsPolicy: None, "
    spec += "dnsConfig: {nameservers: [10.43.0.10]}"
    found = cluster(pod("db-0", spec, "podIP: 10.42.0.99"))
    queries = asked(look("web", "pod/db-0", resolver, found))
    assert queries[0] == "web.db.default.svc.cluster.local. A"
    plain = cluster(pod("db-0", spec.replace("AsFQDN: true", "AsFQDN: false"), "podIP: 10.42.0.99"))
    assert asked(look("web", "pod/db-0", resolver, plain))[0] == "web. A"


AUTOPATH = """
---
apiVersion: v1
kind: Pod
metadata: {name: dns, namespace: kube-system, labels: {k8s-app: kube-dns}}
spec: {nodeName: n, containers: [{name: dns}]}
status:
  phase: Running
  podIPs: [{ip: 10.42.0.2}, {ip: "fd00:42::2"}]
  conditions: [{type: Ready, status: "True"}]
---
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec:
  clusterIPs: [10.43.0.10, "fd00:43::10"]
  ipFamilies: [IPv4, IPv6]
  selector: {k8s-app: kube-dns}
  ports: [{port: 53, protocol: UDP}]
---
apiVersion: v1
kind: Node
metadata: {name: n}
spec: {podCIDRs: [10.42.0.0/24, "fd00:42::/64"]}
status:
  addresses: [{type: InternalIP, address: 192.0.2.1}, {type: InternalIP, address: "2001:db8::1"}]
"""


@pytest.mark.parametrize(
    ("server", "masquerade", "queries"),
    [("10.43.0.10", False, 2), ("fd00:43::10", False, 10), ("10.43.0.10", True, 10)],
)
def test_autopath_goes_by_the_address_that_cluster_dns_sees(
    server: str, masquerade: bool, queries: int
) -> None:
    """CoreDNS knows a pod by its first address alone (plugin/kubernetes, podIPIndexFunc); over
    IPv6, or behind a masquerade, nobody walks the search list for it."""
    config = f"""dnsPolicy: None, dnsConfig: {{
      options: [{{name: ndots, value: "5"}}], nameservers: ["{server}"],
      searches: [default.svc.cluster.local, svc.cluster.local, cluster.local, x.example]}}"""
    addresses = "podIPs: [{ip: 10.42.0.9}, {ip: 'fd00:42::9'}]"
    client = pod("client", f"nodeName: n, {config}", addresses)
    lines = ("kubernetes cluster.local {", "pods verified", "}", "autopath @kubernetes")
    text = "\n".join((".:53 {", *lines, "forward . 203.0.113.53", "}"))
    found = cluster(AUTOPATH + client, Options(masquerade_all=masquerade))
    assert look("example.com", "pod/client", found=found, corefile=text).queries == queries


def test_a_nameserver_that_no_service_has_costs_the_whole_patience() -> None:
    found = look("whoami", "pod/own", found=cluster(DNS_NONE))
    assert (found.outcome.status, found.seconds) == (Status.TRY_AGAIN, 10.0)
    assert {met.answers for met in found.nameservers} == {Answers.SILENT}


@pytest.mark.parametrize(
    ("mood", "status", "seconds"),
    [
        (Mood.ANSWERS, Status.FOUND, 0.0),
        (Mood.NXDOMAIN, Status.NOT_FOUND, 0.0),
        (Mood.SERVFAIL, Status.TRY_AGAIN, 0.0),
        (Mood.REFUSED, Status.TRY_AGAIN, 0.0),
        # CoreDNS gives a silent upstream up after 6 s, when glibc has sent its query again
        (Mood.SILENT, Status.TRY_AGAIN, 6.0),
    ],
)
def test_the_mood_outside(mood: Mood, status: Status, seconds: float) -> None:
    found = look("example.com.", mood=mood)
    assert (found.outcome.status, found.seconds) == (status, seconds)


def test_a_known_address_outside() -> None:
    assert look("example.com").outcome.addresses == (UNKNOWN_ADDRESS,)
    known = look("example.com", hosts={"example.com": ("93.184.216.34",)})
    assert known.outcome.addresses == ("93.184.216.34",)


def test_without_an_origin_any_pod_is_meant() -> None:
    found = look("whoami", None)
    assert (found.origin, found.queries) == ("a pod of namespace default", 2)


def test_settings_win() -> None:
    files = look(
        "whoami",
        cluster_dns=("10.43.0.99",),
        cluster_domain="corp",
        node_resolv_conf="search a.example\nnameserver 9.9.9.9\n",
    ).files
    assert files.resolv_conf == (
        "search default.svc.corp svc.corp corp a.example\nnameserver 10.43.0.99\noptions ndots:5\n"
    )


def test_a_corefile_decides() -> None:
    lost = look("whoami", corefile=".:53 {\n kubernetes other.local\n}\n")
    assert lost.files.resolv_conf.startswith("search default.svc.other.local")
    denied = look("example.com.", corefile="cluster.local:53 {\n kubernetes cluster.local\n}\n")
    assert "no server block" in denied.steps[0].why
    with pytest.raises(InputError, match="Unknown directive 'kubernets'"):
        look("whoami", corefile=".:53 {\n kubernets cluster.local\n}\n")


@pytest.mark.parametrize("name", ["whoami.defualt", "whoami.default.svc.cluster.locl", "a.whoami"])
def test_a_slip_is_no_host_of_the_internet(name: str) -> None:
    assert look(name).outcome.status is Status.NOT_FOUND


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bücher.example", ": programs ask for xn--bcher-kva.example$"),
        ("\N{CYRILLIC SMALL LETTER A}" * 64, "is not ASCII, which names in DNS are$"),
    ],
)
def test_names_are_ascii(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        look(name)


def test_kubeadm_writes_the_cluster_domain_into_its_corefile() -> None:
    found = look("whoami", cluster_domain="corp.internal")
    assert found.outcome.canonical == "whoami.default.svc.corp.internal"


def test_errors_name_the_corefile() -> None:
    with pytest.raises(InputError, match=r"^my\.conf:2 - Error during parsing"):
        look("whoami", corefile=".:53 {\n foo\n}\n", corefile_name="my.conf")
    with pytest.raises(
        InputError, match=r"^kubeadm's Corefile:\d+: plugin/forward: no nameservers"
    ):
        look("whoami", node_resolv_conf="search corp\n")


STUB = ".:53 {{\n kubernetes cluster.local\n forward . {0}\n}}\n"


@pytest.mark.parametrize(
    ("server", "status", "seconds", "note"),
    [
        ("203.0.113.53", Status.FOUND, 0.0, ""),
        ("10.42.0.8", Status.FOUND, 0.0, ""),
        ("10.43.9.9", Status.TRY_AGAIN, 6.0, "the Corefile forwards to 10.43.9.9:53, and kube-pro"),
        ("10.43.77.255", Status.TRY_AGAIN, 0.0, "the Corefile forwards to 10.43.77.255:53, and ku"),
        ("10.43.9.9 203.0.113.53", Status.FOUND, 0.0, "the Corefile forwards to 10.43.9.9:53"),
        ("10.43.0.10", Status.TRY_AGAIN, 0.0, "forward . leads back to CoreDNS itself: every"),
    ],
)
def test_what_is_forwarded_is_a_packet_too(
    server: str, status: Status, seconds: float, note: str
) -> None:
    found = look("example.com.", corefile=STUB.format(server))
    assert (found.outcome.status, found.seconds) == (status, seconds)
    assert any(said.startswith(note) for said in found.notes) or not note


def test_cluster_dns_answers_at_the_ports_of_its_corefile() -> None:
    found = look("whoami", corefile=STUB.format("203.0.113.53").replace(".:53", ".:5353"))
    (met,) = found.nameservers
    assert (met.answers, met.why) == (Answers.UNREACHABLE, "the Corefile listens on port 5353")
    both = ".:5353 {\n kubernetes other.local\n}\n" + STUB.format("203.0.113.53")
    assert look("whoami.default.svc.cluster.local.", corefile=both).outcome.addresses


def test_a_corefile_for_tls_alone_takes_no_plain_queries() -> None:
    (met,) = look("whoami", corefile="tls://.:853 {\n kubernetes cluster.local\n}\n").nameservers
    assert met.why == "the Corefile has no server block for plain DNS"


ONLY_IPV6 = """
---
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec: {clusterIP: "fd00:43::a", ipFamilies: [IPv6], ports: [{port: 53, protocol: UDP}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: kube-dns
  namespace: kube-system
  labels: {kubernetes.io/service-name: kube-dns}
addressType: IPv6
ports: [{name: "", port: 53, protocol: UDP}]
endpoints: [{addresses: ["fd00:42:0:1::2"], nodeName: b}]
"""


def test_where_all_is_ipv6_the_resolver_outside_is_too() -> None:
    found = cluster(
        ONLY_IPV6
        + node("a", '"podCIDR": "fd00:42::/64"', address='"fd00:1::10"')
        + node("b", '"podCIDR": "fd00:42:0:1::/64"', address='"fd00:1::11"')
        + pod("client", "nodeName: a", 'podIP: "fd00:42::8"')
        + pod("coredns", "nodeName: b", 'podIP: "fd00:42:0:1::2"')
    )
    predicted = look("example.com", "pod/client", found=found)
    assert predicted.outcome.status is Status.FOUND
    assert look("example.com", "node/a", found=found).outcome.status is Status.FOUND


def test_without_services_none_is_known() -> None:
    names = Names(cluster(pod("client", "nodeName: a", "podIP: 10.42.0.8")), DNSSettings())
    names.lookup("web", None, RESOLVERS["glibc"])
    assert "the input has no Services, so that none of their names is found" in names.assumptions


def test_what_was_assumed_is_said() -> None:
    names = Names(cluster(service("whoami") + pod("client")), DNSSettings())
    names.lookup("whoami", None, RESOLVERS["glibc"])
    assert names.assumptions == (
        "no DNS Service in the input: cluster DNS assumed at 10.43.0.10",
        "the nodes' resolv.conf assumed: no search domain, a resolver outside",
        "no ConfigMap kube-system/coredns: kubeadm's Corefile assumed",
        "Service default/kubernetes assumed, at 10.43.0.1",
    )


def test_unknown_resolvers_are_named() -> None:
    with pytest.raises(UsageError, match="no resolver 'windows'; there is: glibc, "):
        resolver_named("windows")


# Traces to names


def test_a_connection_that_nobody_accepts_is_given_up_by_the_kernel() -> None:
    """Not waited for without end, as glibc waits for a reply over TCP."""
    conf = "nameserver 10.43.9.9\noptions use-vc\n"
    found = look("example.com.", "node/node-1", node_resolv_conf=conf)
    assert (found.outcome.status, found.seconds) == (Status.TRY_AGAIN, 127.0)
    assert look("example.com.", "node/node-1", "go", node_resolv_conf=conf).seconds == 10.0
