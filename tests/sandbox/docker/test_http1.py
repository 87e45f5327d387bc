"""Answers of HTTP, whole and broken, in whatever pieces they come."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.sandbox.docker.http1 import Incoming, MalformedError, read_answer
from tests.sandbox.docker.server import answer

OK = b"HTTP/1.1 200 OK\r\n"


def pieces(octets: bytes, size: int = 1 << 20) -> Callable[[], bytes]:
    cut: Iterator[bytes] = (octets[at : at + size] for at in range(0, len(octets), size))
    return lambda: next(cut, b"")


def read(octets: bytes, limit: int = 1000) -> bytes:
    return read_answer(Incoming(pieces(octets)), limit).body


@given(st.binary(max_size=300), st.integers(0, 40), st.integers(1, 400))
def test_a_body_is_read_in_any_pieces(body: bytes, chunk: int, size: int) -> None:
    twice = Incoming(pieces(answer(body, chunk=chunk) * 2, size))
    for _ in range(2):
        found = read_answer(twice)
        assert (found.status, found.body, found.keeps) == (200, body, True)
    assert twice.is_empty


@pytest.mark.parametrize(
    ("octets", "body", "keeps"),
    [
        (OK + b"\r\nto the end", b"to the end", False),
        (OK + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}", b"{}", False),
        (OK + b"Content-Length: 2\r\nConnection: x, Close\r\n\r\n{}", b"{}", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"{}", False),
        (b"HTTP/1.1 200\r\nContent-Length:2 \r\n\r\n{}", b"{}", True),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n", b"", True),
        (OK + b"transfer-encoding: Chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\nX: y\r\n\r\n", b"{}", True),
        (OK + b"X: \xff\r\nContent-Length: 0\r\n\r\n", b"", True),
    ],
)
def test_forms_of_a_good_answer(octets: bytes, body: bytes, keeps: bool) -> None:
    found = read_answer(Incoming(pieces(octets)))
    assert (found.body, found.keeps) == (body, keeps)


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "in the middle"),
        (OK, "in the middle"),
        (OK + b"Content-Length: 3\r\n\r\n{}", "in the middle"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no answer of HTTP"),
        (b"HTTP/2 200 OK\r\n\r\n", "no answer of HTTP"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "no answer of HTTP"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "no answer of HTTP"),
        (OK + b"Content-Length: 2\nX: y\r\n\r\n{}", "CRLF"),
        (OK + b"Content-Length : 2\r\n\r\n{}", "a header that is none"),
        (OK + b" Content-Length: 2\r\n\r\n{}", "a header that is none"),
        (OK + b"X: a\r\n b\r\n\r\n", "a header that is none"),
        (OK + b"X: \0\r\n\r\n", "a header that is none"),
        (OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", "two ways"),
        (OK + b"Content-Length: 2, 2\r\n\r\n{}", "two ways"),
        (OK + b"Content-Length: +2\r\n\r\n{}", "two ways"),
        (OK + b"Content-Length: -2\r\n\r\n{}", "two ways"),
        (OK + b"Content-Length: \r\n\r\n{}", "two ways"),
        (OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n{}", "two ways"),
        (OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "two ways"),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "two ways"),
        (OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "two ways"),
        (OK + b"Content-Length: 1001\r\n\r\n{}", "more than"),
        (OK + b"\r\n" + b"x" * 1001, "more than"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001, "more than"),
        (
            OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"fa\r\n" + b"x" * 250 + b"\r\n" * 1,
            "middle",
        ),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}x\r\n0\r\n\r\n", "longer"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n", "without a length"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n", "without a length"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nfffffffff\r\n", "without a length"),
        (OK + b"X: y\r\n" * 20_000, "too long"),
        (OK + b"X" * 100_000, "a line without end"),
    ],
    ids=lambda value: value[:60] if isinstance(value, bytes) else value,
)
def test_broken_answers_are_refused(octets: bytes, why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        read(octets)


@given(
    st.binary(max_size=400), st.sampled_from([b"", OK, OK + b"Transfer-Encoding: chunked\r\n\r\n"])
)
def test_anything_is_an_answer_or_malformed(octets: bytes, before: bytes) -> None:
    with suppress(MalformedError):
        assert len(read(before + octets)) <= 1000
