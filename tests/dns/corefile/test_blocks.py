"""Server blocks, snippets, imports and variables."""

import pytest

from kubehop.dns.corefile import Corefile, parse
from kubehop.model.errors import InputError


def keys(found: Corefile) -> list[list[str]]:
    return [[str(key) for key in block.keys] for block in found.blocks]


def names(found: Corefile) -> list[list[str]]:
    return [[plugin.name for plugin in block.plugins] for block in found.blocks]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (". {\n}", [["dns://.:53"]]),
        (".:53 {\n}", [["dns://.:53"]]),
        (
            "cluster.local example.org:1053 {\n}",
            [["dns://cluster.local.:53", "dns://example.org.:1053"]],
        ),
        ("a, b,\nc {\n}", [["dns://a.:53", "dns://b.:53", "dns://c.:53"]]),
        (
            "dns://a tls://b quic://c https://d {\n}",
            [["dns://a.:53", "tls://b.:853", "quic://c.:853", "https://d.:443"]],
        ),
        ("Example.ORG {\n}", [["dns://example.org.:53"]]),
        ("a\nlog", [["dns://a.:53"]]),
        ("a {\n}\nb {\n}", [["dns://a.:53"], ["dns://b.:53"]]),
        ("10.0.0.0/24 {\n}", [["dns://0.0.10.in-addr.arpa.:53"]]),
        ("10.0.0.0/24:5353 {\n}", [["dns://0.0.10.in-addr.arpa.:5353"]]),
        ("10.2.3.4/15 {\n}", [["dns://2.10.in-addr.arpa.:53", "dns://3.10.in-addr.arpa.:53"]]),
        ("10.0.0.1/32 {\n}", [["dns://1.0.0.10.in-addr.arpa.:53"]]),
        ("fd00::/12 {\n}", [["dns://0.d.f.ip6.arpa.:53"]]),
        ("fd00::/15 {\n}", [["dns://0.0.d.f.ip6.arpa.:53", "dns://1.0.d.f.ip6.arpa.:53"]]),
        ("10.0.0.0 {\n}", [["dns://10.0.0.0.:53"]]),
        ("", [["dns://.:53"]]),
        ("{$ZONE}:{%PORT%} {\n}", [["dns://corp.:54"]]),
        ("{$NOTHING}a {\n}", [["dns://a.:53"]]),
    ],
)
def test_keys(text: str, expected: list[list[str]]) -> None:
    assert keys(parse(text, environment={"ZONE": "corp", "PORT": "54"})) == expected


def test_the_order_of_plugins_is_coredns_own() -> None:
    text = ". {\nforward . 10.0.0.1\nkubernetes x\ncache\nerrors\nloop\nrewrite name a b\n}"
    order = ["errors", "cache", "rewrite", "kubernetes", "loop", "forward"]
    assert names(parse(text)) == [order]


def test_snippets_are_put_where_they_are_imported() -> None:
    text = "(common) {\nerrors\ncache 30\n}\na {\nimport common\nlog\n}\nb {\nimport common\n}"
    assert names(parse(text)) == [["errors", "log", "cache"], ["errors", "cache"]]


def test_a_snippet_may_import_and_stand_inside_a_directive() -> None:
    text = """
    (inner) {
        pods insecure
    }
    (outer) {
        ttl 7
        import inner
    }
    . {
        kubernetes cluster.local {
            import outer
            endpoint_pod_names
        }
    }"""
    plugin = parse(text).blocks[0].plugins[0]
    assert (plugin.name, getattr(plugin, "ttl", 0), getattr(plugin, "pods", "")) == (
        "kubernetes",
        7,
        "insecure",
    )


def test_keys_may_be_imported() -> None:
    text = "(zones) {\na b\n}\nimport zones\nlog"
    assert keys(parse(text)) == [["dns://a.:53", "dns://b.:53"]]


FILES = {
    "/etc/coredns/custom/a.override": "log",
    "/etc/coredns/custom/b.override": "errors\n",
    "/etc/coredns/custom/c.server": "corp {\nwhoami\n}",
    "extra": "cache 10",
}


def test_files_are_imported_by_name_and_pattern() -> None:
    text = ". {\nimport custom/*.override\nimport /etc/coredns/extra2\n}\nimport custom/*.server"
    files = FILES | {"/etc/coredns/extra2": "loop"}
    found = parse(text, "/etc/coredns/Corefile", files=files)
    assert keys(found) == [["dns://.:53"], ["dns://corp.:53"]]
    assert names(found) == [["errors", "log", "loop"], ["whoami"]]


def test_a_pattern_without_files_is_noted() -> None:
    found = parse(". {\nimport /etc/coredns/custom/*.x\n}", files=FILES)
    assert found.notes == ("import: no file matches /etc/coredns/custom/*.x",)


def test_a_star_does_not_cross_folders() -> None:
    found = parse(". {\nimport /etc/*.override\n}", files=FILES)
    assert names(found) == [[]]


def test_an_error_in_an_imported_file_names_it() -> None:
    with pytest.raises(InputError) as error:
        parse(". {\nimport extra\n}", files={"extra": "\nlog\nfoo"})
    assert str(error.value) == "extra:3 - Error during parsing: Unknown directive 'foo'"


def test_variables_are_replaced_in_arguments() -> None:
    text = ". {\nforward . {$UPSTREAM}\n}"
    plugin = parse(text, environment={"UPSTREAM": "10.0.0.9"}).blocks[0].plugins[0]
    assert getattr(plugin, "servers", ()) == ("10.0.0.9:53",)


def test_a_variable_that_holds_itself_ends() -> None:
    parse(". {\nlog {$X}\n}", environment={"X": "{$X}"})


@pytest.mark.parametrize("body", ["import a", "import b\nimport b"])
def test_snippets_in_a_circle_end(body: str) -> None:
    text = f"(a) {{\n{body}\n}}\n(b) {{\nimport a\nimport a\n}}\n. {{\nimport a\n}}"
    with pytest.raises(InputError, match="maximum snippet import depth"):
        parse(text)
