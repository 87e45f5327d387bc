"""Corefiles of all modelled plugins and options in any combination, from a seed.

`{api}` stands for the API server's URL, `{upstream}` and `{other}` for resolvers, `{dead}` for
an address and port where nobody listens.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

T = TypeVar("T")

_REVERSE = "in-addr.arpa ip6.arpa"
_TARGETS = (
    *("web.default.svc.cluster.local.", "db.demo.svc.cluster.local.", "a.svc.svc.cluster.local."),
    *("kube-dns.kube-system.svc.cluster.local.", "nosuch.default.svc.cluster.local."),
    *("example.com.", "nosuch.example.net.", "10-42-1-1.default.pod.cluster.local."),
)
_EDGES = ("answer auto", "", "")


@dataclass(frozen=True, slots=True)
class Mixture:
    """A Corefile, and names that its plugins have something to do with."""

    corefile: str
    names: tuple[str, ...]


def mixture(seed: int) -> Mixture:
    """One and the same for one and the same seed."""
    return _Mixer(Random(seed)).mixture()


class _Mixer:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.names: list[str] = []

    def mixture(self) -> Mixture:
        blocks = self.pick((self.one, self.one, self.split, self.stub, self.deep))()
        return Mixture("".join(blocks), tuple(self.names))

    # Server blocks

    def one(self) -> Iterator[str]:
        zones = self.pick(
            (
                "cluster.local",
                f"cluster.local {_REVERSE}",
                "cluster.local 10.43.0.0/16 10.42.0.0/15",
            )
        )
        yield self.block(".", [self.kubernetes(zones), *self.others(), *self.forwards()])

    def split(self) -> Iterator[str]:
        """A block for the cluster, one for the rest."""
        keys = self.pick(
            ("cluster.local", "cluster.local in-addr.arpa", "cluster.local 10.0.0.0/8")
        )
        inner = [self.kubernetes(self.pick(("", "cluster.local"))), *self.others()]
        yield self.block(keys, [*inner, *(self.forwards() if self.chance(0.3) else [])])
        yield self.block(".", [*self.others(), *self.forwards()])

    def stub(self) -> Iterator[str]:
        yield self.block("corp.example example.org", [*self.others(), "forward . {other}"])
        yield from self.one()

    def deep(self) -> Iterator[str]:
        """Zones inside of zones, and two views of the cluster."""
        yield self.block("demo.svc.cluster.local", [self.kubernetes("cluster.local")])
        yield self.block("svc.cluster.local", [self.kubernetes("cluster.local"), *self.others()])
        yield from self.one()

    def block(self, keys: str, plugins: list[str]) -> str:
        self.random.shuffle(plugins)
        keys = " ".join(f"{key}:53" for key in keys.split(" "))
        lines = "".join(f"    {line}\n" for plugin in plugins for line in plugin.split("\n"))
        return f"{keys} {{\n    errors\n{lines}}}\n"

    def others(self) -> list[str]:
        """Some plugins, every one with a chance of its own."""
        makers = (
            *((self.rewrite, 0.35), (self.template, 0.35), (self.hosts, 0.3), (self.cache, 0.3)),
            *((self.autopath, 0.2), (lambda: "minimal", 0.1), (lambda: "any", 0.1)),
            *((lambda: "loadbalance", 0.2), (self.transfer, 0.2)),
        )
        return [made for maker, share in makers if self.chance(share) for made in [maker()]]

    # Plugins

    def kubernetes(self, zones: str) -> str:
        pods = self.pick(("disabled", "insecure", "verified"))
        options = (
            f"pods {pods}",
            f"ttl {self.pick((0, 1, 5, 30, 300, 301, 3600))}",
            self.pick(("namespaces default a svc", "namespace_labels tier=a", "labels tier=b")),
            self.pick(("labels tier in (a, b)", "labels tier notin (a)", "labels !tier")),
            "endpoint_pod_names",
            "noendpoints",
            "ignore empty_service",
            self.pick(
                ("fallthrough", f"fallthrough {_REVERSE}", "fallthrough default.svc.cluster.local")
            ),
        )
        shares = (0.8, 0.7, 0.3, 0.15, 0.3, 0.1, 0.2, 0.5)
        kept = [o for o, share in zip(options, shares, strict=True) if self.chance(share)]
        # Of two selectors of one kind the last counts.
        return self.stanza(f"kubernetes {zones}", ["endpoint {api}", *kept])

    def rewrite(self) -> str:
        return "\n".join(self.rule() for _ in range(self.random.choice((1, 1, 2, 3))))

    def rule(self) -> str:
        order = self.pick(("", "", "stop ", "continue "))
        rule = self.pick((self.name_rule, self.name_rule, self.type_rule, self.ttl_rule))()
        if order and " answer " in rule and self.chance(0.5):
            lines = rule.replace(" answer ", "\nanswer ").split("\n")
            return self.stanza(f"rewrite {order}", lines)
        return f"rewrite {order}{rule}"

    def name_rule(self) -> str:
        target, auto = self.pick(_TARGETS), self.pick(_EDGES)
        rule, names = self.pick(
            (
                (f"name exact shop.example. {target}", ("shop.example.", "a.shop.example.")),
                (f"name Shop.test {target}", ("shop.test.", "SHOP.test.")),
                (
                    f"name prefix old- web {auto}",
                    ("old-.default.svc.cluster.local.", "old-x.test."),
                ),
                (f"name prefix we db {auto}", ("web.default.svc.cluster.local.", "web.")),
                (
                    f"name suffix .corp.test. .svc.cluster.local. {auto}",
                    ("web.default.corp.test.", "_http._tcp.db.demo.corp.test.", "corp.test."),
                ),
                (f"name suffix .local. .com. {auto}", ("example.local.", "web.local.")),
                (f"name substring staging default {auto}", ("web.staging.svc.cluster.local.",)),
                (f"name substring m .net. {auto}", ("v4only.example.net.", "exampleme.com.")),
                (
                    r"name regex ^([a-z0-9-]+)[.]([a-z]+)[.]re[.]test[.]$ "
                    + r"{1}.{2}.svc.cluster.local. "
                    + self.pick(
                        (
                            "",
                            "answer auto",
                            r"answer name (.*)[.]svc[.]cluster[.]local[.] {1}.re.test.",
                            r"answer value (.*)[.]svc[.]cluster[.]local[.] {1}.re.test.",
                            r"answer name (.*)[.]svc[.]cluster[.]local[.] {1}.re.test. "
                            r"answer value (.*)\.(.*)\.svc\.(.*) {2}.{1}.{3}",
                        )
                    ),
                    ("web.default.re.test.", "db.demo.re.test.", "a.b.c.re.test."),
                ),
                (
                    r"name regex (^(?:[^\.]+\.)+)svc\.cluster\.local\.svc\.cluster\.local "
                    r"{1}svc.cluster.local "
                    r"answer name (^(?:[^\.]+\.)+)svc\.cluster\.local "
                    r"{1}svc.cluster.local.svc.cluster.local",
                    ("web.default.svc.cluster.local.svc.cluster.local.",),
                ),
                (
                    rf"name regex (.*)[.]default[.](svc|pod)[.](.*) {{1}}.demo.{{2}}.{{3}} {auto}",
                    ("web.default.svc.cluster.local.", "10-42-1-1.default.pod.cluster.local."),
                ),
            )
        )
        self.names += names
        return rule.strip()

    def type_rule(self) -> str:
        old, new = self.random.sample(("A", "AAAA", "MX", "SRV", "ANY", "TXT", "HTTPS"), 2)
        return f"type {old} {new}"

    def ttl_rule(self) -> str:
        where = self.pick(
            (
                *("exact web.default.svc.cluster.local.", "example.com", "suffix .local."),
                *("prefix web", "substring demo", "regex (.*)[.]svc[.](.*)", "regex ."),
            )
        )
        return f"ttl {where} {self.pick(('30', '7-20', '-3', '100-', '0', '0-0'))}"

    def template(self) -> str:
        return "\n".join(self.one_template() for _ in range(self.random.choice((1, 1, 2, 3))))

    def one_template(self) -> str:
        head, options, names = self.pick(
            (
                (
                    "template IN A vip.test",
                    (
                        "match ^(?P<n>[0-9]+)[.]vip[.]test[.]$",
                        'answer "{{ .Name }} 60 IN A 192.0.2.{{ .Group.n }}"',
                    ),
                    ("7.vip.test.", "300.vip.test.", "x.vip.test.", "VIP.test."),
                ),
                (
                    "template IN ANY any.test default.svc.cluster.local",
                    (
                        'answer "{{ .Name }} 60 IN TXT \\"{{ .Type }} {{ .Zone }} {{ .Class }}\\""',
                        'additional "{{ .Question.Name }} IN 2h A 192.0.2.8"',
                    ),
                    ("x.any.test.", "X.any.test.", "web.default.svc.cluster.local."),
                ),
                (
                    "template ANY ANY none.test",
                    (
                        "rcode NXDOMAIN",
                        'authority "none.test 60 SOA a.none.test b.none.test 1 2 3 4 5"',
                    ),
                    ("none.test.", "x.none.test."),
                ),
                ("template IN AAAA", ("rcode NOERROR",), ("example.com.",)),
                (
                    "template IN A alias.test",
                    (f'answer "{{{{ .Name }}}} 60 IN CNAME {self.pick(_TARGETS)}"',),
                    ("alias.test.", "x.alias.test."),
                ),
                (
                    "template IN MX .",
                    (
                        r"match ^(.+)[.](test|example)[.]$ ^w(.*)",
                        'answer "{{ .Name }} MX 10 {{ index .Match 1 }}.mail.{{ .Zone }}"',
                    ),
                    ("a.test.", "web.default.svc.cluster.local.", "b.example."),
                ),
                (
                    "template IN ANY cluster.local",
                    (r"match ^db\.", f"rcode {self.pick(('SERVFAIL', 'REFUSED', 'NXDOMAIN'))}"),
                    ("db.demo.svc.cluster.local.", "DB.a.svc.cluster.local."),
                ),
            )
        )
        self.names += names
        through = self.pick(("", "fallthrough", "fallthrough", "fallthrough cluster.local test"))
        return self.stanza(head, [*options, *([through] if through else [])])

    def hosts(self) -> str:
        lines = [
            "192.0.2.1 web.default.svc.cluster.local box.example",
            "2001:db8::1 box.example",
            "192.0.2.2 Box.Example other.example 10-42-1-1.default.pod.cluster.local",
            "10.42.1.3 named.example",
            "::ffff:192.0.2.3 mapped.example",
            "# 192.0.2.4 comment.example",
        ]
        self.names += ("box.example.", "BOX.example.", "other.example.", "mapped.example.")
        self.names += ("1.2.0.192.in-addr.arpa.", "3.1.42.10.in-addr.arpa.")
        kept = [line for line in lines if self.chance(0.7)]
        options = [
            *(["no_reverse"] if self.chance(0.3) else []),
            *([f"ttl {self.pick((1, 30, 65535))}"] if self.chance(0.5) else []),
        ]
        through = self.pick(("", "fallthrough", "fallthrough", "fallthrough cluster.local"))
        zones = self.pick(("", "", " /etc/hosts example cluster.local", " /etc/hosts in-addr.arpa"))
        lines = [*kept, *options, *([through] if through else [])]
        return self.stanza(f"hosts{zones}", lines)

    def cache(self) -> str:
        options = [
            "success 5000 30 3" if self.chance(0.2) else "",
            f"denial {self.pick(('9984', '9984 10', '9984 3600 100'))}" if self.chance(0.3) else "",
            f"disable {self.pick(('success', 'denial', 'success cluster.local'))}"
            if self.chance(0.3)
            else "",
            f"servfail {self.pick(('0', '1s', '1m'))}" if self.chance(0.3) else "",
            "keepttl" if self.chance(0.2) else "",
            "serve_stale 1h verify" if self.chance(0.2) else "",
            "prefetch 10 1m 10%" if self.chance(0.2) else "",
        ]
        head = f"cache{self.pick(('', ' 30', ' 600', ' 30 cluster.local', ' com net'))}"
        return self.stanza(head, [option for option in options if option])

    def autopath(self) -> str:
        return f"autopath{self.pick(('', ' cluster.local', ' svc.cluster.local'))} @kubernetes"

    def transfer(self) -> str:
        to = self.pick(("to *", "to 192.0.2.1", "to 127.0.0.1 127.0.1.1"))
        return self.stanza(f"transfer{self.pick(('', ' cluster.local'))}", [to])

    def forwards(self) -> list[str]:
        """One `forward`, or several of which one hands on to the next."""
        options = [
            f"except {self.pick(('cluster.local', 'example.net', 'com corp.example'))}"
            if self.chance(0.3)
            else "",
            self.pick(("force_tcp", "prefer_udp", "max_concurrent 100", "")),
        ]
        zone = self.pick((".", ".", ".", "example.com", "test"))
        first, more = self.pick(
            (
                ("{upstream}", []),
                ("{upstream}", []),
                ("{other} {upstream}", ["policy sequential"]),
                ("{dead} {upstream}", ["policy sequential"]),
                ("{other}", [f"next {self.pick(('NXDOMAIN', 'REFUSED NXDOMAIN', 'SERVFAIL'))}"]),
                ("{other} {upstream}", ["policy sequential", "failover SERVFAIL REFUSED"]),
            )
        )
        options = [*more, *(option for option in options if option)]
        found = self.stanza(f"forward {zone} {first}", options)
        # They stand together: their order is the one that counts.
        more_of_them = "next" in found or zone != "."
        return [f"{found}\nforward . {{upstream}}" if more_of_them else found]

    def stanza(self, head: str, options: Sequence[str]) -> str:
        head = head.strip()
        if not options:
            return head
        return "\n".join((f"{head} {{", *(f"    {option}" for option in options), "}"))

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def pick(self, among: Sequence[T]) -> T:
        return self.random.choice(among)
