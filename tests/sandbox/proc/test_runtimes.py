"""Sandboxes of reconstructed hosts: what each runtime leaves in /proc."""

from pathlib import Path

import pytest

from kubehop.sandbox.values import Container, Sandbox
from tests.sandbox.proc.tree import HOST, Tree, conmon, shim

SANDBOX, APP, SIDE, OTHER, NODE = (digit * 64 for digit in "5abcd")
UID, HASH = "8c2d1f0e-1b2a-4c3d-9e8f-001122334455", "0123456789abcdef0123456789abcdef"
UNDERSCORED = UID.replace("-", "_")
SLICE = f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{UNDERSCORED}.slice"
GROUP = f"/kubepods/burstable/pod{UID}"
POD, ADDRESS = 4026532500, "10.42.0.8"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def only(tree: Tree) -> Sandbox:
    (found,) = tree.sandboxes()
    return found


def what(found: Sandbox) -> set[str]:
    return {each.what for each in found.unknown}


def cgroup_v1(path: str) -> str:
    return "".join(f"{n}:{name}:{path}\n" for n, name in ((9, "pids"), (1, "name=systemd")))


def test_k3s_with_cgroup_v2_and_systemd(tree: Tree) -> None:
    tree.log("shop", "web-0", UID, ("app", APP, 2), ("side", SIDE, 0))
    tree.net(POD, ADDRESS)
    tree.process(700, "containerd-shim", "/system.slice/k3s.service", 1, HOST, shim(SANDBOX))
    tree.process(710, "pause", f"{SLICE}/cri-containerd-{SANDBOX}.scope", 700, POD, ["/pause"])
    tree.process(720, "nginx", f"{SLICE}/cri-containerd-{APP}.scope", 700, POD)
    tree.process(721, "nginx", f"{SLICE}/cri-containerd-{APP}.scope", 720, POD)
    tree.process(730, "envoy", f"{SLICE}/cri-containerd-{SIDE}.scope", 700, POD)
    found = only(tree)
    assert (found.id, found.namespace, found.name, found.uid) == (SANDBOX, "shop", "web-0", UID)
    assert (found.pid, found.inode, found.host_network) == (710, POD, False)
    assert (found.runtime, found.handler, found.ready) == ("containerd", "", True)
    assert found.addresses == (ADDRESS,)
    assert found.containers == (
        Container(APP, "app", 720, True, 2),
        Container(SIDE, "side", 730, True, 0),
    )
    assert found.unknown == ()


def test_kubeadm_with_cgroup_v1_and_cgroupfs(tree: Tree) -> None:
    tree.process(700, "containerd-shim", cgroup_v1("/system.slice/containerd.service"), 1, HOST,
                 shim(SANDBOX))  # fmt: skip
    tree.process(710, "pause", cgroup_v1(f"{GROUP}/{SANDBOX}"), 700, POD)
    tree.process(720, "app", cgroup_v1(f"{GROUP}/{APP}"), 700, POD)
    found = only(tree)
    assert (found.id, found.pid, found.uid) == (SANDBOX, 710, UID)
    assert found.containers == (Container(APP, "", 720, True),)
    assert what(found) == {"name"}


def test_a_static_pod_in_the_network_of_the_host(tree: Tree) -> None:
    tree.log("kube-system", "etcd-node", HASH, ("etcd", APP, 0))
    group = f"/kubepods/burstable/pod{HASH}"
    tree.process(700, "containerd-shim", "/system.slice/x.service", 1, HOST, shim(SANDBOX))
    tree.process(710, "pause", f"{group}/{SANDBOX}", 700)
    tree.process(720, "etcd", f"{group}/{APP}", 700)
    tree.net(HOST, "192.0.2.1")
    found = only(tree)
    assert (found.name, found.uid, found.static) == ("etcd-node", HASH, True)
    assert (found.host_network, found.inode, found.addresses) == (True, HOST, ())


def test_cri_o_without_pause_is_named_by_conmon(tree: Tree) -> None:
    name = f"k8s_app_web-0_shop_{UID}_3"
    monitor = f"{SLICE}/crio-conmon-{APP}.scope"
    tree.process(700, "conmon", monitor, 1, HOST, conmon(APP, name))
    tree.process(710, "app", f"{SLICE}/crio-{APP}.scope/container", 700, POD)
    found = only(tree)
    assert (found.id, found.pid, found.ready) == ("", None, None)
    assert (found.namespace, found.name, found.uid) == ("shop", "web-0", UID)
    assert (found.inode, found.runtime) == (POD, "cri-o")
    assert found.containers == (Container(APP, "app", 710, True, 3),)
    assert what(found) == {"id"}


def test_cri_o_with_a_container_of_the_sandbox(tree: Tree) -> None:
    names = {SANDBOX: f"k8s_POD_web-0_shop_{UID}_1", APP: f"k8s_app_web-0_shop_{UID}_0"}
    for at, (id, name) in enumerate(names.items()):
        tree.process(700 + at, "conmon", "/system.slice/x.slice", 1, HOST, conmon(id, name))
        tree.process(710 + at, "infra", f"{SLICE}/crio-{id}.scope", 700 + at, POD)
    found = only(tree)
    assert (found.id, found.pid, found.attempt, found.name) == (SANDBOX, 710, 1, "web-0")
    assert found.containers == (Container(APP, "app", 711, True),)


def test_docker_has_a_shim_for_each_container(tree: Tree) -> None:
    for at, (id, comm) in enumerate({SANDBOX: "pause", APP: "app"}.items()):
        tree.process(700 + at, "containerd-shim", "/system.slice/x.service", 1, HOST,
                     shim(id, "moby"))  # fmt: skip
        tree.process(710 + at, comm, f"{SLICE}/docker-{id}.scope", 700 + at, POD)
    found = only(tree)
    assert (found.id, found.pid, found.runtime) == (SANDBOX, 710, "docker")
    assert [each.id for each in found.containers] == [APP]


def test_a_container_of_nobody_s_is_a_sandbox_of_its_own(tree: Tree) -> None:
    tree.process(700, "containerd-shim", "/", 1, HOST, shim(APP, "moby"))
    tree.process(710, "nginx", f"/docker/{APP}", 700, POD)
    tree.process(800, "conmon", f"/machine.slice/libpod-conmon-{SIDE}.scope", 1, HOST,
                 conmon(SIDE, "kind_name"))  # fmt: skip
    tree.process(810, "app", f"/machine.slice/libpod-{SIDE}.scope/container", 800, POD + 1)
    docker, podman = sorted(tree.sandboxes(), key=lambda each: each.pid or 0)
    assert (docker.id, docker.pid, docker.uid, docker.runtime) == (APP, 710, "", "docker")
    assert docker.containers == (Container(APP, "", 710, True),)
    assert (podman.id, podman.pid, podman.runtime) == (SIDE, 810, "podman")


def test_containers_that_share_a_network_are_one_sandbox(tree: Tree) -> None:
    tree.process(710, "nginx", f"/docker/{APP}", 1, POD)
    tree.process(720, "curl", f"/docker/{SIDE}", 1, POD)
    tree.process(730, "other", f"/docker/{OTHER}", 1, POD + 1)
    tree.process(740, "host", f"/docker/{NODE}", 1)
    tree.process(750, "host", f"/docker/{SANDBOX}", 1)
    found = {tuple(each.id for each in one.containers): one for one in tree.sandboxes()}
    assert set(found) == {(APP, SIDE), (OTHER,), (NODE,), (SANDBOX,)}
    assert found[APP, SIDE].id == ""
    assert found[NODE,].host_network


def test_a_parent_of_its_own_and_the_shim_s_word(tree: Tree) -> None:
    """No uid in the path: the shim says which containers are of one sandbox."""
    for at, (one, other) in enumerate(((SANDBOX, APP), (OTHER, SIDE))):
        tree.process(700 + at, "containerd-shim", "/", 1, HOST, shim(one))
        tree.process(710 + at, "pause", f"/protolab/{one}", 700 + at, POD + at)
        tree.process(720 + at, "app", f"/protolab/{other}", 700 + at, POD + at)
    found = {each.id: each for each in tree.sandboxes()}
    assert {id: one.containers[0].id for id, one in found.items()} == {SANDBOX: APP, OTHER: SIDE}


def test_several_sandboxes_of_one_pod(tree: Tree) -> None:
    for at, (one, other) in enumerate(((SANDBOX, APP), (OTHER, SIDE))):
        tree.process(700 + at, "containerd-shim", "/", 1, HOST, shim(one))
        tree.process(710 + at, "pause", f"{GROUP}/{one}", 700 + at, POD + at)
        tree.process(720 + at, "app", f"{GROUP}/{other}", 700 + at, POD + at)
    old, new = sorted(tree.sandboxes(), key=lambda each: each.created)
    assert (old.id, old.inode, old.containers[0].id) == (SANDBOX, POD, APP)
    assert (new.id, new.inode, new.containers[0].id) == (OTHER, POD + 1, SIDE)
    assert old.uid == new.uid == UID


def kind(tree: Tree, outer: str) -> None:
    """A node that is a container, `outer` being its path; its pods: one of its own network."""
    kubelet = f"{outer}/kubelet.slice/kubelet-kubepods.slice"
    pod = f"{kubelet}/kubelet-kubepods-pod{UNDERSCORED}.slice"
    node = HOST if not outer else POD - 1
    tree.process(600, "containerd", f"{outer}/system.slice/containerd.service", 1, node)
    tree.process(700, "containerd-shim", f"{outer}/system.slice/containerd.service", 600, node,
                 shim(SANDBOX))  # fmt: skip
    tree.process(710, "pause", f"{pod}/cri-containerd-{SANDBOX}.scope", 700, POD)
    tree.process(720, "app", f"{pod}/cri-containerd-{APP}.scope", 700, POD)
    group = f"{kubelet}/kubelet-kubepods-pod{HASH}.slice"
    tree.process(730, "etcd", f"{group}/cri-containerd-{SIDE}.scope", 1, node)


def test_kind_from_the_inside(tree: Tree) -> None:
    kind(tree, "")
    found = {each.uid: each for each in tree.sandboxes()}
    assert set(found) == {UID, HASH}
    assert (found[UID].id, found[UID].pid, found[UID].host_network) == (SANDBOX, 710, False)
    assert found[HASH].host_network


@pytest.mark.parametrize("outer", [f"/docker/{NODE}", f"/system.slice/docker-{NODE}.scope"])
def test_kind_from_the_outside(tree: Tree, outer: str) -> None:
    """The network of a node's pod is the node's, which is another than ours."""
    kind(tree, outer)
    inside = Tree(tree.root / "proc/600/root")
    inside.log("shop", "web-0", UID, ("app", APP, 0))
    found = {each.uid or each.id: each for each in tree.sandboxes()}
    assert set(found) == {UID, HASH, NODE}
    assert (found[UID].id, found[UID].pid, found[UID].host_network) == (SANDBOX, 710, False)
    assert (found[UID].name, found[UID].containers[0].name) == ("web-0", "app")
    assert found[HASH].host_network
    assert found[NODE].host_network is False


def test_a_name_that_only_the_host_s_own_log_tells_is_no_nested_pod_s(tree: Tree) -> None:
    kind(tree, f"/docker/{NODE}")
    tree.log("shop", "another", UID, ("app", APP, 0))
    found = {each.uid: each for each in tree.sandboxes()}
    assert found[UID].name == ""


def test_a_group_with_another_container_s_name_is_not_that_container(tree: Tree) -> None:
    """Whoever may make groups below its own container's can call them anything."""
    tree.process(710, "app", f"{GROUP}/{APP}", 1, POD)
    tree.process(720, "evil", f"/docker/{OTHER}{GROUP}/{APP}", 1, POD + 1)
    tree.process(721, "evil", f"/docker/{OTHER}{GROUP}/{SIDE}", 1, POD + 1)
    assert [each.pid for each in tree.processes().of_container(APP)] == [710]
    pods = [each for each in tree.sandboxes() if each.uid == UID]
    assert [[one.id for one in each.containers] for each in pods] == [[APP]]


def test_a_process_in_a_container_that_claims_to_be_a_shim(tree: Tree) -> None:
    tree.process(710, "pause", f"{GROUP}/{SANDBOX}", 1, POD)
    tree.process(720, "containerd-shim", f"{GROUP}/{APP}", 1, POD, shim(OTHER))
    tree.process(721, "app", f"{GROUP}/{APP}", 720, POD)
    found = only(tree)
    assert (found.id, [each.id for each in found.containers]) == (SANDBOX, [APP])


def test_two_that_are_called_pause(tree: Tree) -> None:
    tree.process(710, "pause", f"{GROUP}/{SANDBOX}", 1, POD)
    tree.process(720, "pause", f"{GROUP}/{APP}", 1, POD)
    found = only(tree)
    assert (found.id, len(found.containers), what(found)) == ("", 2, {"id", "name"})
    tree.log("shop", "web-0", UID, ("app", APP, 0))
    found = only(tree)
    assert (found.id, [each.name for each in found.containers]) == (SANDBOX, ["app"])


def test_gvisor_is_named_and_explained(tree: Tree) -> None:
    tree.net(POD)
    tree.process(700, "containerd-shim", "/", 1, HOST, shim(SANDBOX, kind="runsc-v1"))
    tree.process(710, "exe", f"{GROUP}/{SANDBOX}", 700, POD, ["runsc-sandbox", "--root=/x", "boot"])
    tree.process(720, "exe", f"{GROUP}/{APP}", 700, POD + 9, ["runsc-gofer", "--root=/x"])
    found = only(tree)
    assert (found.handler, found.id, found.pid, found.inode) == ("runsc", SANDBOX, 710, POD)
    assert found.containers == (Container(APP, "", None, True),)
    assert found.addresses == ()
    (unknown,) = (each for each in found.unknown if each.what == "network")
    assert "gVisor" in unknown.why
    assert unknown.needs


@pytest.mark.parametrize("program", ["qemu-system-x86", "cloud-hyperviso", "firecracker"])
def test_kata_is_named_and_explained(tree: Tree, program: str) -> None:
    tree.net(POD, ADDRESS)
    tree.process(700, "containerd-shim", GROUP, 1, POD, shim(SANDBOX, kind="kata-v2"))
    tree.process(710, "virtiofsd", GROUP, 700, POD, ["/usr/libexec/virtiofsd"])
    tree.process(720, program, GROUP, 700, POD, [program, "-name", f"sandbox-{SANDBOX}"])
    found = only(tree)
    assert (found.handler, found.id, found.inode) == ("kata", SANDBOX, POD)
    assert (found.addresses, found.containers) == ((ADDRESS,), ())
    (unknown,) = (each for each in found.unknown if each.what == "network")
    assert "Kata" in unknown.why


def test_a_virtual_machine_in_a_container_is_no_kata(tree: Tree) -> None:
    tree.process(710, "pause", f"{GROUP}/{SANDBOX}", 1, POD)
    tree.process(720, "virt-launcher", f"{GROUP}/{APP}", 1, POD)
    tree.process(721, "qemu-system-x86", f"{GROUP}/{APP}", 720, POD)
    assert (only(tree).handler, only(tree).id) == ("", SANDBOX)


def test_what_cannot_be_seen_without_privilege_is_said(tmp_path: Path) -> None:
    """Whether a pod is in the host's network is seen by the files of /proc/PID/net all the same."""
    tree = Tree(tmp_path, seen=False)
    tree.net(POD, ADDRESS)
    tree.process(710, "pause", f"{GROUP}/{SANDBOX}", 1, POD)
    tree.process(720, "app", f"{GROUP}/{APP}", 1, POD)
    tree.process(730, "etcd", f"/kubepods/pod{HASH}/{SIDE}", 1)
    found = {each.uid: each for each in tree.sandboxes()}
    assert (found[UID].inode, found[UID].host_network) == (None, False)
    assert (found[HASH].inode, found[HASH].host_network) == (None, True)
    assert (found[UID].id, found[UID].addresses) == (SANDBOX, (ADDRESS,))
    assert what(found[UID]) == {"name", "network namespace"}


def test_the_network_of_containers_is_told_apart_without_privilege(tmp_path: Path) -> None:
    tree = Tree(tmp_path, seen=False)
    tree.process(710, "nginx", f"/docker/{APP}", 1, POD)
    tree.process(720, "curl", f"/docker/{SIDE}", 1, POD)
    tree.process(730, "other", f"/docker/{OTHER}", 1, POD + 1)
    found = {tuple(each.id for each in one.containers) for one in tree.sandboxes()}
    assert found == {(APP, SIDE), (OTHER,)}
