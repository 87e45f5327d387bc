"""Names of a kubelet's docker containers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.sandbox.docker.names import KubeName, kube_name, own_names

LABELS = st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,20}[a-z0-9])?", fullmatch=True)
UIDS = st.uuids().map(str) | st.from_regex(r"[0-9a-f]{32}", fullmatch=True)
NAMES = st.builds(
    KubeName, LABELS | st.just("POD"), LABELS, LABELS, UIDS, st.integers(0, (1 << 32) - 1)
)


def written(name: KubeName, *random: str) -> str:
    parts = ("k8s", name.container, name.pod, name.namespace, name.uid, str(name.attempt), *random)
    return "_".join(parts)


@given(NAMES, st.sampled_from(["", "/"]), st.lists(LABELS, max_size=1))
def test_what_a_kubelet_writes_is_read(name: KubeName, slash: str, random: list[str]) -> None:
    assert kube_name(slash + written(name, *random)) == name


@given(st.text() | st.lists(st.text("k8s_POD0123/ \x1b²٣"), max_size=9).map("_".join))
def test_any_other_name_is_none_or_is_its_parts(text: str) -> None:
    found = kube_name(text)
    if found:
        assert f"_{found.pod}_{found.namespace}_{found.uid}_" in text
        assert all((found.container, found.pod, found.namespace, found.uid))


@pytest.mark.parametrize(
    "name",
    [
        "k8s_POD_web_default_uid",
        "k8s_POD_web_default_uid_0_1_2",
        "k8s_POD_web_default_uid_-1",
        "k8s_POD_web_default_uid_4294967296",
        "k8s_POD_web_default_uid_٣",
        "k8s_POD__default_uid_0",
        "k9s_POD_web_default_uid_0",
        "my_k8s_POD_web_default_uid",
        "",
    ],
)
def test_no_kubelets(name: str) -> None:
    assert kube_name(name) is None


def test_the_sandbox_is_pod() -> None:
    found = kube_name("/k8s_POD_coredns-5d78c9869d-2xk7q_kube-system_0b1e_3")
    assert found == KubeName("POD", "coredns-5d78c9869d-2xk7q", "kube-system", "0b1e", 3)
    assert found.is_sandbox


def test_names_by_links_are_not_its_own() -> None:
    assert own_names(("/linked/db", "/postgres", "/")) == ("postgres",)
