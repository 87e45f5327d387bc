"""Names by the kubelet's log files: what counts, and what somebody else may have put there."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.sandbox.proc.bundles import container_of, named
from kubehop.sandbox.proc.logs import Named, NamedContainer, containers_of, pods_of, read_names
from tests.sandbox.proc.tree import Tree

UID, HASH, ID = "8c2d1f0e-1b2a-4c3d-9e8f-001122334455", "0123456789abcdef" * 2, "a" * 64
WEB = Named("shop", "web-0", UID)


def target(pod: str = "shop_web-0", container: str = "app", attempt: str = "3") -> str:
    return f"/var/log/pods/{pod}_{UID}/{container}/{attempt}.log"


def test_folders_name_pods() -> None:
    assert pods_of([f"shop_web-0_{UID}", f"kube-system_etcd-n.example_{HASH}"]) == {
        UID: WEB,
        HASH: Named("kube-system", "etcd-n.example", HASH),
    }


@pytest.mark.parametrize(
    "folder",
    [f"shop_web-0_{UID}x", f"shop_{UID}", f"_web_{UID}", "lost+found", f"shop_\x1b[31m_{UID}",
     f"Shop_web_{UID}", f"shop_web_{UID}\n"],
)  # fmt: skip
def test_what_is_no_folder_of_a_pod_names_none(folder: str) -> None:
    assert pods_of([folder]) == {}


def test_one_uid_of_two_pods_is_nobody_s() -> None:
    assert pods_of([f"shop_web-0_{UID}", f"evil_other_{UID}", f"shop_web-1_{HASH}"]) == {
        HASH: Named("shop", "web-1", HASH)
    }


def test_links_name_containers_and_their_pods() -> None:
    link = f"web-0_shop_app-{ID}.log"
    assert containers_of([(link, target())]) == {ID: NamedContainer(WEB, "app", 3)}
    assert containers_of([(link, "")]) == {ID: NamedContainer(Named("shop", "web-0"), "app")}


@pytest.mark.parametrize("there", [target("evil_web-0"), target(container="other"), "x", "/"])
def test_a_target_of_another_pod_tells_nothing(there: str) -> None:
    found = containers_of([(f"web-0_shop_app-{ID}.log", there)])
    assert found == {ID: NamedContainer(Named("shop", "web-0"), "app")}


def test_one_id_of_two_links_is_nobody_s() -> None:
    assert containers_of([(f"{pod}_shop_app-{ID}.log", "") for pod in ("web-0", "web-1")]) == {}


@given(st.lists(st.text()), st.lists(st.tuples(st.text(), st.text())))
def test_any_names_are_read(folders: list[str], links: list[tuple[str, str]]) -> None:
    assert pods_of(folders) == {}
    assert containers_of(links) == {}


def test_links_below_the_root_are_not_followed(tmp_path: Path) -> None:
    """They would lead out of a node that is a container."""
    Tree(tmp_path / "host").log("shop", "web-0", UID, ("app", ID, 3))
    assert read_names(str(tmp_path / "host")).pods == {UID: WEB}
    for at, planted in enumerate(("var", "var/log", "var/log/pods")):
        link = tmp_path / f"node{at}" / planted
        link.parent.mkdir(parents=True)
        link.symlink_to(tmp_path / "host" / planted)
        assert read_names(str(tmp_path / f"node{at}")).pods == {}


def test_no_folder_is_no_names(tmp_path: Path) -> None:
    assert read_names(str(tmp_path)).pods == {}
    assert read_names(str(tmp_path / "nothing")).unread == ()


ANNOTATIONS = (
    '"annotations":{"io.kubernetes.cri.container-name":"app",'
    '"io.kubernetes.cri.container-type":"container","io.kubernetes.cri.sandbox-name": "web-0",'
    f'"io.kubernetes.cri.sandbox-namespace":"shop","io.kubernetes.cri.sandbox-uid":"{UID}"}}'
)


def test_annotations_of_containerd() -> None:
    assert container_of(f"{{{ANNOTATIONS}}}".encode()) == NamedContainer(WEB, "app")
    assert container_of(b"{}") is None


def test_text_that_looks_like_an_annotation_is_none() -> None:
    planted = r'"X=\"io.kubernetes.cri.sandbox-name\":\"evil\","'
    found = container_of(f'{{"process":{{"env":[{planted}]}},{ANNOTATIONS}}}'.encode())
    assert found == NamedContainer(WEB, "app")
    assert container_of(f'{{"process":{{"env":[{planted}]}}}}'.encode()) is None


def test_a_shim_works_beside_the_bundles(tmp_path: Path) -> None:
    bundles = tmp_path / "run"
    for id, text in {"s": ANNOTATIONS.replace("container-name", "other"), ID: ANNOTATIONS}.items():
        (bundles / id).mkdir(parents=True)
        (bundles / id / "config.json").write_text(f"{{{text}}}")
    (tmp_path / "proc/700").mkdir(parents=True)
    (tmp_path / "proc/700/cwd").symlink_to(bundles / "s")
    assert named(700, "s", str(tmp_path)) == NamedContainer(WEB, "")
    assert named(700, ID, str(tmp_path)) == NamedContainer(WEB, "app")
    assert named(700, "gone", str(tmp_path)) is None
    assert named(701, ID, str(tmp_path)) is None
