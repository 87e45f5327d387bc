"""Any text is a Corefile or one InputError, soon."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubehop.dns.chain import Serving
from kubehop.dns.corefile import KUBEADM, parse
from kubehop.dns.corefile.registry import ORDER
from kubehop.dns.zone import ZoneData
from kubehop.model.errors import InputError

WORDS = [
    *ORDER,
    "{",
    "}",
    "import",
    "(a)",
    "a",
    ".",
    ".:53",
    "10.0.0.0/9",
    "fd00::/13",
    "{$A}",
    '"',
]
WORDS += [
    "cluster.local",
    "@kubernetes",
    "5s",
    "-1",
    "30",
    "name",
    "regex",
    "(.*",
    "{{ .Name }}",
    "*",
]
WORDS += [
    "pods",
    "verified",
    "fallthrough",
    "tls://1.1.1.1%x:9",
    "/etc/resolv.conf",
    "success",
    "to",
]
WORDS += [
    "disable",
    "except",
    "IN",
    "A",
    "answer",
    "auto",
    "match",
    "10.0.0.1",
    "labels",
    "in",
    "ttl",
]

words = st.lists(st.sampled_from([*WORDS, "\n", "\n", "{\n", "\n}\n"]), max_size=40).map(" ".join)
blocks = st.lists(st.sampled_from(WORDS), max_size=12).map(
    lambda found: f". {{\n{' '.join(found)}\n}}"
)
options = st.builds(
    lambda name, lines: (
        f". {{\n{name} a {{\n{chr(10).join(' '.join(line) for line in lines)}\n}}\n}}"
    ),
    st.sampled_from(ORDER),
    st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4), max_size=4),
)
mutated = st.builds(
    lambda at, new, gone: KUBEADM[:at] + new + KUBEADM[at + gone :],
    st.integers(0, len(KUBEADM)),
    st.text(max_size=3),
    st.integers(0, 5),
)


@given(st.one_of(st.text(), words, blocks, options, mutated))
@settings(max_examples=400)
def test_any_text_is_a_corefile_or_an_input_error(text: str) -> None:
    files = {"/etc/resolv.conf": text, "a": text}
    with suppress(InputError):
        found = parse(text, files=files, environment={"A": text})
        assert set(found.notes) <= set(Serving(found, ZoneData()).notes)


@given(mutated)
def test_an_error_is_one_line(text: str) -> None:
    try:
        parse(text)
    except InputError as error:
        said = str(error)
    else:
        said = "none"
    assert said.isprintable()
    assert said


def test_many_words_are_no_burden() -> None:
    assert len(parse("a {\n" + "log x y z\n" * 20_000 + "}").blocks) == 1


def test_an_open_brace_for_every_word_is_no_burden() -> None:
    with pytest.raises(InputError, match="Unknown directive"):
        parse("{ " * 50_000)
