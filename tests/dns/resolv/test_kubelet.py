"""The kubelet's files: section 2 of the cluster DNS reference, `dns.go`, `kubelet_pods.go`."""

from typing import Any

import msgspec
import pytest

from kubehop.dns.resolv import hosts
from kubehop.dns.resolv.hostname import pod_hostname
from kubehop.dns.resolv.kubelet import (
    KubeletDNS,
    PodResolvConf,
    fitting,
    node_event,
    pod_resolv_conf,
)
from kubehop.dns.resolv.pod_hosts import pod_hosts
from kubehop.model.pod import Pod

NODE = "# the node's\nnameserver 192.168.0.1\nsearch lan. corp.example\noptions edns0 timeout:1\n"
KUBELET = KubeletDNS(("10.43.0.10",), "cluster.local", NODE)
CLUSTER_SEARCH = ("web.svc.cluster.local", "svc.cluster.local", "cluster.local")


def pod(**spec: Any) -> Pod:
    metadata = {"name": "app-1", "namespace": "web"}
    status = {"podIPs": [{"ip": "10.42.0.5"}, {"ip": "fd00::5"}]}
    return msgspec.convert({"metadata": metadata, "spec": spec, "status": status}, Pod)


CLUSTER = (("10.43.0.10",), (*CLUSTER_SEARCH, "lan", "corp.example"), ("ndots:5",))
HOST = (("192.168.0.1",), ("lan", "corp.example"), ("edns0", "timeout:1"))
POLICIES = (
    # policy, on the host network, what comes of it
    (None, False, CLUSTER),
    ("", False, CLUSTER),
    ("ClusterFirst", False, CLUSTER),
    ("ClusterFirst", True, HOST),
    (None, True, HOST),
    ("ClusterFirstWithHostNet", False, CLUSTER),
    ("ClusterFirstWithHostNet", True, CLUSTER),
    ("Default", False, HOST),
    ("Default", True, HOST),
    ("None", False, ((), (), ())),
    ("None", True, ((), (), ())),
)


def parts(conf: PodResolvConf) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    return conf.nameservers, conf.searches, conf.options


@pytest.mark.parametrize(("policy", "host_network", "expected"), POLICIES)
def test_every_policy(policy: str | None, host_network: bool, expected: object) -> None:
    made = pod_resolv_conf(pod(dnsPolicy=policy, hostNetwork=host_network), KUBELET)
    assert parts(made) == expected
    assert made.events == ()
    assert made.why


def test_the_file_has_search_nameserver_options_in_this_order() -> None:
    assert pod_resolv_conf(pod(), KUBELET).text == (
        "search web.svc.cluster.local svc.cluster.local cluster.local lan corp.example\n"
        "nameserver 10.43.0.10\n"
        "options ndots:5\n"
    )


DNS_CONFIG = {
    "nameservers": ["10.43.0.10", "1.1.1.1"],
    "searches": ["svc.cluster.local", "my.example"],
    "options": [
        {"name": "ndots", "value": "2"},
        {"name": "edns0"},
        {"name": "timeout", "value": ""},
    ],
}
CONFIGURED = (
    (
        "ClusterFirst",
        (
            ("10.43.0.10", "1.1.1.1"),
            (*CLUSTER_SEARCH, "lan", "corp.example", "my.example"),
            {"ndots:2", "edns0", "timeout"},
        ),
    ),
    (
        "Default",
        (
            ("192.168.0.1", "10.43.0.10", "1.1.1.1"),
            ("lan", "corp.example", "svc.cluster.local", "my.example"),
            {"ndots:2", "edns0", "timeout"},
        ),
    ),
    (
        "None",
        (
            ("10.43.0.10", "1.1.1.1"),
            ("svc.cluster.local", "my.example"),
            {"ndots:2", "edns0", "timeout"},
        ),
    ),
)


@pytest.mark.parametrize(("policy", "expected"), CONFIGURED)
def test_dns_config_is_added_and_its_options_win(policy: str, expected: Any) -> None:
    made = pod_resolv_conf(pod(dnsPolicy=policy, dnsConfig=DNS_CONFIG), KUBELET)
    assert (made.nameservers, made.searches, set(made.options)) == expected


def test_without_cluster_dns_the_node_s_file_counts_and_events_say_so() -> None:
    made = pod_resolv_conf(pod(), KubeletDNS((), "cluster.local", NODE))
    assert parts(made) == HOST
    assert [(e.reason, e.on_node) for e in made.events] == [
        ("MissingClusterDNS", True),
        ("MissingClusterDNS", False),
    ]
    assert made.events[1].message.startswith('pod: "app-1_web". kubelet does not have ClusterDNS')


def test_without_cluster_domain_only_the_node_s_search_list_is_left() -> None:
    made = pod_resolv_conf(pod(), KubeletDNS(("10.43.0.10",), "", NODE))
    assert parts(made) == (("10.43.0.10",), ("lan", "corp.example"), ("ndots:5",))


LOOPBACKS = (
    ((), ("127.0.0.1",)),
    (("192.168.0.10",), ("127.0.0.1",)),
    (("192.168.0.10", "fd00::1"), ("127.0.0.1", "::1")),
    (("fd00::1",), ("::1",)),
)


@pytest.mark.parametrize(("nodes", "nameservers"), LOOPBACKS)
def test_an_empty_resolv_conf_flag_switches_dns_off(
    nodes: tuple[str, ...], nameservers: tuple[str, ...]
) -> None:
    kubelet = KubeletDNS(("10.43.0.10",), "cluster.local", None, nodes)
    made = pod_resolv_conf(pod(dnsPolicy="Default"), kubelet)
    assert parts(made) == (nameservers, (".",), ())
    # The cluster's policy does not care.
    assert pod_resolv_conf(pod(), kubelet).searches == CLUSTER_SEARCH


def test_cluster_dns_of_two_families_is_written_canonical() -> None:
    kubelet = KubeletDNS(("10.43.0.10", "FD00:0::A"), "cluster.local", "")
    assert pod_resolv_conf(pod(), kubelet).nameservers == ("10.43.0.10", "fd00::a")


def test_a_fourth_nameserver_is_cut_with_an_event() -> None:
    config = {"nameservers": ["1.1.1.1", "2.2.2.2", "3.3.3.3"]}
    made = pod_resolv_conf(pod(dnsConfig=config), KUBELET)
    assert made.nameservers == ("10.43.0.10", "1.1.1.1", "2.2.2.2")
    assert [e.reason for e in made.events] == ["DNSConfigForming"]
    assert made.events[0].message.endswith("nameserver line is: 10.43.0.10 1.1.1.1 2.2.2.2")


def test_a_kubelet_without_expanded_dns_config_cuts_at_six_domains() -> None:
    node = f"search {' '.join('abcdef')}\nnameserver 192.168.0.1\n"
    old = KubeletDNS(("10.43.0.10",), "cluster.local", node, expanded=False)
    made = pod_resolv_conf(pod(), old)
    assert made.searches == (*CLUSTER_SEARCH, "a", "b", "c")
    assert made.events[0].message.endswith("the applied search line is: " + " ".join(made.searches))
    new = KubeletDNS(("10.43.0.10",), "cluster.local", node)
    assert len(pod_resolv_conf(pod(), new).searches) == 9


FITTING = (
    # searches, limits, what is left
    (("a", "b", "c"), (2, 99), ("a", "b")),
    (("a" * 254, "b"), (6, 999), ("b",)),
    (("a" * 253, "b"), (6, 999), ("a" * 253, "b")),
    # The tail goes until the line fits: 5 + 1 + 5 is 11.
    (("aaaaa", "bbbbb", "c"), (6, 11), ("aaaaa", "bbbbb")),
    (("aaaaa", "bbbbb", "c"), (6, 10), ("aaaaa",)),
    (("aaaaa",), (6, 4), ()),
)


@pytest.mark.parametrize(("searches", "limits", "left"), FITTING)
def test_limits(searches: tuple[str, ...], limits: tuple[int, int], left: tuple[str, ...]) -> None:
    assert fitting(searches, limits) == left


NODE_FILES = (
    # text, domain, expanded, what the event says
    (NODE, "cluster.local", True, ""),
    (
        f"search {' '.join(f'd{i}' for i in range(4))}\n",
        "cluster.local",
        False,
        "more than 3 domains",
    ),
    (f"search {' '.join(f'd{i}' for i in range(4))}\n", "", False, ""),
    (f"search {'x' * 254}\n", "", True, "more than allowed 253 chars"),
    (f"search {'x' * 200} {'y' * 200}\n", "", False, "more than allowed 256 chars"),
    ("nameserver\n", "", True, "nameserver list is empty"),
)


@pytest.mark.parametrize(("text", "domain", "expanded", "said"), NODE_FILES)
def test_the_node_s_file_is_checked(text: str, domain: str, expanded: bool, said: str) -> None:
    event = node_event(KubeletDNS((), domain, text, expanded=expanded))
    assert said in (event.message if event else "")
    assert (event is None) == (said == "")


def test_no_pod_starts_with_a_node_file_that_the_kubelet_refuses() -> None:
    made = pod_resolv_conf(pod(), KubeletDNS(("10.43.0.10",), "cluster.local", "nameserver\n"))
    assert "nameserver list is empty" in made.problem


def test_options_of_several_lines_are_merged_by_name() -> None:
    node = "options ndots:1 rotate\noptions ndots:2\nnameserver 192.168.0.1\n"
    made = pod_resolv_conf(pod(dnsPolicy="Default"), KubeletDNS((), "", node))
    assert set(made.options) == {"ndots:2", "rotate"}


HOSTNAMES: tuple[tuple[dict[str, Any], str, str, str, bool], ...] = (
    # spec, hostname, fqdn, what `hostname` prints, whether it starts
    ({}, "app-1", "app-1", "app-1", True),
    ({"hostname": "db-0"}, "db-0", "db-0", "db-0", True),
    ({"subdomain": "db"}, "app-1", "app-1.db.web.svc.cluster.local", "app-1", True),
    (
        {"hostname": "db-0", "subdomain": "db", "setHostnameAsFQDN": True},
        "db-0",
        "db-0.db.web.svc.cluster.local",
        "db-0.db.web.svc.cluster.local",
        True,
    ),
    ({"setHostnameAsFQDN": True}, "app-1", "app-1", "app-1", True),
    ({"hostname": "x" * 62 + "-y"}, "x" * 62, "x" * 62, "x" * 62, True),
    (
        {"hostname": "x" * 40, "subdomain": "db", "setHostnameAsFQDN": True},
        "x" * 40,
        "x" * 40 + ".db.web.svc.cluster.local",
        "",
        False,
    ),
    ({"hostNetwork": True, "nodeName": "node-1"}, "app-1", "app-1", "node-1", True),
)


@pytest.mark.parametrize(("spec", "hostname", "fqdn", "kernel", "starts"), HOSTNAMES)
def test_hostnames(spec: Any, hostname: str, fqdn: str, kernel: str, starts: bool) -> None:
    names = pod_hostname(pod(**spec), "cluster.local")
    assert (names.hostname, names.fqdn, names.kernel) == (hostname, fqdn, kernel)
    assert (names.problem == "") == starts


def test_hosts_of_a_pod_with_a_subdomain_and_aliases() -> None:
    made = pod(
        hostname="db-0",
        subdomain="db",
        hostAliases=[{"ip": "10.9.9.9", "hostnames": ["foo.alias", "foo"]}, {"ip": "10.9.9.8"}],
    )
    text = pod_hosts(made, pod_hostname(made, "cluster.local"))
    assert text == (
        "# Kubernetes-managed hosts file.\n"
        "127.0.0.1\tlocalhost\n"
        "::1\tlocalhost ip6-localhost ip6-loopback\n"
        "fe00::0\tip6-localnet\n"
        "fe00::0\tip6-mcastprefix\n"
        "fe00::1\tip6-allnodes\n"
        "fe00::2\tip6-allrouters\n"
        "10.42.0.5\tdb-0.db.web.svc.cluster.local\tdb-0\n"
        "fd00::5\tdb-0.db.web.svc.cluster.local\tdb-0\n"
        "\n"
        "# Entries added by HostAliases.\n"
        "10.9.9.9\tfoo.alias\tfoo\n"
        "10.9.9.8\n"
    )
    assert hosts.parse(text).name_of("10.42.0.5") == "db-0.db.web.svc.cluster.local"
    assert hosts.parse(text).name_of("10.9.9.9") == "foo.alias"


def test_hosts_without_a_subdomain() -> None:
    text = pod_hosts(pod(), pod_hostname(pod(), "cluster.local"))
    assert text.endswith("10.42.0.5\tapp-1\nfd00::5\tapp-1\n")


def test_hosts_on_the_host_s_network_are_a_copy_of_the_node_s() -> None:
    made = pod(hostNetwork=True, hostAliases=[{"ip": "10.9.9.9", "hostnames": ["foo.alias"]}])
    text = pod_hosts(made, pod_hostname(made, "cluster.local"), "127.0.0.1\tlocalhost\n")
    assert text == (
        "# Kubernetes-managed hosts file (host network).\n"
        "127.0.0.1\tlocalhost\n"
        "\n"
        "# Entries added by HostAliases.\n"
        "10.9.9.9\tfoo.alias\n"
    )
