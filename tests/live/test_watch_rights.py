import time
from dataclasses import replace
from pathlib import Path

import pytest

from kubehop.live import rights
from kubehop.live.resources import COREFILE, NAMES, PODS
from kubehop.live.watch import follow_cluster
from kubehop.model.errors import ClusterError
from tests.live import recorded
from tests.live.api_server import Cluster, Fault, Handler, status
from tests.live.conftest import Write
from tests.live.following import QUICK, following
from tests.live.watched import Api, end, expired, watched_api

SERVICES_FORBIDDEN = (
    "may not list services (needs: list, watch on services in the core API group): every name "
    "of the cluster is answered SERVFAIL"
)


@pytest.fixture
def api(cluster: Cluster, write: Write) -> Api:
    write(cluster)
    return watched_api(cluster)


def test_a_kind_that_may_not_be_listed_is_named_and_not_synced(api: Api) -> None:
    api.services.next_lists.extend([status(403)] * 3)
    with following() as told:
        assert told.lines == [SERVICES_FORBIDDEN]
        assert told.synced == {"endpointslices", "namespaces"}
        told.wait(lambda: "services" in told.synced)
        told.wait(lambda: told.lines == [SERVICES_FORBIDDEN, f"over: {SERVICES_FORBIDDEN}"])
        assert "web" in told.names()


def test_rights_that_are_lost_take_no_answers_away(api: Api) -> None:
    services = api.services
    services.next_watches.append(lambda handler: services.watch_until(handler, 1, expired_end))
    services.next_lists.append(services.list)
    services.next_lists.extend([status(403)] * 3)
    with following() as told:
        services.put("new")
        told.wait(lambda: len(told.lines) == 2)
        assert told.lines[0].endswith("what is known of it stays as it is")
        assert told.names() == {"web", "db", "new", "default"}
        assert told.gone() == set()
        assert "services" in told.synced


def expired_end(handler: Handler) -> None:
    expired(handler)
    end(handler)


def test_a_kind_that_may_only_be_listed_is_listed_now_and_then(api: Api) -> None:
    api.services.next_watches.extend([status(403)] * 1_000)
    with following() as told:
        told.wait(lambda: bool(told.lines))
        api.services.put("new")
        told.wait(lambda: "new" in told.names())
        api.services.delete("web")
        told.wait(lambda: "web" not in told.names())
    assert told.lines == [
        "may not watch services (needs: list, watch on services in the core API group): "
        "read every 0.02 s instead"
    ]


def test_a_corefile_that_may_only_be_got_is_got_now_and_then(api: Api, cluster: Cluster) -> None:
    api.config_maps.next_lists.extend([status(403)] * 1_000)
    with following() as told:
        assert told.corefile == ".:53 { kubernetes cluster.local }"
        cluster.objects[recorded.COREDNS]["data"]["Corefile"] = "other"
        told.wait(lambda: told.corefile == "other")
        del cluster.objects[recorded.COREDNS]
        told.wait(lambda: told.corefile is None)


def test_a_corefile_that_may_not_be_read(api: Api, cluster: Cluster) -> None:
    api.config_maps.next_lists.extend([status(403)] * 1_000)
    cluster.faults[recorded.COREDNS] = status(403)
    with following(pods=lambda corefile: corefile is None) as told:
        assert told.corefile is None
        assert told.lines == [
            "may not list configmaps (needs: list, watch on configmaps coredns in namespace "
            "kube-system): the Corefile of the cluster is not known"
        ]
        assert "pods" in told.synced


def test_everything_that_is_followed_has_a_consequence() -> None:
    followed = {resource.kind.name for resource in (*NAMES, PODS, COREFILE)}
    assert followed == set(rights.DNS_CONSEQUENCES)


# Credentials


def test_credentials_that_ran_out_are_read_again(
    api: Api, cluster: Cluster, write: Write, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("old\n")
    write(cluster, {"tokenFile": str(token)})
    valid = "old"

    def guarded(truth: Fault) -> Fault:
        def serve(handler: Handler) -> None:
            sent = handler.request_seen.headers["Authorization"]
            truth(handler) if sent == f"Bearer {valid}" else status(401)(handler)

        return serve

    for path, truth in list(cluster.faults.items()):
        cluster.faults[path] = guarded(truth)
    with following(watch=replace(QUICK, short_seconds=0)) as told:
        valid = "new"
        token.write_text("new\n")
        for watched in api:
            watched.hang_up()
        api.services.put("new")
        told.wait(lambda: "new" in told.names())
        assert told.lines == []


def test_credentials_that_stay_wrong_are_named_once(api: Api, cluster: Cluster) -> None:
    cluster.faults = dict.fromkeys(cluster.faults, status(401))
    with following(start=0.1) as told:
        assert told.synced == frozenset()
        told.wait(lambda: bool(told.lines))
        time.sleep(0.05)
    line = f'{cluster.url}: the cluster does not accept the credentials of context "dev"'
    assert told.lines == [line]


def test_a_kubeconfig_that_cannot_be_used_is_an_error() -> None:
    with pytest.raises(ClusterError, match="no kubeconfig found"):
        follow_cluster(print, pods=bool)
