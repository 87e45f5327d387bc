"""The real CoreDNS beside ours: same objects, same Corefile, same questions, same answers."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from kubehop.dns.chain import Serving
from kubehop.model.changes import between
from tests.real.asking import Ask, difference, joined, said
from tests.real.corefiles import COREFILES, mixed
from tests.real.fake_api import FakeApi, State
from tests.real.generated import NAMESPACES, OWN_ADDRESS, fixture, generated
from tests.real.network import POD_ADDRESSES, Network, filled
from tests.real.ours import answered, cluster_of, serving
from tests.real.questions import questions
from tests.real.selecting import Json

QUESTIONS = 150
OWN = (OWN_ADDRESS,)
LOCAL = "cluster.local."
CLUSTERS = {seed: generated(seed) for seed in range(6)}


def differences(network: Network, ours: Serving, asks: Iterable[Ask], slack: int = 0) -> list[str]:
    """A line for every question that the two answer differently."""
    return [found for ask in asks if (found := _difference(network, ours, ask, slack))]


def _difference(network: Network, ours: Serving, ask: Ask, slack: int) -> str:
    replies = network.ask(ask)
    if replies and replies[0].truncated:
        # What is cut away is a matter of the wire, compared elsewhere.
        ask = replace(ask, transport="tcp")
        replies = network.ask(ask)
    mine = said(answered(ours, ask, time.monotonic()))
    found = difference(said(joined(replies)), mine, slack) if replies else "no reply"
    return found and f"{ask.name} {ask.type} {ask.transport} from {ask.client or '-'}: {found}"


@pytest.mark.parametrize("name", COREFILES)
def test_same_answers_with_every_corefile(network: Network, name: str) -> None:
    seed = [*COREFILES].index(name)
    objects = CLUSTERS.get(seed % 7) or fixture()
    zone = "cluster.home." if name == "other_zone" else LOCAL
    with network.api(objects) as api:
        corefile = filled(COREFILES[name], api)
        # A cached TTL may go down between asking one and asking the other.
        slack = 1 if "cache" in corefile else 0
        with network.coredns(corefile):
            asks = questions(objects, zone, seed, QUESTIONS)
            assert differences(network, serving(objects, corefile, OWN), asks, slack) == []


@pytest.mark.parametrize("seed", range(100, 112))
def test_same_answers_with_mixed_options(network: Network, seed: int) -> None:
    objects = CLUSTERS[seed % len(CLUSTERS)]
    with network.api(objects) as api:
        corefile = filled(mixed(seed), api)
        with network.coredns(corefile):
            asks = questions(objects, LOCAL, seed, QUESTIONS)
            assert differences(network, serving(objects, corefile, OWN), asks) == []


@pytest.mark.parametrize("state", [State.FORBIDDEN, State.NO_SLICES])
def test_same_answers_when_the_api_refuses(network: Network, state: State) -> None:
    objects = CLUSTERS[0]
    options = ("endpoint {api}", "endpoint {api}\n        startup_timeout 500ms")
    with network.api(objects, state) as api:
        corefile = filled(COREFILES["kubeadm"].replace(*options), api)
        with network.coredns(corefile):
            asks = questions(objects, LOCAL, 1, QUESTIONS)
            ours = serving(objects, corefile, OWN, state)
            assert differences(network, ours, asks, slack=1) == []


def _pods_that_ask() -> Iterator[Json]:
    """Pods that questions can come from: some not yet there, not any more, or with two families."""
    for index, address in enumerate(POD_ADDRESSES[:-1]):
        metadata = {"name": f"client-{index}", "namespace": NAMESPACES[index % 4]}
        phase = ("Running", "Pending", "Failed")[index % 3]
        ips = ["fd00::1", address] if index % 5 == 4 else [address, "fd00::1"]
        status = {"phase": phase, "podIP": ips[0], "podIPs": [{"ip": ip} for ip in ips]}
        yield {"kind": "Pod", "metadata": metadata, "status": status}


AUTOPATH = COREFILES["verified"].replace("    errors\n", "    errors\n    autopath @kubernetes\n")


def test_same_answers_with_autopath(network: Network) -> None:
    """What a pod's search list makes of names, asked from pods' addresses and from others."""
    objects = [*CLUSTERS[1], *_pods_that_ask()]
    resolv_conf = "search node.example.net example.org\nnameserver 127.0.0.1\n"
    network.inside.write("resolv.conf", resolv_conf)
    names = ("web", "db.demo", "kube-dns.kube-system.svc", "example.com", "www", "nosuch", "a.svc")
    with network.api(objects) as api:
        corefile = filled(AUTOPATH, api)
        ours = serving(objects, corefile, OWN, resolv_conf=resolv_conf)
        with network.coredns(corefile):
            asks = [
                Ask(f"{name}.{suffix}.svc.{LOCAL}", kind, payload=4096, client=client)
                for client in (*POD_ADDRESSES, OWN_ADDRESS)
                for name in names
                for suffix in ("default", "demo", "svc")
                for kind in ("A", "AAAA")
            ]
            assert differences(network, ours, asks) == []


# Changes


def test_same_answers_after_changes(network: Network) -> None:
    """Clusters turn into one another, while CoreDNS watches and ours takes in the difference."""
    before = CLUSTERS[2]
    with network.api(before) as api:
        corefile = filled(COREFILES["verified"], api)
        ours = serving(before, corefile, OWN)
        with network.coredns(corefile):
            for seed in (3, 4, 5):
                after = CLUSTERS[seed]
                change(api, before, after, str(seed))
                wait_for(network, str(seed))
                ours.apply(between(cluster_of(before), cluster_of(after)))
                asks = questions(after, LOCAL, seed, QUESTIONS) + questions(before, LOCAL, 9, 50)
                assert differences(network, ours, asks) == []
                before = after


def change(api: FakeApi, before: list[Json], after: list[Json], mark: str) -> None:
    """Make one cluster of the other; `mark` makes names that `wait_for` asks for."""

    def key(obj: Json) -> tuple[str, str, str]:
        return obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"]

    had, has = {key(obj): obj for obj in before}, {key(obj): obj for obj in after}
    for gone in had.keys() - has.keys():
        api.delete(*gone)
    api.put(*(obj for name, obj in has.items() if had.get(name) != obj), *_marks(mark))


def _marks(mark: str) -> Iterator[Json]:
    """One object of each kind that is watched: when all are seen, so is all before them."""
    metadata = {"namespace": f"mark-{mark}", "name": "mark"}
    yield {"kind": "Namespace", "metadata": {"name": f"mark-{mark}"}}
    spec = {"clusterIP": "None", "clusterIPs": ["None"], "ports": []}
    yield {"kind": "Service", "metadata": metadata, "spec": spec}
    labels = {"kubernetes.io/service-name": "mark"}
    endpoints = [{"addresses": ["192.0.2.1"]}]
    found: Json = {"metadata": metadata | {"labels": labels}, "addressType": "IPv4", "ports": []}
    yield {"kind": "EndpointSlice", **found, "endpoints": endpoints}
    yield {"kind": "Pod", "metadata": metadata, "status": {"podIP": "192.0.2.1"}}


def wait_for(network: Network, mark: str) -> None:
    """Until CoreDNS has seen the change with this mark."""
    end = time.monotonic() + 10
    for name in (f"mark.mark-{mark}.svc.{LOCAL}", f"192-0-2-1.mark-{mark}.pod.{LOCAL}"):
        while not network.ask(Ask(name, "A"))[0].answer:
            assert time.monotonic() < end, f"CoreDNS does not see {name}"
            time.sleep(0.01)


def test_the_questions_are_about_all_that_there_is() -> None:
    """Whoever makes clusters smaller or questions fewer should see what that costs."""
    kinds = {obj["kind"] for obj in CLUSTERS[0]}
    assert kinds == {"Namespace", "Service", "EndpointSlice", "Pod"}
    assert {obj["metadata"].get("namespace") for obj in CLUSTERS[0]} > set(NAMESPACES)
    assert len(COREFILES) * QUESTIONS > 3000 - QUESTIONS
