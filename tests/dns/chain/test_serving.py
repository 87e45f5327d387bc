"""Which server block a question goes to, what the last plugin leaves, and flags."""

import pytest

from kubehop.dns.message import Question, Rcode
from kubehop.dns.zone import KINDS
from kubehop.model.changes import Change
from tests.dns.chain.serving import CLIENT, WORLD, Asking, C, block, flags, kubernetes
from tests.dns.zone.objects import namespace, service, slice_of

WEB = f"web.default.svc.{C}"
FORWARD = "forward . 10.0.0.9"
SOA = f"{C} 5 SOA ns.dns.{C} hostmaster.{C} 7 7200 1800 86400 5"


def answer_of(name: str) -> str:
    return f'template ANY ANY . {{\nanswer "{{{{ .Name }}}} 1 IN TXT {name}"\n}}'


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("a. TXT", "root"),
        ("x.org. TXT", "org"),
        ("org. TXT", "org"),
        ("a.x.org. TXT", "deep"),
        ("A.X.ORG. TXT", "deep"),
        ("ax.org. TXT", "org"),
        ("notorg. TXT", "root"),
        # A DS record belongs to the parent.
        ("a.x.org. DS", "org"),
    ],
)
def test_the_longest_zone_is_asked(question: str, expected: str) -> None:
    corefile = "\n".join(
        block(answer_of(name), key=key)
        for key, name in ((".", "root"), ("org", "org"), ("a.x.org", "deep"))
    )
    assert Asking(corefile).ask(question)[1].endswith(f'TXT "{expected}"')


def test_no_block_is_refused_and_no_plugin_is_servfail() -> None:
    only = Asking(block(kubernetes(), key="cluster.local"))
    assert only.ask("example.com. A") == ["REFUSED"]
    assert flags(only.reply("example.com. A")) == ""
    nobody = Asking(block(kubernetes()))
    assert nobody.ask("example.com. A") == ["SERVFAIL"]
    assert flags(nobody.reply("example.com. A")) == ""


def test_blocks_of_another_port_are_not_asked() -> None:
    corefile = block(answer_of("one"), key=".:53") + "\n" + block(answer_of("two"), key=".:1053")
    asking = Asking(corefile)
    assert asking.serving.ports == (53, 1053)
    assert asking.ask("a. TXT", port=1053)[1].endswith('"two"')
    assert asking.ask("a. TXT")[1].endswith('"one"')
    assert asking.ask("a. TXT", port=99) == ["REFUSED"]


def test_cluster_answers_are_authoritative_forwarded_ones_as_they_came() -> None:
    asking = Asking(block(kubernetes(), FORWARD))
    assert flags(asking.reply(f"{WEB} A")) == "AA"
    assert flags(asking.reply(f"x.{C} A")) == "AA"
    assert flags(asking.reply(f"{WEB} AAAA")) == "AA"
    assert flags(asking.reply("example.com. A")) == "RA"


def test_negative_answers_carry_the_soa() -> None:
    asking = Asking(block(kubernetes()))
    assert asking.ask(f"{WEB} AAAA") == ["NOERROR", SOA]
    assert asking.ask(f"x.{C} A") == ["NXDOMAIN", SOA]
    assert asking.ask(f"{C} AXFR") == ["REFUSED"]


def test_an_external_name_goes_through_the_whole_server_again() -> None:
    corefile = (
        block(kubernetes(), FORWARD) + "\n" + block("hosts {\n10.9.9.9 host.corp\n}", key="corp")
    )
    asking = Asking(corefile)
    ext, host = f"ext.default.svc.{C}", f"host.default.svc.{C}"
    assert asking.ask(f"{ext} A") == [
        "NOERROR",
        f"{ext} 5 CNAME example.com.",
        "example.com. 300 A 93.184.216.34",
    ]
    assert asking.ask(f"{host} A") == [
        "NOERROR",
        f"{host} 5 CNAME host.corp.",
        "host.corp. 3600 A 10.9.9.9",
    ]
    assert asking.ask(f"{ext} AAAA") == ["NOERROR", f"{ext} 5 CNAME example.com."]
    assert flags(asking.reply(f"{ext} A")) == "AA"


def test_an_external_name_without_forward_is_a_bare_cname() -> None:
    ext = f"ext.default.svc.{C}"
    assert Asking(block(kubernetes())).ask(f"{ext} A") == ["NOERROR", f"{ext} 5 CNAME example.com."]


def test_fallthrough_is_for_names_that_do_not_exist() -> None:
    asking = Asking(block(kubernetes("fallthrough"), FORWARD), {f"x.{C} A": "10.0.0.3"})
    assert asking.ask(f"x.{C} A") == ["NOERROR", f"x.{C} 300 A 10.0.0.3"]
    assert asking.ask(f"{WEB} AAAA") == ["NOERROR", SOA]
    some = Asking(block(kubernetes("fallthrough svc.cluster.local"), FORWARD))
    assert some.ask(f"x.{C} A") == ["NXDOMAIN", SOA]
    assert not some.asked
    some.ask(f"x.default.svc.{C} A")
    assert some.asked


def test_an_api_that_was_not_read_is_servfail_after_fallthrough() -> None:
    corefile = block(kubernetes("fallthrough in-addr.arpa", "cluster.local in-addr.arpa"), FORWARD)
    asking = Asking(corefile, synced=frozenset())
    assert asking.ask(f"{WEB} A") == ["SERVFAIL", SOA]
    assert asking.ask(f"{C} A") == ["NOERROR", SOA]
    assert asking.ask(f"{C} SOA") == ["NOERROR", SOA]
    assert asking.ask(f"dns-version.{C} TXT")[0] == "NOERROR"
    assert asking.ask("1.0.43.10.in-addr.arpa. PTR")[0] == "NXDOMAIN"
    assert asking.serving.unready() == ("kubernetes",)
    assert Asking(corefile).serving.unready() == ()


def test_without_slices_cluster_ips_are_answered_and_misses_are_servfail() -> None:
    asking = Asking(block(kubernetes()), synced=KINDS - {"EndpointSlice"})
    assert asking.ask(f"{WEB} A") == ["NOERROR", f"{WEB} 5 A 10.43.0.1"]
    assert asking.ask(f"nosuch.default.svc.{C} A") == ["SERVFAIL", SOA]


def test_the_serial_can_be_set() -> None:
    asking = Asking(block(kubernetes()))
    asking.serving.serial = 99
    assert " 99 7200 " in asking.ask(f"x.{C} A")[1]


def test_apply_names_the_owners_of_what_changed() -> None:
    asking = Asking(block(kubernetes("", "cluster.local in-addr.arpa")))
    serving = asking.serving
    new = service("default/new", "10.43.0.5")
    assert asking.ask(f"new.default.svc.{C} A")[0] == "NXDOMAIN"
    named = serving.apply(Change(put=(new,)))
    assert named == {f"new.default.svc.{C}", "5.0.43.10.in-addr.arpa."}
    assert asking.ask(f"new.default.svc.{C} A")[1:] == [f"new.default.svc.{C} 5 A 10.43.0.5"]
    assert serving.owner_of(f"_http._TCP.new.default.svc.{C}") == f"new.default.svc.{C}"
    assert serving.owner_of("5.0.43.10.in-addr.arpa.") == "5.0.43.10.in-addr.arpa."
    assert serving.owner_of("Example.com.") == "example.com."
    gone = serving.apply(Change(gone=(("Service", "default", "new"),)))
    assert gone == named


@pytest.mark.parametrize(
    "change",
    [
        Change(put=(namespace("new"),)),
        Change(gone=(("Namespace", "", "default"),)),
        Change(put=(service("kube-system/kube-dns", "10.43.0.11"),)),
        Change(put=(slice_of("kube-system/kube-dns", "10.42.0.3"),)),
    ],
)
def test_namespaces_and_name_servers_change_everything(change: Change) -> None:
    asking = Asking(block(kubernetes()), own=("10.42.0.2",))
    assert asking.serving.apply(change) == {"."}


STATIC = [
    (kubernetes(), f"{WEB} A", True),
    (kubernetes(), f"nosuch.{C} A", True),
    (kubernetes(), f"ext.default.svc.{C} CNAME", True),
    (kubernetes(), f"ext.default.svc.{C} A", False),
    (kubernetes(), f"{C} AXFR", False),
    (kubernetes(), "example.com. A", True),
    (FORWARD, "example.com. A", False),
    (f"{kubernetes('fallthrough')}\n{FORWARD}", f"nosuch.{C} A", False),
    (f"{kubernetes('fallthrough')}\n{FORWARD}", f"{WEB} AAAA", True),
    (f"cache\n{kubernetes()}", f"{WEB} A", False),
    (f"cache x.org\n{kubernetes()}", f"{WEB} A", True),
    (f"cache {{\ndisable success {C}\n}}\n{kubernetes()}", f"{WEB} A", False),
    (f"cache {{\ndisable success {C}\ndisable denial {C}\n}}\n{kubernetes()}", f"{WEB} A", True),
    (f"autopath @kubernetes\n{kubernetes('pods verified')}", f"{WEB} A", False),
    (f"autopath x @kubernetes\n{kubernetes('pods verified')}", f"{WEB} A", True),
    (f"rewrite name a {WEB}\n{kubernetes()}", "a. A", False),
    (f"rewrite name a {WEB}\n{kubernetes()}", f"{WEB} A", True),
    (f"hosts {{\n10.0.0.1 a\nfallthrough\n}}\n{kubernetes()}", "a. A", True),
    (f"hosts {{\n10.0.0.1 a\nfallthrough\n}}\n{kubernetes()}", f"{WEB} A", True),
    ("loadbalance\nerrors\nlog\n" + kubernetes(), f"{WEB} A", True),
    ('template IN A {\nanswer "{{ .Name }} 60 IN A {{ .Remote }}"\n}', "a. A", False),
    ('template IN A {\nanswer "{{ .Name }} 60 IN A 1.2.3.4"\n}', "a. A", True),
    ('template IN A {\nanswer "{{ .Name }} 60 IN CNAME a."\n}', "a. A", False),
    ("any", "a. ANY", True),
    ("transfer {\nto *\n}", "a. AXFR", False),
]


@pytest.mark.parametrize(("body", "question", "static"), STATIC)
def test_static(body: str, question: str, static: bool) -> None:
    name, kind = question.split()
    assert Asking(block(body)).serving.is_static(Question(name, kind)) is static


@pytest.mark.parametrize(("body", "question", "static"), [row for row in STATIC if row[2]])
def test_what_is_static_asks_nobody(body: str, question: str, static: bool) -> None:
    asking = Asking(block(body))
    assert asking.reply(question) == asking.reply(question, client="192.0.2.77")
    assert asking.asked == []


def test_reasons() -> None:
    asking = Asking(
        block(
            "cache",
            "rewrite name a b",
            "hosts {\n1.2.3.4 h\nfallthrough\n}",
            kubernetes(),
            FORWARD,
            key="cluster.local h a com",
        )
    )
    explain = asking.serving.explain
    assert explain(Question(f"{WEB}", "A")).object == "Service default/web"
    assert explain(Question("h.", "A")).text == "the hosts plugin decides"
    assert explain(Question("a.", "A")).text == "the rewrite plugin decides"
    assert explain(Question("x.com.", "A")).text == (
        "not a name of the cluster: forwarded to 10.0.0.9:53"
    )
    assert explain(Question("org.", "A")).text.endswith("REFUSED")
    nobody = Asking(block(kubernetes())).serving.explain(Question("org.", "A"))
    assert nobody.text.endswith("SERVFAIL")


def test_the_client_is_part_of_the_question() -> None:
    assert WORLD.pod_at(CLIENT) is not None
    assert Asking(block(kubernetes())).reply(f"{WEB} A", client="").rcode is Rcode.NOERROR
