"""What ECHO servers say, and what is no answer of theirs."""

import pytest

from kubehop.lab.probe.answer import Answer, http_body, parse_answer

TEXT = b"pod: default/web\nnode: n0\nlocal: [fd00::1]:80\npeer: 10.42.0.2:40000\n"


def test_an_answer_tells_who_where_and_whom() -> None:
    assert parse_answer(TEXT) == Answer("default/web", "n0", "fd00::1", 80, "10.42.0.2")
    assert parse_answer(b"pod:\nnode: n0\nlocal: 1.2.3.4:5\npeer: [::1]:6").pod == ""


def test_a_body_is_there_once_it_is_whole() -> None:
    whole = b"HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH: %d\r\n\r\n%s" % (len(TEXT), TEXT)
    assert all(http_body(whole[:at]) is None for at in range(len(whole)))
    assert http_body(whole) == TEXT


@pytest.mark.parametrize(
    "text", [b"", b"hello", b"pod: x\nnode: y\n", TEXT.replace(b"40000", b"many"), b"\xff"]
)
def test_what_no_echo_server_says_is_an_error(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the texts differ
        parse_answer(text)


def test_other_http_servers_are_an_error() -> None:
    with pytest.raises(ValueError, match="503"):
        http_body(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
    with pytest.raises(ValueError, match="length"):
        http_body(b"HTTP/1.1 200 OK\r\n\r\nhello")
