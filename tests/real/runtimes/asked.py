"""Answers of `kubehop pod`, compared with what `ip` and `ss` say inside of a pod."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.real.runtimes import said
from tests.real.runtimes.host import Host
from tests.real.runtimes.kubelet import Pod


def json_of(host: Host, *words: str, uid: int | None = None) -> dict[str, Any]:
    """The answer of `kubehop pod ... -o json`, on a host."""
    done = host.kubehop("pod", *words, "-o", "json", uid=uid)
    assert (done.returncode, done.stderr) == (0, ""), done
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def captured(host: Host, pod: Pod, path: Path) -> str:
    """What `kubehop pod capture` says of a datagram that is sent until it has seen one."""
    words = ("--filter", "udp and port 5353", "--count", "1", "--seconds", "30", "-w", str(path))

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
            sending.sendto(b"are you there?", (pod.addresses[0], 5353))

    command = host.command(sys.executable, "-m", "kubehop", "pod", "capture", pod.name, *words)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as capture:
        assert capture.stderr
        while capture.poll() is None:
            host.call(send)
        said_of_it = capture.stderr.read()
    assert capture.returncode == 0, said_of_it
    assert b"are you there?" in path.read_bytes()
    return said_of_it


def compare(answer: dict[str, Any], inside: said.Inside, pod: Pod, whole: bool) -> None:
    """An answer of `pod ip` has what ip and ss say inside of that pod.

    With `whole` all that ip tells of an interface; else what /proc alone may tell.
    """
    sandbox, network = answer["sandbox"], answer["network"]
    assert (sandbox["id"], sandbox["name"], sandbox["pid"]) == (pod.sandbox, pod.name, pod.pid)
    assert sandbox["hostNetwork"] == pod.wanted.host_network
    found = {
        (one["address"], one["prefix"], one["scope"], link["name"], link["mtu"], link["index"])
        for link in network["interfaces"]
        for one in link["addresses"]
    }
    real = {
        (one["local"], one["prefixlen"], one["scope"], *(link[key] for key in _LINK))
        for link in said.answered(inside, "addr")
        for one in link["addr_info"]
    }
    if whole:
        assert found == real
    assert {one[0] for one in found} == {one[0] for one in real}
    sockets: set[tuple[object, ...]] = {
        (one["protocol"], one["address"], one["port"], one["bothFamilies"], one["inode"])
        for one in network["listening"]
    }
    theirs = said.sockets(inside)
    if not whole:
        sockets, theirs = said.without_families(sockets), said.without_families(theirs)
    assert sockets == theirs
    _compare_routes(network["routes"], inside, whole)


_LINK = ("ifname", "mtu", "ifindex")


def _compare_routes(routes: list[dict[str, Any]], inside: said.Inside, whole: bool) -> None:
    for family in (4, 6):
        main = [one for one in routes if (one["family"], one["table"]) == (family, "main")]
        found = {one["destination"] for one in main if one["kind"] == "unicast"}
        real = said.answered(inside, f"-{family}", "route")
        assert found == {one["dst"] for one in real if one.get("type", "unicast") == "unicast"}
        if whole:
            assert [one["destination"] for one in main] == [one["dst"] for one in real]
            assert [one["metric"] for one in main] == [one.get("metric") for one in real]
            assert [one["gateway"] for one in main] == [_gateway(one) for one in real]


def _gateway(route: dict[str, Any]) -> str:
    gateway: str = route.get("gateway") or route.get("via", {}).get("host", "")
    return gateway
