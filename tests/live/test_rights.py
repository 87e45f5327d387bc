import pytest

from kubehop.live.fetch import fetch
from kubehop.live.rights import CONFIG_MAP_CONSEQUENCES, CONSEQUENCES
from kubehop.model.config import READ_CONFIG_MAPS
from kubehop.model.errors import ClusterError
from kubehop.model.kinds import KINDS
from kubehop.model.pod import Pod
from tests.live import recorded
from tests.live.api_server import Cluster, status
from tests.live.conftest import FAST, Write


def test_every_kind_that_is_read_has_a_consequence() -> None:
    assert set(CONSEQUENCES) == set(KINDS) - {"ConfigMap"}
    assert set(CONFIG_MAP_CONSEQUENCES) == {name for _, name in READ_CONFIG_MAPS}


def test_a_forbidden_kind_is_unknown_and_the_rest_is_read(cluster: Cluster, write: Write) -> None:
    cluster.faults[recorded.SLICES] = status(403)
    write(cluster)
    found = fetch(limits=FAST)
    assert found.of(Pod)
    assert found.unknown == (
        "may not list endpointslices.discovery.k8s.io (needs: get, list on endpointslices in "
        "API group discovery.k8s.io): endpoints are taken from Endpoints or, without those, "
        "derived from pods",
    )


@pytest.mark.parametrize("kind", [name for name in CONSEQUENCES if name != "Endpoints"])
def test_each_kind_may_be_forbidden(cluster: Cluster, write: Write, kind: str) -> None:
    cluster.faults[KINDS[kind].path] = status(403)
    write(cluster)
    found = fetch(limits=FAST)
    assert kind not in found.complete
    assert [line for line in found.unknown if f"on {KINDS[kind].plural} in" in line]


def test_a_forbidden_config_map_is_unknown(cluster: Cluster, write: Write) -> None:
    cluster.faults[recorded.KUBE_PROXY] = status(403)
    write(cluster)
    assert fetch(limits=FAST).unknown == (
        "may not get configmap kube-system/kube-proxy (needs: get on configmaps kube-proxy in "
        "namespace kube-system): mode, cluster CIDR and other settings of kube-proxy are assumed",
    )


def test_rights_lost_between_two_pages_leave_nothing_half_read(
    cluster: Cluster, write: Write
) -> None:
    cluster.lists[recorded.PODS] = recorded.pods(600)
    cluster.next_faults[recorded.PODS].extend([lambda h: h.serve(), status(403)])
    write(cluster)
    found = fetch(limits=FAST)
    assert found.of(Pod) == ()
    assert "Pod" not in found.complete


def test_everything_forbidden_is_an_error_with_the_servers_words(
    cluster: Cluster, write: Write
) -> None:
    cluster.faults["*"] = status(403, 'User "jane" cannot list resource "nodes"')
    write(cluster)
    with pytest.raises(ClusterError) as caught:
        fetch(limits=FAST)
    assert 'context "dev" may list nothing in all namespaces' in str(caught.value)
    assert 'User "jane" cannot list' in str(caught.value)


def test_credentials_refused(cluster: Cluster, write: Write) -> None:
    cluster.faults["*"] = status(401)
    write(cluster, {"token": "old"})
    with pytest.raises(ClusterError) as caught:
        fetch(limits=FAST)
    assert str(caught.value) == (
        f'{cluster.url}: the cluster does not accept the credentials of context "dev"'
    )
