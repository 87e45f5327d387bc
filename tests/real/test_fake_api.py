"""The test's API server, with a real client: CoreDNS notices every change, whatever happens."""

import json
import time
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from tests.real.asking import Ask
from tests.real.corefiles import COREFILES
from tests.real.fake_api import FakeApi, State, fake_api
from tests.real.network import Network, filled
from tests.real.selecting import Json, selected

NAME = "web.demo.svc.cluster.local."
NAMESPACE: Json = {"kind": "Namespace", "metadata": {"name": "demo"}}


def service(ip: str, **labels: str) -> Json:
    metadata = {"namespace": "demo", "name": "web", "labels": labels}
    spec = {"type": "ClusterIP", "clusterIP": ip, "clusterIPs": [ip], "ports": [{"port": 80}]}
    return {"kind": "Service", "metadata": metadata, "spec": spec}


@pytest.fixture
def api(network: Network) -> Iterator[FakeApi]:
    with network.api([NAMESPACE, service("10.43.0.1")]) as made:
        yield made


def _forget(api: FakeApi) -> None:
    """The watch ends, and what comes next is forgotten before the client is back."""
    api.hang_up()
    api.put(service("10.43.0.99"))
    api.expire()


@pytest.mark.parametrize(
    "trouble",
    [lambda api: None, FakeApi.hang_up, _forget],
    ids=["none", "watch ends", "410"],
)
def test_a_watching_client_sees_every_change(
    network: Network, api: FakeApi, trouble: Callable[[FakeApi], None]
) -> None:
    with network.coredns(filled(COREFILES["verified"], api)):
        api.put(service("10.43.0.2"))
        _wait_for(network, {"10.43.0.2"})
        trouble(api)
        api.put(service("10.43.0.3"))
        _wait_for(network, {"10.43.0.3"})
        api.delete("Service", "demo", "web")
        _wait_for(network, set())


def _wait_for(network: Network, addresses: set[str]) -> None:
    end = time.monotonic() + 10
    while True:
        (reply,) = network.ask(Ask(NAME, "A"))
        if {record.data for record in reply.answer} == addresses:
            return
        assert time.monotonic() < end, f"{reply}, not {addresses}"
        time.sleep(0.02)


def _get(api: FakeApi, path: str) -> Json:
    with urllib.request.urlopen(f"{api.url}{path}", timeout=5) as answer:
        read: Json = json.load(answer)
        return read


def test_lists_come_in_pages_and_by_selector() -> None:
    pods = [
        {"kind": "Pod", "metadata": {"namespace": "demo", "name": f"p{n}", "labels": {"n": str(n)}}}
        for n in range(5)
    ]
    with fake_api(pods) as api:
        first = _get(api, "/api/v1/pods?limit=3")
        rest = _get(api, f"/api/v1/pods?limit=3&continue={first['metadata']['continue']}")
        names = [pod["metadata"]["name"] for pod in (*first["items"], *rest["items"])]
        assert names == [f"p{n}" for n in range(5)]
        assert "continue" not in rest["metadata"]
        assert len(_get(api, "/api/v1/pods?labelSelector=n%21%3D3")["items"]) == 4


def test_a_watch_can_begin_with_what_there_is() -> None:
    with fake_api([NAMESPACE, service("10.43.0.1")]) as api:
        path = "/api/v1/services?watch=1&sendInitialEvents=true"
        with urllib.request.urlopen(f"{api.url}{path}", timeout=5) as events:
            assert json.loads(events.readline())["type"] == "ADDED"
            bookmark = json.loads(events.readline())
            annotations = bookmark["object"]["metadata"]["annotations"]
            assert annotations == {"k8s.io/initial-events-end": "true"}
            api.put(service("10.43.0.2"))
            assert json.loads(events.readline())["type"] == "MODIFIED"


def test_a_change_of_labels_is_news_for_a_selector() -> None:
    with fake_api([service("10.43.0.1", tier="a")]) as api:
        path = "/api/v1/services?watch=1&resourceVersion=1&labelSelector=tier%3Da"
        with urllib.request.urlopen(f"{api.url}{path}", timeout=5) as events:
            assert json.loads(events.readline())["type"] == "ADDED"
            api.put(service("10.43.0.1", tier="b"))
            assert json.loads(events.readline())["type"] == "DELETED"


def test_a_watch_from_a_forgotten_version_is_told_so() -> None:
    with fake_api([service("10.43.0.1")]) as api:
        api.expire()
        path = "/api/v1/services?watch=1&resourceVersion=1"
        with urllib.request.urlopen(f"{api.url}{path}", timeout=5) as events:
            (event,) = map(json.loads, events)
        assert event["type"] == "ERROR"
        assert event["object"]["code"] == 410


@pytest.mark.parametrize(
    ("state", "refused"),
    [
        (State.OK, []),
        (State.NO_SLICES, ["EndpointSlice"]),
        (State.FORBIDDEN, ["EndpointSlice", "Pod", "Service"]),
    ],
)
def test_states(state: State, refused: list[str]) -> None:
    kinds = ("EndpointSlice", "Pod", "Service")
    assert [kind for kind in kinds if state.forbids(kind)] == refused


@pytest.mark.parametrize(
    ("labels", "matches"),
    [
        ("", True),
        ("a=1", True),
        ("a==1,b", True),
        ("a!=1", False),
        ("c!=1", True),
        ("!a", False),
        ("!c", True),
        ("a in (1,2)", True),
        ("a notin (1, 2)", False),
        ("c notin (1)", True),
        ("b in (1),a", False),
    ],
)
def test_label_selectors(labels: str, matches: bool) -> None:
    obj: Json = {"metadata": {"labels": {"a": "1", "b": "2"}}}
    assert selected(labels, "")(obj) is matches


def test_field_selectors() -> None:
    match = selected("", "status.phase!=Succeeded,status.phase!=Failed")
    assert match({"metadata": {}, "status": {"phase": "Running"}})
    assert not match({"metadata": {}, "status": {"phase": "Failed"}})
    assert match({"metadata": {}})
