"""What faults of names write: Corefiles and resolv.conf, as the programs that read them see it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.dns.corefile import KUBEADM, parse
from kubehop.dns.corefile.plugins.forward import Forward
from kubehop.dns.message import Rcode
from kubehop.dns.resolv import glibc
from kubehop.lab.faults import names
from tests.dns.chain.serving import Asking
from tests.dns.corefile.wild import WILD

STUB = f"nameserver {names.STUB}\n"
INSIDE = "web.default.svc.cluster.local. A"
OUTSIDE = "example.com. A"


def asking(corefile: str, resolv_conf: str = STUB) -> Asking:
    """CoreDNS in a pod with these files."""
    files = {"/etc/resolv.conf": resolv_conf}
    return Asking(corefile, files=files, own=("10.42.0.2",), resolv_conf=resolv_conf)


def test_a_loop_ends_in_servfail_and_leaves_the_clusters_names() -> None:
    dns = asking(names.looping_corefile(KUBEADM))
    assert dns.reply(OUTSIDE).rcode is Rcode.SERVFAIL
    assert dns.reply(INSIDE).rcode is Rcode.NOERROR
    assert dns.asked == []
    assert asking(KUBEADM, "nameserver 203.0.113.53\n").reply(OUTSIDE).rcode is Rcode.NOERROR


def test_refusing_refuses_everything() -> None:
    dns = asking(names.REFUSING)
    for question in (INSIDE, OUTSIDE, ". NS", "2.0.42.10.in-addr.arpa. PTR"):
        assert dns.reply(question).rcode is Rcode.REFUSED


def test_a_looping_corefile_keeps_the_rest() -> None:
    before = """\
.:53 {
    errors
    loop # found at start
    forward consul.local tls://10.0.0.1 tls://10.0.0.2 { # two
        tls_servername dns.example
    }
    forward . 10.0.0.3
    # forward . 10.0.0.4
    cache 30
}
"""
    after = """\
.:53 {
    errors
    forward consul.local /etc/resolv.conf {
        tls_servername dns.example
    }
    forward . /etc/resolv.conf
    # forward . 10.0.0.4
    cache 30
}
"""
    assert names.looping_corefile(before) == after


@pytest.mark.parametrize("name", WILD)
def test_a_corefile_in_the_wild_forwards_to_itself_alone(name: str) -> None:
    found = parse(names.looping_corefile(WILD[name]), files={"/etc/resolv.conf": STUB})
    plugins = [plugin for block in found.blocks for plugin in block.plugins]
    asked = {server for one in plugins if isinstance(one, Forward) for server in one.servers}
    assert asked == {f"{names.STUB}:53"}
    assert "loop" not in {plugin.name for plugin in plugins}
    given = [p for block in parse(WILD[name], files={}).blocks for p in block.plugins]
    assert [p.name for p in plugins] == [p.name for p in given if p.name != "loop"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "search a.b c\nnameserver 10.43.0.10\noptions ndots:5\n",
            "search a.b c\nnameserver 9.9.9.9\noptions ndots:5\n",
        ),
        ("nameserver 1.1.1.1\nnameserver\t1.1.1.2\n", "nameserver 9.9.9.9\n"),
        ("", "nameserver 9.9.9.9\n"),
    ],
)
def test_nameservers_are_replaced(text: str, expected: str) -> None:
    assert names.with_nameserver(text, "9.9.9.9") == expected


ADDRESSES = st.sampled_from(["10.43.0.10", "10.96.0.10", "fd00:10:43::a", "127.0.0.1"])
DOMAINS = st.lists(st.sampled_from(["svc.cluster.local", "example.org"]), max_size=2)


@given(st.lists(ADDRESSES, max_size=3), DOMAINS)
def test_a_resolver_has_the_one_nameserver_and_the_same_search_list(
    servers: list[str], domains: list[str]
) -> None:
    search = f"search {' '.join(domains)}\n" if domains else ""
    text = search + "".join(f"nameserver {one}\n" for one in servers) + "options ndots:5\n"
    before, after = glibc.parse(text), glibc.parse(names.with_nameserver(text, "192.0.2.1"))
    assert after.nameservers == ("192.0.2.1",)
    assert (after.search, after.ndots) == (before.search, before.ndots)
