"""Other questions, answers changed back, and answers made up."""

import pytest

from tests.dns.chain.serving import Asking, C, block

FORWARD = "forward . 10.0.0.9"
SOA = f"{C} 5 SOA ns.dns.{C} hostmaster.{C} 7 7200 1800 86400 5"
KNOWN = {"a. A": "10.0.0.1", "b.org. A": "10.0.0.2", "a. SRV": "0 1 80 t.b."}


@pytest.mark.parametrize(
    ("rules", "question", "expected"),
    [
        ("rewrite name x a", "X. A", ["NOERROR", "x. 300 A 10.0.0.1"]),
        ("rewrite name exact x a", "x. SRV", ["NOERROR", "x. 300 SRV 0 1 80 t.b."]),
        ("rewrite name prefix x- b.", "x-org. A", ["NXDOMAIN", ". 60 SOA a. b. 1 2 3 4 60"]),
        ("rewrite name suffix .com .org", "b.com. A", ["NOERROR", "b.org. 300 A 10.0.0.2"]),
        (
            "rewrite name suffix .com .org answer auto",
            "b.com. A",
            ["NOERROR", "b.com. 300 A 10.0.0.2"],
        ),
        ("rewrite name substring .c. .o.", "x.c.y. A", ["NXDOMAIN", ". 60 SOA a. b. 1 2 3 4 60"]),
        ("rewrite name regex (.*)[.]com {1}.org", "b.com. A", ["NOERROR", "b.org. 300 A 10.0.0.2"]),
        (
            "rewrite stop {\nname regex (.*)[.]com {1}.org\nanswer name (.*)[.]org {1}.net\n}",
            "b.com. A",
            ["NOERROR", "b.net. 300 A 10.0.0.2"],
        ),
        (
            "rewrite name regex s a answer value t[.](.*)[.] u.{1}",
            "s. SRV",
            ["NOERROR", "a. 300 SRV 0 1 80 u.b."],
        ),
        ("rewrite type ANY A", "a. ANY", ["NOERROR", "a. 300 A 10.0.0.1"]),
        ("rewrite ttl a 5-60", "a. A", ["NOERROR", "a. 60 A 10.0.0.1"]),
        ("rewrite ttl suffix . 900-", "a. A", ["NOERROR", "a. 900 A 10.0.0.1"]),
        (
            "rewrite continue name x y\nrewrite name y a",
            "x. A",
            ["NOERROR", "x. 300 A 10.0.0.1"],
        ),
        ("rewrite name x a\nrewrite name a y", "x. A", ["NOERROR", "x. 300 A 10.0.0.1"]),
        ("rewrite name x a", "a. A", ["NOERROR", "a. 300 A 10.0.0.1"]),
        ("rewrite name substring x ..", "x. A", ["SERVFAIL"]),
    ],
)
def test_rewrite(rules: str, question: str, expected: list[str]) -> None:
    assert Asking(block(rules, FORWARD), KNOWN).ask(question) == expected


def test_rewrite_writes_what_nobody_wrote() -> None:
    """So that a cache in front keeps it, as CoreDNS's does."""
    asking = Asking(block("cache", "rewrite name x a", FORWARD), {"a. A": "silence"})
    asking.ask("x. A")
    asking.ask("x. A")
    assert len(asking.asked) == 1


IP = r'match "^ip-(?P<a>[0-9]+)-(?P<b>[0-9]+)[.]example[.]$"'


@pytest.mark.parametrize(
    ("body", "question", "expected"),
    [
        (
            f'{IP}\nanswer "{{{{ .Name }}}} 60 IN A 10.0.{{{{ .Group.a }}}}.{{{{ .Group.b }}}}"',
            "ip-1-2.example. A",
            ["NOERROR", "ip-1-2.example. 60 A 10.0.1.2"],
        ),
        (f"{IP}\nrcode NXDOMAIN", "ip-1-2.example. A", ["NXDOMAIN"]),
        (f"{IP}", "other.example. A", ["SERVFAIL"]),
        (f"{IP}\nfallthrough", "b.org. A", ["NOERROR", "b.org. 300 A 10.0.0.2"]),
        (
            'answer "{{ .Name }} 60 IN A {{ .Remote }}"',
            "x. A",
            ["NOERROR", "x. 60 A 10.42.0.7"],
        ),
        (
            'match x(.)\nanswer "{{ .Zone }} {{ .Type }}{{ .Class }}. IN TXT {{ index .Match 1 }}"',
            "x7. A",
            ["SERVFAIL"],
        ),
        (
            'match x(.)\nanswer "{{ .Question.Name }} {{ .Class }} TXT '
            '{{ index .Match 1 }}{{ .Type }}"',
            "X7. A",
            ["NOERROR", 'X7. 3600 TXT "7A"'],
        ),
        (
            'answer "{{ .Name }} IN CNAME b.org."',
            "x. A",
            ["NOERROR", "x. 3600 CNAME b.org.", "b.org. 300 A 10.0.0.2"],
        ),
        (
            'authority "example. 60 IN SOA ns.example. a.example. (1 60 60 60 60)"\nrcode NXDOMAIN',
            "x. A",
            ["NXDOMAIN", "example. 60 SOA ns.example. a.example. 1 60 60 60 60"],
        ),
        ("rcode SERVFAIL", "x. A", ["SERVFAIL"]),
        ('answer "nonsense"', "x. A", ["SERVFAIL"]),
        ('answer ""', "x. A", ["SERVFAIL"]),
        ('answer "x IN 1h30m A 192.0.2.1"', "x. A", ["NOERROR", "x. 5400 A 192.0.2.1"]),
        ('answer "x 9999999999 IN A 192.0.2.1"', "x. A", ["SERVFAIL"]),
        ('answer "{{ index .Match 3 }} 60 IN A 1.2.3.4"', "x. A", ["SERVFAIL"]),
        ('answer "{{ printf .Name }} 60 IN A 1.2.3.4"', "x. A", ["SERVFAIL"]),
    ],
)
def test_template(body: str, question: str, expected: list[str]) -> None:
    zones = "" if "CNAME" not in body else "x"
    asking = Asking(block(f"template IN ANY {zones} {{\n{body}\n}}", FORWARD), KNOWN)
    assert asking.ask(question) == expected


def test_the_first_template_that_matches_answers() -> None:
    body = (
        'template IN A {{\nmatch {0}\nanswer "{{{{ .Name }}}} 1 IN A 10.0.0.{1}"\nfallthrough\n}}'
    )
    asking = Asking(block(*(body.format(m, n) for m, n in (("a", 1), ("b", 2), (".*", 3)))))
    assert [asking.ask(f"{n}. A")[1][-1] for n in ("xa", "ba", "b", "c")] == ["1", "1", "2", "3"]
    assert asking.ask("a. AAAA") == ["SERVFAIL"]
