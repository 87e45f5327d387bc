import json
import threading
import time
from dataclasses import replace

import pytest

from kubehop.model.service import Service
from tests.live import recorded
from tests.live.api_server import Cluster, status
from tests.live.conftest import Write
from tests.live.following import QUICK, following
from tests.live.watched import CONFIG_MAPS, NAMESPACES, Api, watched_api


@pytest.fixture
def api(cluster: Cluster, write: Write) -> Api:
    write(cluster)
    return watched_api(cluster)


def test_all_is_there_at_the_start(api: Api) -> None:
    with following() as told:
        assert told.names() == {"web", "db", "default"}
        assert told.synced == {"services", "endpointslices", "namespaces"}
        assert told.corefile == ".:53 {\n}\n"
        assert told.lines == []


def test_a_watch_asks_for_what_a_reflector_asks_for(api: Api, cluster: Cluster) -> None:
    with following():
        deadline = time.monotonic() + 2
        while len(cluster.asked(recorded.SERVICES)) < 2 and time.monotonic() < deadline:
            time.sleep(0.005)
    listed, watched = cluster.asked(recorded.SERVICES)[:2]
    assert listed.query == {"limit": "500"}
    assert watched.query == {
        "watch": "1",
        "resourceVersion": "3",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": "5",
    }
    asked = cluster.asked(CONFIG_MAPS)
    assert {request.query["fieldSelector"] for request in asked} == {"metadata.name=coredns"}


def test_events_of_every_type(api: Api) -> None:
    with following() as told:
        api.services.put("new", spec={"clusterIP": "10.43.0.9"})
        told.wait(lambda: "new" in told.names())
        api.services.put("new", spec={"clusterIP": "10.43.0.10"})
        key = ("Service", "default", "new")
        told.wait(lambda: "10.43.0.10" in str(told.objects[key]))
        api.services.delete("new")
        told.wait(lambda: "new" not in told.names())
        api.slices.put("web-1", addressType="IPv4", endpoints=[{"addresses": ["10.42.0.7"]}])
        api.namespaces.put("shop", namespace="")
        told.wait(lambda: {"web-1", "shop"} <= told.names())
        assert told.gone() == {"new"}
        assert told.lines == []


def test_what_does_not_matter_is_not_told(api: Api) -> None:
    with following() as told:
        api.services.put("web", spec={"clusterIP": "10.43.0.0"}, metadata={"generation": 7})
        api.services.put("new")
        told.wait(lambda: "new" in told.names())
        assert [obj.name for change in told.changes[1:] for obj in change.put] == ["new"]


def test_a_burst_is_told_at_once(api: Api) -> None:
    with following(watch=replace(QUICK, join_seconds=0.5, queue=50)) as told:
        for number in range(20):
            api.services.put(f"new-{number}")
        told.wait(lambda: len(told.names()) == 23)
        assert len(told.changes) < 10


def test_the_corefile_is_followed(api: Api) -> None:
    with following() as told:
        api.config_maps.put("coredns", "kube-system", data={"Corefile": "two"})
        told.wait(lambda: told.corefile == "two")
        api.config_maps.delete("coredns", "kube-system")
        told.wait(lambda: told.corefile is None)


def test_there_may_be_no_corefile(api: Api) -> None:
    api.config_maps.delete("coredns", "kube-system")
    with following() as told:
        assert told.corefile is None
        assert told.lines == []


def test_pods_are_followed_only_if_the_corefile_needs_them(api: Api, cluster: Cluster) -> None:
    api.pods.put("web-1", status={"podIP": "10.42.0.7"})
    with following(pods=lambda corefile: "verified" in (corefile or "")) as told:
        assert not cluster.asked(recorded.PODS)
        api.config_maps.put("coredns", "kube-system", data={"Corefile": "pods verified"})
        told.wait(lambda: "pods" in told.synced)
        assert "web-1" in told.names()
        api.pods.delete("web-1")
        told.wait(lambda: "web-1" not in told.names())


def test_pods_are_there_at_the_start_if_they_are_needed(api: Api) -> None:
    api.pods.put("web-1", status={"podIP": "10.42.0.7"})
    with following(pods=lambda corefile: True) as told:
        assert "pods" in told.synced
        assert "web-1" in told.names()


def test_a_list_in_pages(api: Api) -> None:
    for number in range(1_200):
        api.services.put(f"web-{number}")
    with following() as told:
        assert len(told.names()) == 1_203


def test_a_slow_list_is_not_waited_for(api: Api, cluster: Cluster) -> None:
    ready = threading.Event()

    def slow(handler: object) -> None:
        ready.wait(5)
        api.slices.list(handler)  # type: ignore[arg-type]

    api.slices.next_lists.append(slow)
    with following(start=0.1) as told:
        assert told.synced == {"services", "namespaces"}
        assert "web" in told.names()
        ready.set()
        told.wait(lambda: "endpointslices" in told.synced)


def test_an_object_that_cannot_be_read_stays_as_it_was(api: Api) -> None:
    with following() as told:
        before = told.objects["Service", "default", "web"]
        api.services.put("web", spec={"clusterIP": 7})
        api.services.put("new")
        told.wait(lambda: "new" in told.names())
        assert told.objects["Service", "default", "web"] == before
        assert len(told.lines) == 1
        assert "Service default/web" in told.lines[0]
        assert "spec.clusterIP" in told.lines[0]
        api.services.forget()
        api.services.hang_up()
        api.services.put("newer")
        told.wait(lambda: "newer" in told.names())
        assert "web" not in told.gone()
        api.services.put("web", spec={"clusterIP": "10.43.0.77"})
        told.wait(lambda: told.objects["Service", "default", "web"] != before)
        told.wait(lambda: told.lines[-1].startswith("over: "))


def test_an_unreadable_object_does_not_keep_the_others_away(api: Api) -> None:
    api.services.put("odd", spec={"clusterIP": 7})
    with following() as told:
        assert told.names() == {"web", "db", "default"}
        assert "services" in told.synced
        assert "Service default/odd" in told.lines[0]
        api.services.delete("odd")
        told.wait(lambda: told.lines[-1].startswith("over: "))


@pytest.mark.parametrize("clean", [True, False])
def test_nothing_is_left_open(api: Api, cluster: Cluster, clean: bool) -> None:
    with following():
        if not clean:
            cluster.close.set()  # all streams end: the source is asking again when it is stopped
    assert not [each for each in threading.enumerate() if each.name == "kubehop-follow"]


def test_the_whole_object_arrives(api: Api) -> None:
    spec = {"clusterIP": "None", "ports": [{"name": "http", "port": 80}], "selector": {"a": "b"}}
    with following() as told:
        api.services.put("new", spec=spec)
        told.wait(lambda: "new" in told.names())
        found = told.objects["Service", "default", "new"]
        assert isinstance(found, Service)
        assert found.headless
        assert found.ports[0].name == "http"


def test_config_maps_of_others_are_not_read(api: Api) -> None:
    with following() as told:
        api.config_maps.put("secret", "kube-system", data={"Corefile": "not this"})
        api.config_maps.put("coredns", "kube-system", data={"Corefile": "this"})
        told.wait(lambda: told.corefile == "this")
        assert told.lines == []


def test_impersonation_goes_with_every_request(api: Api, cluster: Cluster, write: Write) -> None:
    write(cluster, {"token": "t0ken\n", "as": "jane", "as-groups": ["dev", "ops"]})
    with following() as told:
        api.services.put("new")
        told.wait(lambda: "new" in told.names())
    for request in cluster.requests:
        assert request.headers["Authorization"] == "Bearer t0ken"
        assert request.headers["Impersonate-User"] == "jane"
        assert request.headers.get_all("Impersonate-Group") == ["dev", "ops"]


def test_only_get_is_sent(api: Api, cluster: Cluster) -> None:
    api.services.next_watches.append(status(500))
    with following() as told:
        api.services.put("new")
        told.wait(lambda: "new" in told.names())
    assert {request.method for request in cluster.requests} == {"GET"}
    assert json.dumps(sorted({request.path for request in cluster.requests})) == json.dumps(
        sorted([recorded.SERVICES, recorded.SLICES, NAMESPACES, CONFIG_MAPS])
    )
