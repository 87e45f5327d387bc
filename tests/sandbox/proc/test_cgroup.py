"""Every form of /proc/PID/cgroup; those of runtimes that do not run here are reconstructed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.sandbox.proc.cgroup import NOWHERE, Place, below, host_around, place

A, B, NODE = "a" * 64, "0123456789abcdef" * 4, "d" * 64
UID, HASH = "8c2d1f0e-1b2a-4c3d-9e8f-001122334455", "0123456789abcdef0123456789abcdef"
UNDERSCORED = UID.replace("-", "_")
SLICE = f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{UNDERSCORED}.slice"
GUARANTEED = f"/kubepods.slice/kubepods-pod{UNDERSCORED}.slice"
GROUP = f"/kubepods/besteffort/pod{UID}"
IN_POD = Place(A, UID)


def of(runtime: str, outer: tuple[str, ...] = ()) -> Place:
    return Place(A, UID, False, runtime, outer)


PATHS = {
    # kubelet, driver systemd
    f"{SLICE}/cri-containerd-{A}.scope": of("containerd"),
    f"{GUARANTEED}/cri-containerd-{A}.scope": of("containerd"),
    f"{SLICE}/crio-{A}.scope": of("cri-o"),
    f"{SLICE}/crio-{A}.scope/container": of("cri-o"),
    f"{SLICE}/docker-{A}.scope": of("docker"),
    f"{SLICE}/crio-conmon-{A}.scope": NOWHERE,
    f"{SLICE}": Place("", UID),
    # kubelet, driver cgroupfs
    f"{GROUP}/{A}": IN_POD,
    f"/kubepods/pod{UID}/{A}": IN_POD,
    f"{GROUP}/{A}/init": IN_POD,
    f"{GROUP}/crio-{A}": of("cri-o"),
    f"{GROUP}/crio-conmon-{A}": NOWHERE,
    f"{GROUP}/kata_{A}": Place("", UID),
    f"/kata_overhead/{A}": NOWHERE,
    # static pods
    f"/kubepods/burstable/pod{HASH}/{A}": Place(A, HASH, True),
    f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{HASH}.slice"
    f"/cri-containerd-{A}.scope": Place(A, HASH, True, "containerd"),
    # what runc is told for systemd, with the driver cgroupfs
    f"/system.slice/containerd.service/kubepods-burstable-pod{UNDERSCORED}.slice"
    f":cri-containerd:{A}": of("containerd"),
    f"/system.slice:docker:{A}": Place(A, runtime="docker"),
    # a host that is a container: kind, k3d
    f"/docker/{NODE}/kubelet/kubepods/burstable/pod{UID}/{A}": Place(A, UID, outer=(NODE,)),
    f"/system.slice/docker-{NODE}.scope/kubelet.slice/kubelet-kubepods.slice"
    f"/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod{UNDERSCORED}.slice"
    f"/cri-containerd-{A}.scope": of("containerd", (NODE,)),
    f"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{UNDERSCORED}.slice"
    f"/cri-containerd-{A}.scope": of("containerd"),
    f"/docker/{NODE}/system.slice/containerd.service": Place(NODE, runtime="docker"),
    f"/docker/{NODE}/kubepods/pod{UID}/crio-conmon-{A}": Place(NODE, runtime="docker"),
    f"/docker/{NODE}/kubepods/pod{UID}": Place("", UID, outer=(NODE,)),
    # a runtime within a pod: its containers are none of the pod's
    f"{GROUP}/{B}/docker/{A}": Place(A, runtime="docker", outer=(B,)),
    # nobody's pods
    f"/docker/{A}": Place(A, runtime="docker"),
    f"/system.slice/docker-{A}.scope": Place(A, runtime="docker"),
    f"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{A}.scope/container":
        Place(A, runtime="podman"),
    f"/machine.slice/libpod-{A}.scope": Place(A, runtime="podman"),
    f"/machine.slice/libpod-conmon-{A}.scope": NOWHERE,
    f"/machine.slice/machine-libpod_pod_{B}.slice/libpod-{A}.scope": Place(A, runtime="podman"),
    f"/libpod_parent/{B}/libpod-{A}": Place(A, runtime="podman"),
    f"/libpod_parent/libpod-{A}": Place(A, runtime="podman"),
    f"/default/{A}": Place(A),
    f"/protolab/{A}": Place(A),
    f"/system.slice/nerdctl-{A}.scope": Place(A, runtime="containerd"),
    # as seen from a group beside it
    f"/../../kubepods/burstable/pod{UID}/{A}": IN_POD,
    f"/../{A}": Place(A),
    f"/../cri-containerd-{A}.scope": Place(A, runtime="containerd"),
    # a group that was removed
    f"{GROUP}/{A} (deleted)": IN_POD,
    # none
    "/": NOWHERE,
    "/user.slice/user-0.slice/session-1.scope": NOWHERE,
    "/process_api/7663ab6afad70c959eb11d7a854ebd9d": NOWHERE,
    f"/kubepods/burstable/pod{UID[:-1]}/{A[:-1]}": NOWHERE,
    f"/system.slice/{A}0": NOWHERE,
    f"/system.slice/{A.upper()}": NOWHERE,
}  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_a_path_of_cgroup_v2(path: str) -> None:
    assert place(f"0::{path}\n") == PATHS[path]


@pytest.mark.parametrize("path", PATHS)
def test_a_path_of_cgroup_v1_on_a_host_with_both(path: str) -> None:
    controllers = ("12:pids", "5:cpu,cpuacct", "1:name=systemd")
    text = "".join(f"{controller}:{path}\n" for controller in controllers)
    assert place(f"{text}0::/\n") == PATHS[path]
    assert place(f"{text}0::/system.slice/containerd.service\n") == PATHS[path]


def test_the_line_that_tells_most_counts() -> None:
    lines = (f"3:pids:/docker/{NODE}", f"0::/docker/{NODE}{GROUP}/{A}", "1:cpu:/")
    for text in ("\n".join(lines), "\n".join(lines[::-1])):
        assert place(text) == Place(A, UID, outer=(NODE,))


@pytest.mark.parametrize(
    ("first", "own", "expected"),
    [
        ("/", "/user.slice", ()),
        ("/init.scope", f"/docker/{NODE}", ()),  # a container that sees the host's processes
        (f"/docker/{NODE}", f"/docker/{NODE}", (NODE,)),
        (f"/docker/{NODE}/init", f"/docker/{NODE}/kubelet{GROUP}/{A}", (NODE,)),  # from a pod
        (f"/system.slice/docker-{NODE}.scope/init.scope", f"/docker/{NODE}/user.slice", (NODE,)),
        (f"/docker/{B}/docker/{NODE}", f"/docker/{B}/docker/{NODE}", (B, NODE)),
        (f"/docker/{NODE}", f"/docker/{A}", ()),  # sees another container's processes
        (f"{GROUP}/{A}", f"{GROUP}/{B}", ()),  # a pod whose containers share them
        (f"{GROUP}/{A}", f"{GROUP}/{A}", ()),
        (f"{GROUP}/{B}/docker/{NODE}", f"{GROUP}/{B}/docker/{NODE}", (B, NODE)),
    ],
)
def test_the_containers_that_are_the_host(first: str, own: str, expected: tuple[str, ...]) -> None:
    assert host_around(place(f"0::{first}\n"), place(f"0::{own}\n")) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"/docker/{NODE}", NOWHERE),
        (f"/docker/{NODE}/system.slice/containerd.service", NOWHERE),
        (f"/docker/{NODE}/kubelet{GROUP}/{A}", Place(A, UID)),
        (f"/docker/{NODE}/kubelet{GROUP}", Place("", UID)),
        (f"/docker/{NODE}/kubelet{GROUP}/{B}/docker/{A}", Place(A, "", False, "docker", (B,))),
        (f"{GROUP}/{A}", Place(A, UID)),
        (f"/docker/{B}/{GROUP}/{A}", Place(A, UID, outer=(B,))),
    ],
)
def test_a_place_as_the_host_that_is_a_container_calls_it(path: str, expected: Place) -> None:
    assert below(place(f"0::{path}\n"), (NODE,)) == expected
    assert below(place(f"0::{path}\n"), ()) == place(f"0::{path}\n")


HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
UIDS = st.uuids().map(str) | st.text("0123456789abcdef", min_size=32, max_size=32)
QOS = st.sampled_from(["", "burstable", "besteffort"])


@given(HEX, UIDS, QOS, st.sampled_from(["cri-containerd", "crio", "docker"]), st.booleans(), HEX)
def test_what_the_kubelet_writes_is_read_back(
    id: str, uid: str, qos: str, prefix: str, nested: bool, node: str
) -> None:
    level = f"-{qos}" if qos else ""
    slices = f"/kubepods.slice{f'/kubepods{level}.slice' if qos else ''}"
    systemd = f"{slices}/kubepods{level}-pod{uid.replace('-', '_')}.slice/{prefix}-{id}.scope"
    cgroupfs = f"/kubepods/{qos}/pod{uid}/{id}".replace("//", "/")
    literal = f"/x.service/kubepods{level}-pod{uid.replace('-', '_')}.slice:{prefix}:{id}"
    outer = f"/docker/{node}" if nested else ""
    for path in (systemd, cgroupfs, literal):
        found = place(f"4:memory:{outer}{path}\n0::/\n")
        assert (found.container_id, found.pod_uid) == (id, uid)
        assert found.static == ("-" not in uid)
        assert found.outer == ((node,) if nested else ())


@given(st.text() | st.text("0123456789abcdef:/-_pod.scope\n", max_size=400))
def test_any_text_has_a_place(text: str) -> None:
    found = place(text)
    assert found.container_id == "" or found.container_id in text


def test_a_long_text_takes_no_long_time() -> None:
    """As each part is looked at once: a text that makes patterns start again and again."""
    assert place("0::/" + "a-" * 2_000_000) == NOWHERE
    assert place("0::/" + "pod" * 1_000_000 + "\n" + ":" * 1_000_000) == NOWHERE
    assert place("0::" + f"/{A}" * 30_000).container_id == A
