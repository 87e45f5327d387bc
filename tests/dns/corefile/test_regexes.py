"""Regular expressions: what Go says of them, and that no text makes them slow."""

import contextlib
import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.dns.corefile.regexes import go_regex
from kubehop.model.errors import InputError

RECORDED = Path(__file__).parents[2] / "data" / "go-regexes.json"
ROWS = json.loads(RECORDED.read_text())["rows"]
NAME = 250
"""Characters; no name is longer than 253."""


@pytest.mark.parametrize(("pattern", "said"), ROWS, ids=[row[0] for row in ROWS])
def test_as_go(pattern: str, said: str | dict[str, list[str] | None]) -> None:
    if isinstance(said, str):
        with pytest.raises(InputError) as error:
            go_regex(pattern)
        assert error.value.problem == said
        return
    for text, groups in said.items():
        wanted = None if groups is None else tuple(groups)
        assert go_regex(pattern).search(text) == wanted, text


def test_there_are_errors_and_matches_among_what_was_recorded() -> None:
    errors = [said for _, said in ROWS if isinstance(said, str)]
    found = [g for _, said in ROWS if isinstance(said, dict) for g in said.values()]
    assert len(errors) > 50
    assert sum(groups is None for groups in found) > 100
    assert sum(groups is not None for groups in found) > 100


ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "x", r"\.", r"\w", "^", "$"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.tuples(inner, inner).map("|".join).map(lambda p: f"({p})"),
        inner.map(lambda p: f"({p}x)*"),
        inner.map(lambda p: f"(?:{p}a)+?"),
        inner.map(lambda p: f"({p})?"),
    ),
    max_leaves=8,
)


@given(PATTERNS, st.text("abx.", max_size=10))
def test_as_python_where_python_is_not_slow(pattern: str, text: str) -> None:
    match = re.search(pattern.replace("$", r"\Z"), text)
    wanted = None if match is None else (match[0], *match.groups(""))
    assert go_regex(pattern).search(text) == wanted


@given(st.text("ab()[]{}*+?|\\^$-:,.<>P012iz", max_size=20), st.text("ab.-", max_size=8))
def test_any_text_is_an_expression_or_an_error(pattern: str, text: str) -> None:
    try:
        found = go_regex(pattern)
    except InputError:
        return
    groups = found.search(text)
    assert groups is None or len(groups) == found.groups + 1


@pytest.mark.parametrize(
    "pattern",
    [
        "(a*)*[bc]",
        "(a|aa)+$",
        "(a|a?)+[bc]",
        "(.*)(.*)(.*)(.*)(.*)(.*)[xy]",
        "a*a*a*a*a*a*a*a*[bc]",
        "(a{1,60}){1,10}[bc]",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
        "(?:a?){200}a{200}[bc]",
    ],
)
def test_no_name_makes_an_expression_slow(pattern: str) -> None:
    """Python's own engine takes years for most of these."""
    found = go_regex(pattern)
    start = time.perf_counter()
    assert found.search("a" * NAME + "-") is None
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    "pattern",
    [
        "(" * 5000 + ")" * 5000,
        "((a{9}){9}){9}((b{9}){9}){9}((c{9}){9}){9}",
        "[a-z]{900}{2}",
        "a" * 100_000,
    ],
)
def test_big_expressions_are_quick_or_refused(pattern: str) -> None:
    start = time.perf_counter()
    with contextlib.suppress(InputError):
        go_regex(pattern).search("a" * NAME)
    assert time.perf_counter() - start < 5
