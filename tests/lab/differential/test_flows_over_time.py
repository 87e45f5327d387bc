"""What a kernel remembers: affinity, connections that stand, UDP flows after a change."""

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from kubehop.lab.kernel import Base
from kubehop.lab.lab import Lab
from kubehop.lab.plan.values import OUTSIDE, pod_namespace
from kubehop.lab.probe import Probe, Prober
from kubehop.lab.probe.answer import Answer, http_body, parse_answer
from kubehop.model.cluster import Cluster
from kubehop.model.service import Service
from tests.clusters import DRAINING, UNREADY, Raw, behind, cluster, endpoint, pod, service
from tests.lab.differential.stand import lab_of
from tests.lab.inside import in_lab

T = TypeVar("T")
ECHO = ({"containerPort": 8080}, {"containerPort": 8080, "protocol": "UDP"})
CLIENT = pod("client", "10.42.2.9", "n2")
PODS = {
    "a": pod("a", "10.42.0.2", "n0", *ECHO),
    "b": pod("b", "10.42.1.2", "n1", *ECHO),
    "c": pod("c", "10.42.2.2", "n2", *ECHO),
    "d": pod("d", "10.42.0.3", "n0", *ECHO),
}
SECONDS = 2
IN_TIME, TOO_LATE = SECONDS * 0.55, SECONDS * 1.4
CLIENTS = [f"203.0.113.{number}" for number in range(20, 60)]


def of(subject: Service, **conditions: Raw | None) -> Cluster:
    """All pods, and `subject` with those of them as endpoints that are named."""
    ends = (
        endpoint(PODS[name].addresses[0], PODS[name].node_name, given)
        for name, given in conditions.items()
    )
    return cluster(subject, CLIENT, *PODS.values(), *behind(subject, *ends))


def sticky(**more: Any) -> Service:
    return service(
        type="NodePort",
        sessionAffinity="ClientIP",
        sessionAffinityConfig={"clientIP": {"timeoutSeconds": SECONDS}},
        **more,
    )


def whom(prober: Prober, sources: Sequence[str], where: tuple[str, int]) -> list[str]:
    """The pod that each client outside gets."""
    probes = [Probe(OUTSIDE, source, *where) for source in sources]
    return [one.pod for one in prober.run(probes, 1.0)]


def in_time(attempt: Callable[[], T], tries: int = 5) -> T:
    """`attempt` again, if this machine was too busy for its times to mean anything."""
    for _ in range(tries):
        try:
            return attempt()
        except TimeoutError:
            continue
    pytest.skip("needs a machine that is less busy")


class Steps:
    """Sleeps, and knows when they took too long."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def wait(self, seconds: float, at_most: float = float("inf")) -> None:
        time.sleep(max(0.0, self._last + seconds - time.monotonic()))
        self.check(at_most)

    def check(self, at_most: float) -> None:
        now = time.monotonic()
        if now - self._last > at_most:
            raise TimeoutError
        self._last = now


NODE_PORT = ("192.168.0.10", 30080)


@in_lab
def test_a_client_stays_with_its_endpoint_as_long_as_it_comes_back_in_time(base: Base) -> None:
    """The timer starts again with every connection; after it a client is drawn anew."""
    with lab_of(base, of(sticky(), a=None, b=None, c=None, d=None)) as lab:
        prober = Prober(lab.kernel)

        def attempt() -> None:
            steps = Steps()
            first = whom(prober, CLIENTS, NODE_PORT)
            assert len(set(first)) > 1, "different clients, different endpoints"
            for _ in range(3):
                steps.wait(IN_TIME, SECONDS * 0.9)
                assert whom(prober, CLIENTS, NODE_PORT) == first
            steps.wait(TOO_LATE)
            # That all forty are drawn as before has a probability of 4 to the -40.
            assert whom(prober, CLIENTS, NODE_PORT) != first

        in_time(attempt)


@in_lab
def test_affinity_is_a_nodes_own_and_a_ports_own(base: Base) -> None:
    """Forty clients: alike by chance with a probability of 4 to the -40."""
    ports = [
        {"name": "x", "port": 80, "nodePort": 30080},
        {"name": "y", "port": 81, "nodePort": 30081},
    ]
    with lab_of(base, of(sticky(ports=ports), a=None, b=None, c=None, d=None)) as lab:
        prober = Prober(lab.kernel)

        def attempt() -> None:
            steps = Steps()
            first = whom(prober, CLIENTS, NODE_PORT)
            assert whom(prober, CLIENTS, ("192.168.0.11", 30080)) != first
            assert whom(prober, CLIENTS, ("192.168.0.10", 30081)) != first
            again = whom(prober, CLIENTS, NODE_PORT)
            steps.check(SECONDS * 0.9)
            assert again == first

        in_time(attempt)


@in_lab
def test_an_endpoint_that_is_gone_is_forgotten_by_its_clients_only(base: Base) -> None:
    subject = sticky()
    with lab_of(base, of(subject, a=None, b=None, c=None, d=None)) as lab:
        prober = Prober(lab.kernel)

        def attempt() -> None:
            lab.change(of(subject, a=None, b=None, c=None, d=None))
            steps = Steps()
            first = whom(prober, CLIENTS, NODE_PORT)
            lab.change(of(subject, a=None, b=None, c=None))
            second = whom(prober, CLIENTS, NODE_PORT)
            steps.check(SECONDS * 0.9)
            assert "default/d" not in second
            for before, after in zip(first, second, strict=True):
                assert before in (after, "default/d")

        in_time(attempt)


@contextmanager
def connected(lab: Lab, kind: int, address: str = "10.43.0.1") -> Iterator[socket.socket]:
    """A socket of the client pod, connected to a Service's port 80."""
    with lab.kernel.socket(pod_namespace("default", "client"), socket.AF_INET, kind) as made:
        made.settimeout(2)
        made.connect((address, 80))
        yield made


def asked(made: socket.socket) -> str:
    """The pod that answers a datagram on it."""
    made.send(b"who?")
    return parse_answer(made.recv(2048)).pod


def asked_http(made: socket.socket) -> Answer:
    made.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    data = b""
    while (body := http_body(data)) is None:
        more = made.recv(4096)
        assert more, data
        data += more
    return parse_answer(body)


BOTH = service(
    ports=[{"name": "t", "port": 80}, {"name": "u", "port": 80, "protocol": "UDP"}],
)


@in_lab
def test_a_connection_stays_with_a_terminating_endpoint_and_new_ones_do_not(base: Base) -> None:
    with lab_of(base, of(BOTH, a=None)) as lab:
        prober = Prober(lab.kernel)
        client = Probe(pod_namespace("default", "client"), "", "10.43.0.1", 80, "TCP", 20)
        with connected(lab, socket.SOCK_STREAM) as standing:
            lab.change(of(BOTH, a=DRAINING, b=None))
            assert {one.pod for one in prober.run([client], 1.0)} == {"default/b"}
            assert asked_http(standing).pod == "default/a"
        lab.change(of(BOTH, a=DRAINING, b=UNREADY))
        assert {one.pod for one in prober.run([client], 1.0)} == {"default/a"}
        lab.change(of(BOTH, a=UNREADY, b=UNREADY))
        assert {one.verdict.value for one in prober.run([client], 1.0)} == {"rejected"}


UDP_CHANGES = [
    # The endpoint is gone and another serves: the flow goes there with its next datagram.
    ({"b": None}, "default/b"),
    # Not ready but serving: kube-proxy leaves the flow alone.
    ({"a": {"ready": False, "serving": True, "terminating": False}, "b": None}, "default/a"),
    ({"a": DRAINING, "b": None}, "default/a"),
    # It serves no more, another does.
    ({"a": UNREADY, "b": None}, "default/b"),
    # Nobody serves: the stale flow stays until it expires.
    ({"a": UNREADY}, "default/a"),
    ({}, "default/a"),
]


@pytest.mark.parametrize(("after", "answers"), UDP_CHANGES)
@in_lab
def test_a_udp_flow_after_its_endpoints_changed(
    base: Base, after: dict[str, Raw | None], answers: str
) -> None:
    """Reference kube-proxy, section 6: entries go whose endpoint does not serve any more."""
    with lab_of(base, of(BOTH, a=None)) as lab, connected(lab, socket.SOCK_DGRAM) as flow:
        assert asked(flow) == "default/a"
        lab.change(of(BOTH, **after))
        assert asked(flow) == answers


@in_lab
def test_a_udp_flow_that_was_refused_works_once_there_is_an_endpoint(base: Base) -> None:
    with lab_of(base, of(BOTH)) as lab, connected(lab, socket.SOCK_DGRAM) as flow:
        with pytest.raises(ConnectionRefusedError):
            asked(flow)
        lab.change(of(BOTH, b=None))
        assert asked(flow) == "default/b"
