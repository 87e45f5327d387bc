"""The load balancer's health checks: whom it asks, what it tells, and when."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import msgspec

from kubehop.lab.kernel import Base, Kernel
from kubehop.lab.plan.values import FABRIC, Listener, Make, Nft, Role, Route, RouteKind
from kubehop.lab.servers import HealthProber, Servers, checks, prober
from kubehop.lab.servers.checks import Target, targets
from kubehop.model.cluster import Cluster
from kubehop.model.node import EXCLUDE_LB_LABEL
from kubehop.model.service import Service
from tests.clusters import VIP, balanced, behind, cluster, endpoint, node, service
from tests.lab.inside import as_everyone, in_lab
from tests.lab.servers.talking import sandboxes

Healthy = Mapping[tuple[str, str], frozenset[str]]
LOCAL = balanced(externalTrafficPolicy="Local")
OPEN = service("open", type="LoadBalancer", lb=VIP, clusterIP="10.43.0.2")
WEB, SHOP = ("default", "web"), ("default", "open")
ALL = frozenset(("n0", "n1", "n2"))


class News:
    """What was told, with the seconds since the start."""

    def __init__(self) -> None:
        self.told: list[tuple[float, Healthy]] = []
        self._start = time.monotonic()
        self._came = threading.Condition()

    def tell(self, healthy: Healthy) -> None:
        with self._came:
            self.told.append((time.monotonic() - self._start, dict(healthy)))
            self._came.notify()

    def wait(self, wanted: Healthy, seconds: float = 5) -> bool:
        """Whether that is the last that was told, soon."""
        with self._came:
            return self._came.wait_for(
                lambda: bool(self.told) and self.told[-1][1] == wanted, seconds
            )


def health(index: int, endpoints: int) -> Listener:
    """A health check node port, at the address of a node."""
    return Listener(
        FABRIC,
        "TCP",
        f"192.168.0.1{index}",
        32000,
        Role.HEALTH,
        node=f"n{index}",
        service="default/web",
        endpoints=endpoints,
    )


def proxy(index: int) -> Listener:
    return Listener(FABRIC, "TCP", f"192.168.0.1{index}", 10256, Role.PROXY_HEALTH)


@contextmanager
def balancer(
    base: Base, *listeners: Listener
) -> Iterator[tuple[Kernel, Servers, HealthProber, News]]:
    """A fabric that has the nodes' addresses itself, and nothing but these on them."""
    nodes = Route(FABRIC, "192.168.0.0/24", "lo", kind=RouteKind.LOCAL, table=255)
    with sandboxes(base, [FABRIC], nodes) as kernel:
        servers, news = Servers(kernel.inside), News()
        checking = HealthProber(kernel.inside, news.tell)
        servers.start()
        servers.apply((), listeners)
        try:
            yield kernel, servers, checking, news
        finally:
            checking.stop()
            servers.stop()


@as_everyone
@in_lab
def test_the_first_answers_come_at_once(base: Base, uid: int | None) -> None:
    listeners = (health(0, 0), health(1, 2), proxy(0), proxy(1), proxy(2))
    with balancer(base, *listeners) as (_, _, checking, news):
        checking.apply(cluster(LOCAL, OPEN))
        checking.start()
        assert news.wait({WEB: frozenset({"n1"}), SHOP: ALL})
        assert len(news.told) == 1
        assert news.told[0][0] < checks.TIMEOUT


@in_lab
def test_what_changes_is_told(base: Base) -> None:
    one, none = health(0, 1), health(0, 0)
    with balancer(base, one) as (_, servers, checking, news):
        checking.start()
        checking.apply(cluster(LOCAL))
        assert news.wait({WEB: frozenset({"n0"})})
        servers.apply([one], [none])
        assert news.wait({WEB: frozenset()}), "by itself, within an interval or two"
        servers.apply([none], [one])
        checking.apply(cluster(LOCAL))
        assert news.wait({WEB: frozenset({"n0"})}, 1), "at once when the cluster is applied"
        servers.apply([one], ())
        checking.apply(cluster(LOCAL))
        assert news.wait({WEB: frozenset()}, 1), "nobody listens"
        checking.apply(cluster())
        assert news.wait({}, 1)
        assert len(news.told) == 5, "only what changed"


@in_lab
def test_a_node_that_does_not_answer_holds_up_nobody(base: Base) -> None:
    with balancer(base, health(0, 1)) as (kernel, _, checking, news):
        hole = Route(FABRIC, "192.168.0.11/32", kind=RouteKind.BLACKHOLE, table=255)
        rule = "table inet t {\nchain c {\ntype filter hook input priority 0;\n"
        rule += "ip daddr 192.168.0.12 drop\n}\n}\n"
        kernel.apply([Make(hole), Nft(FABRIC, rule)])
        checking.start()
        checking.apply(cluster(LOCAL))
        assert news.wait({WEB: frozenset({"n0"})})
        assert news.told[0][0] < checks.TIMEOUT
        time.sleep(checks.TIMEOUT + 0.2)
        assert len(news.told) == 1


@in_lab
def test_one_check_without_an_answer_is_no_verdict(base: Base) -> None:
    ruleset = "table inet t {\nchain c {\ntype filter hook input priority 0;\n%s\n}\n}\n"
    drop = ruleset % "ip daddr 192.168.0.10 tcp dport 32000 drop"
    with balancer(base, health(0, 1)) as (kernel, _, checking, news):
        checking.start()
        checking.apply(cluster(LOCAL))
        assert news.wait({WEB: frozenset({"n0"})})
        kernel.apply([Nft(FABRIC, drop)])
        checking.apply(cluster(LOCAL))
        time.sleep(checks.TIMEOUT * 0.6)
        kernel.apply([Nft(FABRIC, "delete table inet t\n")])
        time.sleep(checks.TIMEOUT)
        assert len(news.told) == 1, "it was asked again"
        kernel.apply([Nft(FABRIC, drop)])
        assert news.wait({WEB: frozenset()}, 8)


@in_lab
def test_while_news_are_taken_in_checks_go_on(base: Base) -> None:
    with balancer(base, health(0, 1)) as (kernel, servers, _, news):
        begun, go_on = threading.Event(), threading.Event()

        def slow(healthy: Healthy) -> None:
            begun.set()
            assert go_on.wait(10)
            news.tell(healthy)

        checking = HealthProber(kernel.inside, slow)
        checking.start()
        checking.apply(cluster(LOCAL))
        assert begun.wait(5)
        for endpoints in (0, 1, 0):
            servers.apply([health(0, 1 - endpoints)], [health(0, endpoints)])
            checking.apply(cluster(LOCAL))
            time.sleep(0.1)
        go_on.set()
        assert news.wait({WEB: frozenset()})
        assert [told for _, told in news.told] == [{WEB: frozenset({"n0"})}, {WEB: frozenset()}]
        checking.stop()


def test_who_is_asked() -> None:
    found = cluster(
        LOCAL,
        OPEN,
        service("inner", clusterIP="10.43.0.3"),
        node(0),
        node(1, v6=True),
        node(2, ready=False),
        node(3, labels={EXCLUDE_LB_LABEL: ""}),
    )
    own = {f"n{n}": Target(f"192.168.0.1{n}", 32000, "/") for n in (0, 1)}
    common = {f"n{n}": Target(f"192.168.0.1{n}", 10256, "/healthz") for n in (0, 1)}
    assert targets(found) == {WEB: own, SHOP: common}


def many(count: int) -> Cluster:
    """Services with a health check node port each, on three nodes."""
    services = [named(LOCAL, f"web-{n}", 20000 + n) for n in range(count)]
    return cluster(*services)


def named(service: Service, name: str, port: int) -> Service:
    return msgspec.structs.replace(
        service,
        metadata=msgspec.structs.replace(service.metadata, name=name),
        spec=msgspec.structs.replace(service.spec, health_check_node_port=port),
    )


@in_lab
def test_many_targets_are_spread_and_what_changed_comes_first(base: Base) -> None:
    count = prober.AT_ONCE // 3 + 100
    found = many(count)
    listeners = [
        Listener(FABRIC, "TCP", "192.168.0.10", 20000 + n, Role.HEALTH, endpoints=1)
        for n in range(count)
    ]
    with balancer(base, *listeners) as (_, servers, checking, news):
        checking.start()
        checking.apply(found)
        everywhere = {("default", f"web-{n}"): frozenset({"n0"}) for n in range(count)}
        assert news.wait(everywhere, 20)
        first = len(news.told)  # 1, unless the machine was slow to answer
        servers.apply(listeners[:2], ())
        # One of them has other endpoints; the other one will be found in its time.
        last = found.services[0]
        assert last.name == "web-0"
        changed = replace(found, slices=behind(last, endpoint("10.42.1.7", "n1")))
        before = time.monotonic()
        checking.apply(changed)
        expected = everywhere | {("default", "web-0"): frozenset()}
        while news.told[-1][1] != expected and time.monotonic() < before + 1:
            time.sleep(0.005)
        assert news.told[first][1][("default", "web-0")] == frozenset()
        expected |= {("default", "web-1"): frozenset()}
        assert news.wait(expected, 10)
