"""What Listeners say."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.lab.plan.values import Listener, Role
from kubehop.lab.servers.answers import Ends, datagram, respond
from kubehop.lab.servers.requests import Refusal, Request

ENDS = Ends("10.42.1.7:80", "[fd00::9]:4321")
ECHO = Listener("pod/default/web", "TCP", "", 80, pod="default/web", node="node-1")
FOUR = "pod: default/web\nnode: node-1\nlocal: 10.42.1.7:80\npeer: [fd00::9]:4321\n"


def body(listener: Listener, asked: Request | Refusal) -> str:
    return respond(listener, asked, ENDS).body


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Request("GET", "/"), FOUR),
        (Request("DELETE", "/what/ever"), FOUR),
        (Request("GET", "/", host="web.default:80"), f"{FOUR}host: web.default:80\n"),
        (Request("GET", "/", host="b\xe4d"), FOUR),
        (Request("GET", "/?probe=a-1&x=2"), f"{FOUR}probe: a-1\n"),
        (Request("GET", "http://x/y?x=2&probe=b"), f"{FOUR}probe: b\n"),
        (Request("GET", "/?probe=%0aevil"), FOUR),
        (Request("GET", f"/?probe={'a' * 65}"), FOUR),
        (Request("CONNECT", "a:1"), "Method Not Allowed\n"),
        (Refusal(431), "Request Header Fields Too Large\n"),
    ],
)
def test_echo_over_http(asked: Request | Refusal, expected: str) -> None:
    assert body(ECHO, asked) == expected


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"", FOUR),
        (b"hello", FOUR),
        (b"probe:x7\nmore", f"{FOUR}probe: x7\n"),
        (b"probe:\n", FOUR),
    ],
)
def test_echo_over_udp(octets: bytes, expected: str) -> None:
    answer = datagram(ECHO, octets, ENDS)
    assert answer == expected.encode()
    assert datagram(ECHO, answer, ENDS) is None, "two of us would talk for ever"


@given(st.binary(max_size=200))
def test_any_datagram(octets: bytes) -> None:
    answer = datagram(ECHO, octets, ENDS)
    assert answer is None if octets.startswith(b"pod:") else answer is not None
    assert answer is None or answer.decode().startswith(FOUR)


def test_a_pod_without_a_name() -> None:
    outside = Listener("outside", "TCP", "", 80)
    assert body(outside, Request("GET", "/")).startswith("pod: \nnode: \nlocal: ")


@pytest.mark.parametrize(
    "asked",
    [
        Request("GET", "/json"),
        Request("GET", "/json?x"),
        Request("GET", "/", accept="text/html, application/json"),
    ],
)
def test_echo_as_json(asked: Request) -> None:
    response = respond(ECHO, asked, ENDS)
    assert response.type == "application/json"
    assert json.loads(response.body) == dict(line.split(": ") for line in FOUR.splitlines())


@pytest.mark.parametrize(("endpoints", "status"), [(0, 503), (1, 200), (7, 200)])
def test_a_health_check_node_port(endpoints: int, status: int) -> None:
    listener = Listener(
        "node/n0", "TCP", "", 32000, Role.HEALTH, service="default/web", endpoints=endpoints
    )
    response = respond(listener, Request("GET", "/anything"), ENDS)
    assert response.status == status
    assert response.fields["X-Load-Balancing-Endpoint-Weight"] == str(endpoints)
    assert json.loads(response.body) == {
        "service": {"namespace": "default", "name": "web"},
        "localEndpoints": endpoints,
        "serviceProxyHealthy": True,
    }


@pytest.mark.parametrize(("path", "status"), [("/healthz", 200), ("/livez", 200), ("/", 404)])
def test_the_health_of_kube_proxy(path: str, status: int) -> None:
    listener = Listener("node/n0", "TCP", "", 10256, Role.PROXY_HEALTH)
    response = respond(listener, Request("GET", path), ENDS)
    assert response.status == status
    if status == 200:
        said = json.loads(response.body)
        assert said["currentTime"]
        assert ("nodeEligible" in said) == (path == "/healthz")


def test_a_response_as_octets() -> None:
    response = respond(ECHO, Request("GET", "/"), ENDS)
    head, _, rest = response.octets("GET", keep=True).partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 200 OK",
        b"Content-Type: text/plain; charset=utf-8",
        b"Content-Length: %d" % len(FOUR),
        b"Connection: keep-alive",
    ]
    assert rest == FOUR.encode()
    assert response.octets("HEAD", keep=True) == head + b"\r\n\r\n"
    assert b"Connection: close\r\n" in response.octets("GET", keep=False)
