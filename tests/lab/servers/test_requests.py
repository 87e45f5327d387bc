"""HTTP requests from octets: the cases of RFC 9112, in pieces, and hostile ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.lab.servers.requests import MOST_HEAD, Refusal, Request, Requests

WHOLE = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
WEB = Request("GET", "/", host="a")
Found = list[Request | Refusal]


def read(*pieces: bytes) -> Found:
    """All that the pieces say, as a connection reads them: until nothing more is to come."""
    requests, found = Requests(), Found()
    for piece in pieces:
        requests.feed(piece)
        while asked := requests.next():
            found.append(asked)
            if isinstance(asked, Refusal) or not asked.keep:
                return found
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (WHOLE, [WEB]),
        (WHOLE + WHOLE, [WEB, WEB]),
        (WHOLE[:-1], []),
        ("\r\n\r\n" + WHOLE, [WEB]),
        ("GET /a?b HTTP/1.1\nHost: a\n\n", [Request("GET", "/a?b", host="a")]),
        ("HEAD / HTTP/1.1\r\nHOST:a \r\n\r\n", [Request("HEAD", "/", host="a")]),
        ("GET / HTTP/1.0\r\n\r\n", [Request("GET", "/", keep=False)]),
        ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", [Request("GET", "/")]),
        (
            "GET / HTTP/1.1\r\nConnection: x, Close\r\n\r\n" + WHOLE,
            [Request("GET", "/", keep=False)],
        ),
        ("GET / HTTP/1.1\r\nAccept: a\r\nAccept: b\r\n\r\n", [Request("GET", "/", accept="a, b")]),
        ("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nGET ", [Request("POST", "/")]),
        ("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nGET " + WHOLE, [Request("POST", "/"), WEB]),
        ("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nGET", []),
        # A body whose length is not known, or that waits for a word: the last request.
        (
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" + WHOLE,
            [Request("POST", "/", keep=False)],
        ),
        (
            "PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n",
            [Request("PUT", "/", keep=False)],
        ),
        ("GET /\r\n\r\n", [Refusal(400)]),
        ("GET  / HTTP/1.1\r\n\r\n", [Refusal(400)]),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", [Refusal(400)]),
        ("GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n", [Refusal(400)]),
        ("GET / HTTP/1.1\r\nnonsense\r\n\r\n", [Refusal(400)]),
        ("GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", [Refusal(400)]),
        ("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", [Refusal(400)]),
        ("\x16\x03\x01\x02\x00\x01", [Refusal(400)]),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [Refusal(505)]),
        (f"GET /{'a' * MOST_HEAD}", [Refusal(431)]),
        (f"GET / HTTP/1.1\r\nX: {'a' * MOST_HEAD}\r\n\r\n", [Refusal(431)]),
    ],
)
def test_what_octets_say(text: str, expected: Found) -> None:
    octets = text.encode("latin-1")
    assert read(octets) == expected
    assert read(*(octets[n : n + 1] for n in range(len(octets)))) == expected


FRAGMENTS = st.sampled_from(
    [
        b"GET / HTTP/1.1",
        b"POST /x?probe=1 HTTP/1.0",
        b"\r\n",
        b"\n",
        b"\r",
        b": ",
        b"Host: a",
        b"Content-Length: 3",
        b"Content-Length: 99999999999999999",
        b"Transfer-Encoding: chunked",
        b"Connection: close",
        b"\0\xff",
        b"x" * 3000,
    ]
)
OCTETS = st.lists(st.one_of(FRAGMENTS, st.binary(max_size=40)), max_size=30).map(b"".join)


@given(OCTETS, st.lists(st.integers(1, 4000), max_size=20))
def test_pieces_make_no_difference(octets: bytes, cuts: list[int]) -> None:
    pieces, begin = [], 0
    for cut in cuts:
        pieces.append(octets[begin : begin + cut])
        begin += cut
    assert read(*pieces, octets[begin:]) == read(octets)


@given(OCTETS)
def test_what_is_kept_is_bounded(octets: bytes) -> None:
    requests = Requests()
    for n in range(0, len(octets), 1000):
        requests.feed(octets[n : n + 1000])
        while asked := requests.next():
            if isinstance(asked, Refusal):
                return
        assert len(requests._in) < MOST_HEAD


def test_a_body_is_never_kept() -> None:
    requests = Requests()
    requests.feed(b"POST / HTTP/1.1\r\nContent-Length: 10000000\r\n\r\n")
    for _ in range(1000):
        assert requests.next() is None
        requests.feed(b"x" * 10000)
    assert requests.next() == Request("POST", "/")
    assert requests.next() is None
    assert not requests._in
