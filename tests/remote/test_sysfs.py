"""Interfaces by /sys: what `ip` says of the same ones, and anything else."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.lab.kernel import Base
from kubehop.linux.cover import own_mounts, own_sys
from kubehop.remote import image, seen, sysfs
from kubehop.sandbox.namespace import inside
from kubehop.sandbox.values import Interface, Network
from tests.lab.inside import as_everyone, in_lab
from tests.sandbox.network.making import Pod, ip, pod, wire


def _by(shell: list[str], folder: Path) -> Network:
    """What a container with this shell and nothing else tells."""
    command = [*shell, *image.by_shell("==mark==")[1:]]
    done = subprocess.run(command, env={"PATH": str(folder)}, capture_output=True, check=True)
    parts, whole = image.parts_of(done.stdout, "==mark==")
    return seen.network(parts, whole, "")


def _compare(one: Pod, found: Network) -> None:
    real = {link["ifname"]: link for link in one.json("addr")}
    assert {each.name for each in found.interfaces} == set(real)
    for each in found.interfaces:
        link = real[each.name]
        told = (each.index, each.mtu, each.state, each.link_type, each.mac, each.queue_length)
        keys = ("ifindex", "mtu", "operstate", "link_type", "address", "txqlen")
        assert told == tuple(link.get(key) for key in keys)
        assert {*each.flags} == {*link["flags"]} - {"M-DOWN"}
    by_name = {each.name: each for each in found.interfaces}
    assert by_name["eth0"].link == real["eth0"]["link_index"]
    assert (by_name["mac0"].link, by_name["lo"].link) == (None, None)
    (unknown,) = (each for each in found.unknown if each.what == "interfaces")
    assert "MTU" not in unknown.why


@as_everyone
@in_lab
def test_what_ip_says(base: Base, uid: int | None, tmp_path: Path) -> None:
    shells = [[path] for name in ("dash", "bash") if (path := shutil.which(name))]
    shells += [[path, "sh"] for name in ("busybox",) if (path := shutil.which(name))]
    with pod() as one:
        for number in range(30):  # then the peer's index is no index of the pod's
            ip("link", "add", f"spare{number}", "type", "veth")
        wire(one, "host1")
        one.ip("link", "set", "eth0", "mtu", "1450", "txqueuelen", "7")
        one.ip("addr", "add", "10.1.0.8/24", "dev", "eth0")
        one.ip("link", "add", "link", "eth0", "name", "mac0", "type", "macvlan")
        one.ip("link", "add", "down0", "type", "veth", "peer", "name", "down1")
        one.ip("link", "set", "down0", "up")
        with inside(one.namespace):
            own_mounts()
            own_sys()
            found = [_by(shell, tmp_path) for shell in shells]
        assert found
        for each in found:
            _compare(one, each)


@pytest.mark.parametrize("printed", [b"", b"1\n", b"1\n" * 17, b"1\n" * 19])
def test_lines_that_are_missing(printed: bytes) -> None:
    assert sysfs.lines(("lo", "eth0"), printed) == b""


@given(st.binary(), st.sampled_from(sysfs.FIELDS))
def test_anything_is_read(text: bytes, field: str) -> None:
    line = b"lo " + field.encode() + b" " + text
    (one,) = sysfs.completed((Interface("lo"),), sysfs.by_name(line + b"\n" + text))
    assert one.name == "lo"
    assert json.dumps(one.mtu)
