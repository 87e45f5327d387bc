"""What plugins are told, option by option."""

from typing import Any

import pytest

from kubehop.dns.corefile import Plugin, parse
from kubehop.dns.corefile.plugins.cache import Cache, Keep
from kubehop.dns.corefile.plugins.forward import Forward
from kubehop.dns.corefile.plugins.hosts import Hosts
from kubehop.dns.corefile.plugins.kubernetes import Kubernetes
from kubehop.dns.corefile.plugins.others import Autopath, Transfer
from kubehop.dns.corefile.plugins.rewrite import NameRule, Rewrite, TtlRule, TypeRule
from kubehop.dns.corefile.plugins.template import Template
from kubehop.model.selectors import matches


def one(text: str, files: dict[str, str] | None = None) -> Any:
    """The only plugin of a block for `.`."""
    (plugin,) = parse(f". {{\n{text}\n}}", files=files).blocks[0].plugins
    return plugin


def body(name: str, *options: str) -> str:
    return "\n".join((f"{name} {{", *options, "}"))


KUBERNETES: list[tuple[str, dict[str, Any]]] = [
    ("", {"pods": "disabled", "ttl": 5, "endpoints": True, "fallthrough": ()}),
    ("pods insecure", {"pods": "insecure"}),
    ("pods verified", {"pods": "verified"}),
    ("ttl 30", {"ttl": 30}),
    ("namespaces a b\nnamespaces c", {"namespaces": frozenset("abc")}),
    ("endpoint_pod_names", {"endpoint_pod_names": True}),
    ("noendpoints", {"endpoints": False}),
    ("ignore empty_service", {"ignore_empty_service": True}),
    ("fallthrough", {"fallthrough": (".",)}),
    ("fallthrough A b.", {"fallthrough": ("a.", "b.")}),
    ("zonal", {"zonal": True}),
    ("startup_timeout 10s", {"startup_timeout": 10.0}),
    ("multicluster x", {"multicluster": ("x.",)}),
    ("endpoint http://a\ntls c k a", {"api": (("endpoint", "http://a"), ("tls", "c", "k", "a"))}),
    ("kubeconfig f ctx", {"api": (("kubeconfig", "f", "ctx"),)}),
    (
        "apiserver_qps 5\napiserver_burst 9",
        {"api": (("apiserver_qps", "5"), ("apiserver_burst", "9"))},
    ),
]


@pytest.mark.parametrize(("options", "expected"), KUBERNETES)
def test_kubernetes(options: str, expected: dict[str, Any]) -> None:
    plugin = one(body("kubernetes x 10.0.0.0/8", options))
    assert isinstance(plugin, Kubernetes)
    assert (plugin.zones, plugin.primary) == (("x.", "10.in-addr.arpa."), "x.")
    assert {name: getattr(plugin, name) for name in expected} == expected


def test_kubernetes_without_zones_has_those_of_the_block() -> None:
    text = "cluster.local in-addr.arpa {\nkubernetes\n}"
    plugin = parse(text).blocks[0].plugins[0]
    assert isinstance(plugin, Kubernetes)
    assert plugin.zones == ("cluster.local.", "in-addr.arpa.")


@pytest.mark.parametrize(
    ("selector", "labels", "selects"),
    [
        ("app=web", {"app": "web"}, True),
        ("app==web", {"app": "db"}, False),
        ("app!=web", {"app": "db"}, True),
        ("app!=web", {}, True),
        ("app in (web, db)", {"app": "db"}, True),
        ("app notin (web,db)", {"app": "db"}, False),
        ("app", {"app": ""}, True),
        ("!app", {"app": ""}, False),
        ("a=1,b in (2,3),!c", {"a": "1", "b": "3"}, True),
        ("a.b/c-d=", {"a.b/c-d": ""}, True),
    ],
)
def test_label_selectors(selector: str, labels: dict[str, str], selects: bool) -> None:
    plugin = one(body("kubernetes x", f"labels {selector}"))
    assert matches(plugin.labels, labels) is selects


RESOLV = "# x\nnameserver 10.0.0.3\nsearch a b\nnameserver fe80::1%eth0\noptions ndots:2\n"

FORWARD: list[tuple[str, dict[str, Any]]] = [
    ("forward . 10.0.0.1 10.0.0.2:54", {"zone": ".", "servers": ("10.0.0.1:53", "10.0.0.2:54")}),
    ("forward Corp.example fd00::1", {"zone": "corp.example.", "servers": ("[fd00::1]:53",)}),
    ("forward . /etc/resolv.conf", {"servers": ("10.0.0.3:53", "[fe80::1]:53"), "files": ()}),
    ("forward . /other 10.0.0.1", {"servers": ("10.0.0.1:53",), "files": ("/other",)}),
    ("forward . tls://9.9.9.9", {"servers": ("9.9.9.9:853",), "transport": "tls"}),
    (
        "forward . tls://9.9.9.9%dns.quad9.net:854",
        {"servers": ("9.9.9.9:854",), "tls_servername": "dns.quad9.net"},
    ),
    ("forward . 10.0.0.1 tls://9.9.9.9", {"servers": ("10.0.0.1:53",), "transport": "dns"}),
    (body("forward . 10.0.0.1", "except a b", "except c"), {"excepted": ("a.", "b.", "c.")}),
    (
        body("forward . 10.0.0.1", "force_tcp", "prefer_udp"),
        {"force_tcp": True, "prefer_udp": True},
    ),
    (body("forward . 10.0.0.1", "policy sequential"), {"policy": "sequential"}),
    (
        body("forward . 10.0.0.1", "max_concurrent 1000", "max_fails 0"),
        {"max_concurrent": 1000, "max_fails": 0},
    ),
    (
        body("forward . 10.0.0.1", "expire 5s", "health_check 2s no_rec domain a"),
        {"expire": 5.0, "health_check": 2.0},
    ),
    (body("forward . 10.0.0.1", "next NXDOMAIN refused"), {"next_rcodes": frozenset((3, 5))}),
    (body("forward . 10.0.0.1", "failover SERVFAIL"), {"failover": frozenset((2,))}),
    (body("forward . 10.0.0.1", "tls", "tls_servername x"), {"tls_servername": "x"}),
    (
        body("forward . 10.0.0.1", "read_timeout 1s", "next_on_nodata"),
        {"read_timeout": 1.0, "next_on_nodata": True},
    ),
    (body("forward . 10.0.0.1", "max_age 10s"), {"notes": ("forward: max_age is not modelled",)}),
]


@pytest.mark.parametrize(("text", "expected"), FORWARD)
def test_forward(text: str, expected: dict[str, Any]) -> None:
    plugin = one(text, {"/etc/resolv.conf": RESOLV})
    assert isinstance(plugin, Forward)
    assert {name: getattr(plugin, name) for name in expected} == expected


def test_what_was_not_read_is_noted() -> None:
    found = parse(". {\nforward . /etc/resolv.conf tls://9.9.9.9\nautopath /x\n}")
    assert found.notes == (
        "autopath: the search list of /x is not known",
        "forward: the servers in /etc/resolv.conf are not known",
    )


CACHE: list[tuple[str, dict[str, Any]]] = [
    (
        "cache",
        {"zones": (".",), "success": Keep(), "denial": Keep(longest=1800.0), "servfail": 5.0},
    ),
    ("cache 30", {"success": Keep(longest=30.0), "denial": Keep(longest=30.0)}),
    ("cache 30 a", {"zones": ("a.",)}),
    ("cache a", {"zones": ("a.",), "success": Keep()}),
    (body("cache 30", "success 500 60 1"), {"success": Keep(500, 60.0, 1.0)}),
    (body("cache", "denial 300"), {"denial": Keep(300, 1800.0)}),
    (body("cache", "disable success a b"), {"success": Keep(never=("a.", "b."))}),
    (body("cache", "disable denial"), {"denial": Keep(longest=1800.0, never=(".",))}),
    (body("cache", "servfail 0s", "keepttl"), {"servfail": 0.0, "keep_ttl": True}),
    (body("cache", "serve_stale"), {"stale": 3600.0}),
    (body("cache", "serve_stale 10s verify"), {"stale": 10.0, "verify": True, "notes": ()}),
    (body("cache", "prefetch 5 1m 20%"), {"notes": ()}),
]


@pytest.mark.parametrize(("text", "expected"), CACHE)
def test_cache(text: str, expected: dict[str, Any]) -> None:
    plugin = one(text)
    assert isinstance(plugin, Cache)
    assert {name: getattr(plugin, name) for name in expected} == expected


def test_hosts() -> None:
    text = body(
        "hosts /etc/h example.org", "10.0.0.9 Inline.example.org x.com", "fallthrough", "ttl 60"
    )
    file = "10.0.0.1 a.example.org b.example.org # c\nbad d.example.org\nfd00:0::1 a.example.org\n"
    plugin = one(text, {"/etc/h": file})
    assert isinstance(plugin, Hosts)
    assert plugin.a == {
        "a.example.org.": ("10.0.0.1",),
        "b.example.org.": ("10.0.0.1",),
        "inline.example.org.": ("10.0.0.9",),
    }
    assert plugin.aaaa == {"a.example.org.": ("fd00::1",)}
    assert plugin.names["10.0.0.1"] == ("a.example.org.", "b.example.org.")
    assert (plugin.ttl, plugin.fallthrough, plugin.notes) == (60, (".",), ())
    assert one(body("hosts", "10.0.0.1 a", "no_reverse")).names == {}
    assert one("hosts").notes == ("hosts: the entries of /etc/hosts are not known",)


def test_rewrite() -> None:
    rules = """
    rewrite name a.org B.org
    rewrite continue name suffix .x .y answer auto
    rewrite stop {
        name regex (.*)\\.z {1}.q
        answer name (.*)\\.q {1}.z
    }
    rewrite type any A
    rewrite ttl prefix p 5-30
    rewrite edns0 local set 0xffee abc
    """
    plugin = one(rules)
    assert isinstance(plugin, Rewrite)
    exact, suffix, regex, kind, ttl = plugin.rules
    assert exact == NameRule("exact", "a.org.", "b.org.", auto=True)
    assert suffix == NameRule("suffix", ".x.", ".y.", stop=False, auto=True)
    assert isinstance(regex, NameRule)
    assert (regex.replacement, regex.answers[0].replacement) == ("{1}.q.", "{1}.z.")
    assert kind == TypeRule("ANY", "A")
    assert ttl == TtlRule("prefix", "p.", 5, 30)
    assert plugin.notes == ("rewrite: edns0 rules are not modelled",)


def test_template() -> None:
    text = body(
        "template IN A example.org",
        'match "^ip-(?P<a>[0-9]*)[.]example[.]org[.]$"',
        'answer "{{ .Name }} 60 IN A {{ .Group.a }}"',
        "rcode NXDOMAIN",
        "fallthrough",
    )
    plugin = one(text)
    assert isinstance(plugin, Template)
    assert (plugin.class_, plugin.type, plugin.zones) == ("IN", "A", ("example.org.",))
    assert (plugin.rcode, plugin.fallthrough, plugin.modelled) == (3, (".",), True)
    unknown = one(body("template IN A", 'answer "{{ if .X }}a{{ end }}"'))
    assert not unknown.modelled
    assert unknown.notes == ("template: line 2 uses what is not modelled",)


def test_transfer_and_autopath() -> None:
    transfer = one(body("transfer a", "to * 10.0.0.1", "to 10.0.0.2:54"))
    assert isinstance(transfer, Transfer)
    assert transfer.to == ("*", "10.0.0.1:53", "10.0.0.2:54")
    path = one("autopath a @kubernetes")
    assert isinstance(path, Autopath)
    assert (path.zones, path.source, path.notes) == (("a.",), "@kubernetes", ())


@pytest.mark.parametrize("name", ["acl", "dns64", "k8s_external", "file", "erratic", "whoami"])
def test_a_plugin_that_is_not_modelled_is_named(name: str) -> None:
    found = parse(f". {{\n{name} some args {{\nand more\n}}\n}}")
    assert found.notes == (f"{name}: this plugin is not modelled",)
    assert isinstance(found.blocks[0].plugins[0], Plugin)


@pytest.mark.parametrize("name", ["errors", "log", "ready", "health", "prometheus :9153", "loop"])
def test_a_plugin_that_changes_no_answer_needs_no_note(name: str) -> None:
    assert parse(f". {{\n{name}\n}}").notes == ()


K3S = """\
.:53 {
    errors
    health
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
      pods insecure
      fallthrough in-addr.arpa ip6.arpa
    }
    hosts /etc/coredns/NodeHosts {
      ttl 60
      reload 15s
      fallthrough
    }
    prometheus :9153
    forward . /etc/resolv.conf
    cache 30
    loop
    reload
    loadbalance
    import /etc/coredns/custom/*.override
}
import /etc/coredns/custom/*.server
"""
NODE_LOCAL = """\
cluster.local:53 {
    errors
    cache {
            success 9984 30
            denial 9984 5
    }
    reload
    loop
    bind 169.254.20.10 10.96.0.10
    forward . 10.96.0.10 {
            force_tcp
    }
    prometheus :9253
    health 169.254.20.10:8080
    }
.:53 {
    errors
    cache 30
    reload
    loop
    bind 169.254.20.10 10.96.0.10
    forward . /etc/resolv.conf
    prometheus :9253
    }
"""


def test_corefiles_of_distributions() -> None:
    k3s = parse(K3S, files={"/etc/resolv.conf": RESOLV})
    assert k3s.notes == (
        "import: no file matches /etc/coredns/custom/*.override",
        "import: no file matches /etc/coredns/custom/*.server",
        "hosts: the entries of /etc/coredns/NodeHosts are not known",
    )
    local = parse(NODE_LOCAL)
    assert [block.listen for block in local.blocks] == [("169.254.20.10", "10.96.0.10")] * 2
    assert local.notes == ("forward: the servers in /etc/resolv.conf are not known",)
