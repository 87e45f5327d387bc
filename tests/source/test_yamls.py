"""YAML: the values of YAML 1.1 that Kubernetes knows, and limits that nothing gets past."""

from datetime import date
from itertools import pairwise
from typing import Any

import pytest
import yaml

from kubehop.model.errors import InputError
from kubehop.source import yaml_values, yamls


def load(text: str) -> Any:
    (value,) = yamls.load_all(text.encode())
    return value


def refusal(text: str) -> str:
    with pytest.raises(InputError) as error:
        list(yamls.load_all(text.encode(), "f"))
    return str(error.value).removeprefix("f: ")


SCALARS: list[tuple[str, object]] = [
    ("~", None),
    ("null", None),
    ("Null", None),
    ("nULL", "nULL"),
    ("yes", True),
    ("On", True),
    ("TRUE", True),
    ("y", "y"),
    ("off", False),
    ("n", "n"),
    ("0", 0),
    ("-0", 0),
    ("+12", 12),
    ("1_000", 1000),
    ("0x1F", 31),
    ("-0x1f", -31),
    ("0b101", 5),
    ("010", 8),
    ("08", "08"),
    ("0x_", "0x"),
    ("1.5", 1.5),
    ("1.", 1.0),
    (".5", 0.5),
    ("1.5e+3", 1500.0),
    ("1e3", "1e3"),
    ("-", None),
    (".", "."),
    ("+", "+"),
    ("1.2.3", "1.2.3"),
    ("=", "="),
    ("'1'", "1"),
    ('"yes"', "yes"),
    ("!!str 1", "1"),
    ("! 1", "1"),
    ("!!int '1'", 1),
    ("|\n  1\n", "1\n"),
    (">\n  a\n  b\n", "a b\n"),
    # what JSON does not know stays a string
    ("2024-01-31", "2024-01-31"),
    ("1:30", "1:30"),
    (".inf", ".inf"),
    (".nan", ".nan"),
    ("9" * 400, "9" * 400),
    ("18446744073709551615", 2**64 - 1),
    ("18446744073709551616", float(2**64)),
    ("-9223372036854775808", -(2**63)),
    ("0x" + "f" * 100, "0x" + "f" * 100),
]


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_scalars(text: str, value: object) -> None:
    if text == "-":  # an empty sequence entry, not a scalar
        value = [None]
    assert load(text) == value
    assert type(load(text)) is type(value)


@pytest.mark.parametrize("text", [text for text, _ in SCALARS if text != "! 1"])
def test_scalars_are_those_of_pyyaml_where_json_has_them(text: str) -> None:
    try:
        theirs = yaml.safe_load(text)
    except (ValueError, yaml.YAMLError):
        return
    if type(theirs) in (str, int, bool, type(None)) and ":" not in text and abs_(theirs) < 2**63:
        assert load(text) == theirs
    else:
        assert isinstance(theirs, date | float | int | list)


def abs_(value: object) -> int:
    return abs(value) if isinstance(value, int) else 0


def test_collections() -> None:
    assert load("a: [1, {b: c}]\nd:\n- e\n- - f\n  - {}\n") == {
        "a": [1, {"b": "c"}],
        "d": ["e", ["f", {}]],
    }


def test_keys_are_strings_as_kubectl_spells_them() -> None:
    text = "1: a\n0x10: b\nyes: c\n'yes': d\n~: e\n1.50: f\n2024-01-31: g\n"
    assert load(text) == {
        "1": "a",
        "16": "b",
        "true": "c",
        "yes": "d",
        "~": "e",
        "1.50": "f",
        "2024-01-31": "g",
    }


def test_documents_come_one_by_one_and_empty_ones_are_none() -> None:
    documents = yamls.load_all(b"a: 1\n---\n---\nb: 2\n---\n*x\n")
    assert [next(documents), next(documents), next(documents)] == [{"a": 1}, None, {"b": 2}]
    with pytest.raises(InputError, match="line 6"):
        next(documents)


def test_anchors_are_shared_and_end_with_their_document() -> None:
    value = load("a: &a {x: [1]}\nb: *a\nc: &c text\nd: [*c, *c]\n&k key: *c\n")
    assert value["a"] is value["b"]
    assert value["d"] == ["text", "text"]
    assert value["key"] == "text"
    assert refusal("a: &a 1\n---\nb: *a\n") == "line 3: alias *a of an anchor that is not there"
    assert load("- &a 1\n- &a 2\n- *a\n") == [1, 2, 2]


def test_merge_keys() -> None:
    base = "base: &b {x: 1, y: 1}\nmore: &m {y: 2, z: 2}\n"
    assert load(base + "v: {<<: *b, y: 3}")["v"] == {"x": 1, "y": 3}
    assert load(base + "v: {y: 3, <<: *b}")["v"] == {"x": 1, "y": 3}
    assert load(base + "v: {<<: [*b, *m]}")["v"] == {"x": 1, "y": 1, "z": 2}
    assert load(base + "v: {<<: [*m, *b]}")["v"] == {"x": 1, "y": 2, "z": 2}
    assert load("'<<': 1") == {"<<": 1}
    assert refusal("<<: [1]") == "line 1: << takes a mapping or a list of mappings"


@pytest.mark.parametrize(
    "text", ["a: 1\na: 2", "{a: 1, 'a': 2}", "1: a\n'1': b", "x:\n  yes: 1\n  true: 2"]
)
def test_no_key_twice(text: str) -> None:
    assert "is already set in this mapping" in refusal(text)


def test_depth() -> None:
    deepest = "[" * yaml_values.MAX_DEPTH + "]" * yaml_values.MAX_DEPTH
    assert load(deepest)
    for text in (f"[{deepest}]", "[" * 100_000, "{a: " * 100_000, "- " * 100_000, "? " * 100_000):
        assert refusal(text) == "line 1: nested more than 200 levels deep"


def test_aliases_cannot_multiply() -> None:
    levels = "abcdefghijklmnop"
    lines = [f"a: &a [{'x, ' * 9}x]"]
    lines += [
        f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]" for before, name in pairwise(levels)
    ]
    assert "aliases stand for too much" in refusal("\n".join(lines))
    maps = [line.replace("[", "{<<: [").replace("]", "]}") for line in lines[1:]]
    assert "aliases stand for too much" in refusal("\n".join(["a: &a {k: v}", *maps]))
    document = "a: &a [x, y]\nb: [" + "*a, " * 1000 + "]\n---\n"
    assert "aliases stand for too much" in refusal(document * 3000)
    long = "x" * 100_000
    assert "aliases stand for too much" in refusal(f"a: &a {long}\nb: [{'*a, ' * 1000}]")


def test_empty_documents_in_a_row() -> None:
    assert len(list(yamls.load_all(b"---\n" * yamls.MAX_EMPTY_DOCUMENTS))) == 10_000
    assert refusal("a: 1\n" + "---\n" * 10_003) == (
        "line 10002: more than 10000 empty documents in a row"
    )


def test_without_the_c_parser_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(yaml, "CSafeLoader")
    assert "reinstall PyYAML from a wheel" in refusal("a: 1")
