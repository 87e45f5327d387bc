"""Statuses of every runtime as our values."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.sandbox.cri import mapping
from kubehop.sandbox.cri import messages as cri
from kubehop.sandbox.cri.info import SandboxInfo, sandbox_info
from kubehop.sandbox.values import Container, Sandbox
from tests.sandbox.cri.made import ID, status
from tests.sandbox.cri.recorded import (
    CONTAINERD,
    CONTAINERD_SHIM,
    CRIO_HOST,
    CRIO_PAUSE,
    CRIO_SPOOFED,
)

KNOWN = Sandbox(id=ID, name="web", namespace="shop")
LO = CONTAINERD["cniResult"]["Interfaces"]["lo"]
PINNED = "/var/run/netns/0d1b8a14-5a2f-4d5e-9e70-9e0fb1ad7a2b"


def detailed(*args: Any, **kwargs: Any) -> Sandbox:
    return mapping.detailed(KNOWN, status(*args, **kwargs))


@pytest.mark.parametrize(
    ("info", "pid", "path", "handler"),
    [
        (CONTAINERD, CONTAINERD["pid"], LO["Sandbox"], "runc"),
        (CRIO_SPOOFED, None, PINNED, ""),
        (CRIO_PAUSE, 4242, PINNED, ""),
        (CRIO_HOST, None, "", ""),
        (CONTAINERD_SHIM, 4242, "/run/netns/cni-1", "kata"),
        (CONTAINERD | {"pid": 0}, None, LO["Sandbox"], "runc"),
        (None, None, "", ""),
    ],
)
def test_details(info: dict[str, Any] | None, pid: int | None, path: str, handler: str) -> None:
    sandbox = detailed(info)
    assert (sandbox.pid, sandbox.netns_path, sandbox.handler) == (pid, path, handler)
    assert sandbox.addresses == ("10.42.0.8", "fd00::8")
    assert (sandbox.host_network, sandbox.ready, sandbox.created) == (False, True, 7)
    assert (sandbox.name, sandbox.namespace) == ("web", "shop")


def test_cri_dockerd_tells_no_details() -> None:
    (unknown,) = detailed(None).unknown
    assert (unknown.what, unknown.needs) == ("pid", "access to the docker socket")


@pytest.mark.parametrize(
    ("info", "network", "host"),
    [
        (CONTAINERD, 2, True),
        (CONTAINERD, 0, False),
        (CONTAINERD, 1, False),
        (None, None, None),
        (CRIO_HOST, None, True),
        (CRIO_SPOOFED, None, False),
        ({"runtimeSpec": {"linux": {"namespaces": None}}}, None, None),
        (CONTAINERD_SHIM, None, None),
    ],
)
def test_host_network(info: dict[str, Any] | None, network: int | None, host: bool | None) -> None:
    sandbox = detailed(info, network=network)
    assert sandbox.host_network is host
    assert sandbox.addresses == (() if host else ("10.42.0.8", "fd00::8"))


def test_a_closed_namespace_has_no_path() -> None:
    sandbox = detailed(CONTAINERD | {"netNamespaceClosed": True, "pid": 0}, ips=(), state=1)
    assert (sandbox.netns_path, sandbox.pid, sandbox.ready) == ("", None, False)
    assert [each.what for each in sandbox.unknown] == ["netns_path"]


@pytest.mark.parametrize(
    ("kind", "said", "handler", "explained"),
    [
        ("io.containerd.runc.v2", "", "runc", ""),
        ("io.containerd.runc.v2", "fast", "fast", ""),
        ("io.containerd.runsc.v1", "sandboxed", "runsc", "gVisor"),
        ("/opt/bin/containerd-shim-kata-qemu-v2", "vm", "kata-qemu", "Kata"),
        ("", "kata-clh", "kata-clh", "Kata"),
        ("odd\n", "", "", ""),
    ],
)
def test_runtime_handlers(kind: str, said: str, handler: str, explained: str) -> None:
    sandbox = detailed(CONTAINERD | {"runtimeType": kind}, handler=said)
    assert sandbox.handler == handler
    assert [each.why.partition(" ")[0] for each in sandbox.unknown] == [explained] * bool(explained)


def test_addresses_are_addresses() -> None:
    sandbox = detailed(CONTAINERD, ips=("10.0.0.300", "FD00:0:0::1", "\x1b[31m", "fd00::1"))
    assert sandbox.addresses == ("fd00::1",)
    assert len(sandbox.unknown) == 2
    assert "\x1b" not in "".join(each.why for each in sandbox.unknown)


def test_a_status_of_another_sandbox_is_not_believed() -> None:
    sandbox = detailed(CONTAINERD, id="b" * 64)
    assert sandbox.pid is None
    assert "another sandbox" in sandbox.unknown[0].why


def test_lists() -> None:
    static = {"kubernetes.io/config.source": "file", "kubernetes.io/config.hash": "h"}
    named = cri.Metadata("web", "u", "shop", 3)
    listed = cri.PodSandboxes(
        (
            cri.PodSandbox("b", cri.Metadata(), 1, -5, {"kubernetes.io/config.source": "api"}),
            cri.PodSandbox("a", named, 0, 9, static, "runsc"),
            cri.PodSandbox("c", named, 7),
            cri.PodSandbox(""),
        )
    )
    containers = cri.Containers(
        (
            cri.Container("2", "a", cri.Metadata("y", attempt=1), cri.EXITED),
            cri.Container("1", "a", cri.Metadata("x"), cri.RUNNING),
            cri.Container("3", "b", state=3),
            cri.Container("4", "elsewhere"),
        )
    )
    runtime = cri.Version("cri-o", "1.30")
    nameless, first, odd = mapping.sandboxes(runtime, listed, containers, "CRI")
    assert (nameless.name, nameless.namespace, nameless.uid) == ("", "", "")
    assert (nameless.ready, nameless.created, nameless.static) == (False, 0, False)
    assert nameless.containers == (Container("3", running=None),)
    assert (first.id, first.uid, first.attempt, first.created) == ("a", "u", 3, 9)
    assert (first.static, first.handler, first.ready) == (True, "runsc", True)
    assert (first.runtime, first.source) == ("cri-o 1.30", "CRI")
    assert first.containers == (
        Container("1", "x", running=True),
        Container("2", "y", running=False, attempt=1),
    )
    assert odd.ready is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ("pid", "runtimeSpec", "linux", "namespaces", "type", "path", "sandboxMetadata",
             "Metadata", "NetNSPath", "runtimeType", "netNamespaceClosed")
        ),
        inner,
        max_size=4,
    ),
    max_leaves=15,
)  # fmt: skip


@given(JSON)
def test_any_json(info: Any) -> None:
    sandbox = detailed(info)
    assert sandbox.pid is None or 0 < sandbox.pid <= 1 << 22


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "[]", "\x00", '{"pid": 1e400}'])
def test_odd_info_is_none(text: str) -> None:
    assert sandbox_info({"info": text}) is None
    assert sandbox_info({"other": "{}"}) is None


def test_one_odd_field_costs_only_itself() -> None:
    info = sandbox_info({"info": json.dumps(CONTAINERD | {"sandboxMetadata": {"Metadata": 5}})})
    assert isinstance(info, SandboxInfo)
    assert info.process == CONTAINERD["pid"]
    assert info.network.path == LO["Sandbox"]
