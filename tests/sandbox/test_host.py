"""What a host's sources are asked, and how little."""

import os
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from kubehop.model.errors import UsageError
from kubehop.sandbox.host import Host
from kubehop.sandbox.source import Source
from kubehop.sandbox.values import NONE_THERE, Container, Sandbox, SourceError, Tried
from tests.sandbox.proc.tree import HOST, Tree

IDS = ["a" * 64, "b" * 64, "c" * 64]
LISTED = tuple(
    Sandbox(id=id, namespace="shop", name=f"web-{at}", uid=f"u{at}", ready=True, source="runtime",
            containers=(Container(f"{at}" * 64, "app", running=True),))
    for at, id in enumerate(IDS)
)  # fmt: skip


UIDS = [f"0000000{at}-0000-4000-8000-000000000000" for at in range(len(IDS))]


class Asked:
    """A source that notes what it is asked; addresses and PIDs come with the details."""

    def __init__(
        self,
        name: str = "runtime",
        fails: str = "",
        needs: str = "",
        listed: tuple[Sandbox, ...] = LISTED,
    ) -> None:
        self.name, self.fails, self.needs, self.listed = name, fails, needs, listed
        self.log: list[str] = []

    def sandboxes(self) -> tuple[Sandbox, ...]:
        self.log.append("list")
        if self.fails == "list":
            raise SourceError("permission denied", self.needs)
        return self.listed

    def detailed(self, sandboxes: Sequence[Sandbox]) -> tuple[Sandbox, ...]:
        self.log.append("+".join(each.name for each in sandboxes))
        if self.fails == "details":
            raise SourceError("gone away")
        return tuple(
            replace(each, addresses=(f"10.0.0.{IDS.index(each.id)}",)) for each in sandboxes
        )

    def close(self) -> None:
        self.log.append("closed")


@pytest.fixture
def root(tmp_path: Path) -> str:
    """A host without a process."""
    (tmp_path / "proc").mkdir()
    return str(tmp_path)


def _host(root: str, *sources: Asked) -> Host:
    found: Sequence[Source] = sources
    return Host({"runtimes": lambda: found}, root, proc=False)


@pytest.mark.parametrize(
    ("text", "log"),
    [
        ("web-1", ["list", "web-1"]),
        ("shop/web-2", ["list", "web-2"]),
        (IDS[0][:8], ["list", "web-0"]),
        ("1" * 64, ["list", "web-1"]),
        ("10.0.0.2", ["list", "web-0+web-1+web-2", "web-2"]),
    ],
)
def test_no_more_is_asked_than_needed(text: str, log: list[str], root: str) -> None:
    source = Asked()
    host = _host(root, source)
    found = host.find(text)
    assert [line for line in source.log if line] == log
    assert found.sandbox.addresses == (f"10.0.0.{IDS.index(found.sandbox.id)}",)
    host.close()
    assert source.log[-1] == "closed"


def test_lists_are_asked_for_once(root: str) -> None:
    source = Asked()
    host = _host(root, source)
    assert [each.name for each in host.sandboxes()] == ["web-0", "web-1", "web-2"]
    assert [each.addresses for each in host.sandboxes(detailed=True)] == [
        ("10.0.0.0",), ("10.0.0.1",), ("10.0.0.2",)
    ]  # fmt: skip
    assert source.log == ["list", "web-0+web-1+web-2"]


def test_who_was_asked(root: str) -> None:
    refusing, working = Asked("docker at /x", "list", "the group docker"), Asked()
    host = Host({"cri": list, "docker": lambda: [refusing], "lab": lambda: [working]}, root, False)
    assert len(host.sandboxes()) == 3
    assert host.tried == (
        Tried("cri", None, NONE_THERE),
        Tried("docker at /x", None, "permission denied", "the group docker"),
        Tried("runtime", 3),
    )


def test_a_source_that_goes_away(root: str) -> None:
    """What its list said stays, and what is missing is said."""
    found = _host(root, Asked(fails="details")).find("web-1").sandbox
    assert found.name == "web-1"
    assert [(each.what, each.why) for each in found.unknown] == [("details", "gone away")]


def test_nothing_found_names_what_is_near_and_who_did_not_answer(root: str) -> None:
    host = _host(root, Asked("docker at /x", "list", "the group docker"), Asked())
    with pytest.raises(UsageError) as caught:
        host.find("wep-1")
    said = str(caught.value)
    assert "'wep-1' (asked runtime: 3);" in said
    assert "did you mean shop/web-" in said
    assert "not asked: docker at /x: permission denied (needs the group docker)" in said


def test_a_container_of_the_pod(root: str) -> None:
    found = _host(root, Asked()).find("web-1", container="app")
    assert found.container is not None
    assert found.container.id == "1" * 64
    with pytest.raises(UsageError, match="no container 'x'; it has app"):
        _host(root, Asked()).find("web-1", container="x")
    by_id = _host(root, Asked()).find("2" * 12)
    assert by_id.container is not None
    assert (by_id.sandbox.name, by_id.container.name) == ("web-2", "app")


def test_two_sources_tell_of_one_pod(root: str) -> None:
    one, other = Asked("first"), Asked("second")
    host = _host(root, one, other)
    assert len(host.sandboxes()) == 3
    host.find("web-0")
    assert one.log == other.log == ["list", "web-0"]


def test_without_proc(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        Host({}, str(tmp_path)).find("web")


def test_this_process_is_of_no_pod() -> None:
    """Unless the tests run in one."""
    host = Host({})
    own = host.processes.process(os.getpid())
    if own is None or own.container_id:
        pytest.skip("needs a machine that is no container")
    with pytest.raises(UsageError, match=rf"process {os.getpid()} \(.*\) is of no pod"):
        host.find(str(os.getpid()))


def test_of_one_namespace_nobody_else_is_completed(root: str) -> None:
    other = replace(LISTED[1], namespace="bank")
    source = Asked(listed=(LISTED[0], other, LISTED[2]))
    host = _host(root, source)
    assert [each.name for each in host.sandboxes(True, "bank")] == ["web-1"]
    assert [each.name for each in host.sandboxes(True, "none")] == []
    assert source.log == ["list", "web-1"]


@pytest.mark.parametrize("address", ["10.1.0.8", "::ffff:10.1.0.8", "fd42:0::8"])
def test_an_address_that_proc_knows_takes_no_details(address: str, tmp_path: Path) -> None:
    """Others' addresses begin or end the same; one pod has the node's network, with the address."""
    tree = Tree(tmp_path)
    addresses = (("10.1.0.88", "fd42::88"), ("10.1.0.8", "fd42::8"), ("10.1.0.8", "fd42::8"))
    for at, (four, six) in enumerate(addresses):
        net = tree.net(HOST if at == 1 else 100 + at, four)
        octets = socket.inet_pton(socket.AF_INET6, six).hex()
        (net / "if_inet6").write_text(f"{octets} 02 40 00 80     eth0\n")
        group = f"/kubepods/pod{UIDS[at]}/{LISTED[at].containers[0].id}"
        tree.process(100 + at, "app", group, net=HOST if at == 1 else 100 + at)
    source = Asked()
    found = Host({"runtimes": lambda: [source]}, str(tmp_path)).find(address)
    assert found.sandbox.name == "web-2"
    assert source.log == ["list", "web-2"]


def test_the_node_s_own_address() -> None:
    with pytest.raises(UsageError, match=r"127\.0\.0\.1 is an address of this node itself"):
        Host({}).find("127.0.0.1")
