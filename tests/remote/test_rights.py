import pytest

from kubehop.remote.requests import Remote
from kubehop.remote.rights import MissingRightsError, Need, missing, named, require
from tests.remote import api

GET = Need("get", "pods", "shop")
CREATE = Need("create", "pods/exec", "shop")
JOBS = Need("create", "jobs", "shop", "batch")
NODES = Need("list", "nodes")


def test_what_is_missing_is_what_the_server_says(cluster: api.Remote, remote: Remote) -> None:
    cluster.rights = {("get", "pods", "shop"), ("create", "jobs.batch", "shop")}
    assert missing(remote, (GET, CREATE, JOBS, NODES)) == (CREATE, NODES)
    assert {request.method for request in cluster.requests} == {"POST"}


def test_the_rule_that_would_give_them(cluster: api.Remote, remote: Remote) -> None:
    cluster.rights = set()
    also = Need("get", "pods/exec", "shop")
    with pytest.raises(MissingRightsError) as caught:
        require(remote, "look", (CREATE, also, JOBS, NODES))
    assert str(caught.value) == (
        "may not look: needs Role in namespace shop: "
        '{apiGroups: [""], resources: ["pods/exec"], verbs: ["create", "get"]}, '
        '{apiGroups: ["batch"], resources: ["jobs"], verbs: ["create"]}; '
        'ClusterRole: {apiGroups: [""], resources: ["nodes"], verbs: ["list"]}'
    )


def test_a_server_without_reviews_refuses_by_itself(cluster: api.Remote, remote: Remote) -> None:
    cluster.review = False
    assert missing(remote, (GET,)) == ()


def test_a_need_in_words() -> None:
    assert str(JOBS) == "create on jobs.batch in namespace shop"
    assert str(NODES) == "list on nodes in the cluster"
    assert named((GET,)).startswith("needs Role in namespace shop: ")
