"""A runtime as a source: few round trips, and each of its ways not to answer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from kubehop.sandbox.cri import messages as cri
from kubehop.sandbox.cri.protobuf import encode
from kubehop.sandbox.cri.source import CRI
from kubehop.sandbox.values import Sandbox, SourceError
from tests.sandbox.cri.made import Runtime, status
from tests.sandbox.cri.recorded import CONTAINERD, CRIO_SPOOFED
from tests.sandbox.cri.server import Reply, serving

NOBODY = 65534


def ids(count: int) -> list[str]:
    return [f"{number:064x}" for number in range(count)]


def test_a_hundred_sandboxes_in_two_round_trips(tmp_path: Path) -> None:
    runtime = Runtime(*(status(CONTAINERD, id=id) for id in ids(100)), name="containerd")
    with serving(tmp_path / "s", runtime) as manners:
        source = CRI(f"unix://{tmp_path}/s")
        listed = source.sandboxes()
        detailed = source.detailed(listed)
        source.close()
    assert source.name == f"CRI at {tmp_path}/s"
    assert [each.id for each in detailed] == [each.id for each in listed] == ids(100)
    assert {each.pid for each in detailed} == {CONTAINERD["pid"]}
    assert {each.runtime for each in detailed} == {"containerd 1.2"}
    assert {each.source for each in detailed} == {source.name}
    assert [each.name for each in detailed[0].containers] == ["c-a", "c-b"]
    assert manners.connections == 1
    assert len(manners.seen) == 103


def test_an_older_runtime(tmp_path: Path) -> None:
    with serving(tmp_path / "s", Runtime(status(CRIO_SPOOFED), version="v1alpha2")) as manners:
        source = CRI(str(tmp_path / "s"))
        (sandbox,) = source.detailed(source.sandboxes())
        assert sandbox.netns_path
        assert not sandbox.unknown
        source.close()
    assert manners.seen[-1][0].startswith("/runtime.v1alpha2.")
    assert sum(path.startswith("/runtime.v1.") for path, _, _ in manners.seen) == 3


def test_details_without_a_list_before(tmp_path: Path) -> None:
    known = Sandbox(id=ids(1)[0])
    with serving(tmp_path / "s", Runtime(status(CONTAINERD, id=known.id), version="v1alpha2")):
        source = CRI(str(tmp_path / "s"))
        assert source.detailed([known])[0].pid == CONTAINERD["pid"]
        assert source.detailed([]) == ()
        source.close()


def test_a_sandbox_that_has_gone(tmp_path: Path) -> None:
    with serving(tmp_path / "s", Runtime(status(CONTAINERD))):
        source = CRI(str(tmp_path / "s"))
        (there,) = source.sandboxes()
        gone = replace(there, id="f" * 64)
        found, lost = source.detailed([there, gone])
        source.close()
    assert found.pid == CONTAINERD["pid"]
    assert replace(lost, unknown=()) == gone
    assert "gone" in lost.unknown[0].why


def test_one_bad_status_among_good_ones(tmp_path: Path) -> None:
    runtime = Runtime(*(status(CONTAINERD, id=id) for id in ids(3)))

    def answer(path: str, message: bytes) -> Reply:
        if ids(3)[1].encode() in message:
            return Reply(b"\xff\xff")
        if ids(3)[2].encode() in message:
            return Reply(None, 2, "failed to get task\x1b")
        return runtime(path, message)

    with serving(tmp_path / "s", answer):
        source = CRI(str(tmp_path / "s"))
        good, octets, failed = source.detailed(source.sandboxes())
        source.close()
    assert good.pid == CONTAINERD["pid"]
    assert "malformed" in octets.unknown[0].why
    assert failed.unknown[0].why == "UNKNOWN: failed to get task\\x1b"


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(None, 12), "serves no CRI"),
        (Reply(None, 14, "starting"), "UNAVAILABLE: starting"),
        (Reply(None, 2, "server is not initialized yet"), "not initialized"),
        (Reply(b"\xff"), "malformed message"),
        (Reply(raw=b""), "not one whole message"),
        (Reply(None, None, http="404"), "serves no CRI"),
    ],
)
def test_a_runtime_that_cannot_be_asked(tmp_path: Path, reply: Reply, why: str) -> None:
    with serving(tmp_path / "s", lambda path, message: reply):
        source = CRI(str(tmp_path / "s"))
        with pytest.raises(SourceError, match=why) as caught:
            source.sandboxes()
        assert caught.value.needs == ""
        source.close()


def test_details_of_a_runtime_that_has_ended(tmp_path: Path) -> None:
    with serving(tmp_path / "s", lambda path, message: Reply(None, 14, "stopping")):
        source = CRI(str(tmp_path / "s"))
        with pytest.raises(SourceError, match="stopping"):
            source.detailed([Sandbox(id="a"), Sandbox(id="b")])
        source.close()
    with pytest.raises(SourceError, match="nobody listens"):
        source.detailed([Sandbox(id="a")])


def test_a_runtime_without_a_version(tmp_path: Path) -> None:
    listed = encode(cri.POD_SANDBOXES, cri.PodSandboxes((cri.PodSandbox("a"),)))

    def answer(path: str, message: bytes) -> Reply:
        return Reply(None, 13) if path.endswith("Version") else Reply(listed)

    with serving(tmp_path / "s", answer):
        source = CRI(str(tmp_path / "s"))
        assert [(each.id, each.runtime) for each in source.sandboxes()] == [("a", "")]
        source.close()


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:1", "npipe:////./pipe/x", "", "a\0b"])
def test_endpoints_that_are_no_unix_socket(endpoint: str) -> None:
    with pytest.raises(SourceError, match="no path of a unix socket"):
        CRI(endpoint).sandboxes()


def test_permission_is_missing(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to become a user without permission")
    path = Path("/tmp") / f"kubehop-test-{os.getpid()}.sock"  # tmp_path is not open to others
    child = (
        "import os, socket, sys\n"
        "from kubehop.sandbox.cri import connection\n"  # while its files may be read
        "from kubehop.sandbox.cri.grpc import Channel\n"
        "from kubehop.sandbox.values import SourceError\n"
        f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        "try: Channel(sys.argv[1]).call('/a/b', b'')\n"
        "except SourceError as error: print(error, error.needs, sep='|')\n"
    )
    try:
        with serving(path, Runtime()):
            path.chmod(0o660)
            command = [sys.executable, "-c", child, str(path)]
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        path.unlink()
    assert ran.stdout == f"{path}: permission denied|root\n", ran.stderr
