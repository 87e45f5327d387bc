"""Words of a Corefile, as caddyfile's lexer finds them."""

import pytest

from kubehop.dns.corefile.tokens import tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a b", ["a", "b"]),
        ("\ufeffa", ["a"]),
        ("a # b\nc", ["a", "c"]),
        ("# a\n# b", []),
        ("a#b\nc", ["a", "c"]),
        ("a#b c", ["a", "c"]),
        ('"a b" c', ["a b", "c"]),
        ('"a\nb"', ["a\nb"]),
        ('"say \\"x\\" \\d"', ['say "x" \\d']),
        ('"a" "" b', ["a", "", "b"]),
        ('"a"b', ["a", "b"]),
        ('a"b c"', ['a"b', 'c"']),
        ('"not closed', ["not closed"]),
        ('"', []),
        ('a "\\', ["a"]),
        ("a\r\nb", ["a", "b"]),
        ("a\rb", ["ab"]),
        ("a\u00a0b\u2003c", ["a", "b", "c"]),
        ("{$X} {%Y%}", ["{$X}", "{%Y%}"]),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert [token.text for token in tokens(text)] == expected


def test_lines() -> None:
    text = 'a\n\n# no word\n b "c\nd" e\nf'
    found = [(token.text, token.line) for token in tokens(text)]
    assert found == [("a", 1), ("b", 4), ("c\nd", 4), ("e", 5), ("f", 6)]
