"""What we ask the kernel for makes what iproute2's commands make.

The commands are those that `kubehop lab plan` prints, so these are true as well.
"""

import json
import subprocess
from collections.abc import Callable
from typing import Any

from kubehop.lab.kernel import Base, Kernel
from kubehop.lab.plan.commands import command_text, netns
from kubehop.lab.plan.values import (
    Address,
    Forward,
    Lookup,
    Make,
    Neighbour,
    Remove,
    Route,
    RouteKind,
    Step,
    Thing,
    Vxlan,
)
from kubehop.linux import libc
from tests.lab.inside import as_everyone, in_lab
from tests.lab.kernel.world import GATEWAY, NODE, OTHER, POD, mac, node, pod
from tests.real.needs import program

_THINGS: tuple[Thing, ...] = (
    *node(),
    *node("node/b")[:3],
    *pod(POD, 2),
    *pod(OTHER, 3, "node/b"),
    Vxlan(NODE, "flannel.1", mac(9, 1), "192.168.0.1"),
    Vxlan("node/b", "flannel.1", mac(9, 2), "fd00::2", vni=77, port=4789, mtu=1400),
    Address(NODE, "flannel.1", "10.42.0.0/32"),
    Address(NODE, "lo", "127.0.0.53/8"),
    Address("node/b", "flannel.1", "fd42:1::/128"),
    Address("node/b", "flannel.1", "172.16.0.1/12"),
    Neighbour(NODE, "flannel.1", "10.42.1.0", mac(9, 2)),
    Forward(NODE, "flannel.1", mac(9, 2), "192.168.0.2"),
    Forward("node/b", "flannel.1", mac(9, 1), "fd00::1"),
    Route(NODE, "10.42.1.0/24", "flannel.1", via="10.42.1.0", mtu=1400),
    Route(NODE, "10.43.0.0/16", "flannel.1", source="192.168.0.1", table=100),
    Route(NODE, "10.44.0.0/16", "flannel.1", via="10.42.1.0", table=70000, source="10.42.0.0"),
    Route(NODE, "203.0.113.0/24", "lo", kind=RouteKind.LOCAL, table=255),
    Route(NODE, "fd99::/16", "lo", kind=RouteKind.LOCAL, table=255),
    Route(NODE, "10.8.0.0/16", kind=RouteKind.UNREACHABLE),
    Route(NODE, "fd88::/32", kind=RouteKind.UNREACHABLE),
    Route("node/b", "10.8.0.0/16", kind=RouteKind.BLACKHOLE),
    Route("node/b", "fd88::/32", kind=RouteKind.BLACKHOLE, table=100),
    Route("node/b", "fd42:2::/64", "flannel.1", via="fd42:2::", mtu=1300, locked=True),
    Route("node/b", "::/0", "cali3", via="fe80::1", source="fd42:1::"),
    Route(POD, "198.51.100.0/24", "eth0", via=GATEWAY, mtu=900, locked=True),
    Lookup(NODE, 4, 100, 100, 0x4000),
    Lookup(NODE, 6, 101, 70000),
)
_NAMESPACES = (NODE, "node/b", POD, OTHER)
_SHOWN = {
    "addresses": ("-d", "address"),
    "routes": ("-4", "-d", "route", "show", "table", "all"),
    "routes, IPv6": ("-6", "-d", "route", "show", "table", "all"),
    "neighbours": ("-4", "neighbour"),
    "neighbours, IPv6": ("-6", "neighbour"),
    "rules": ("-4", "rule"),
    "rules, IPv6": ("-6", "rule"),
}
_OURS = {
    *("ifindex", "link_index", "link_netnsid", "num_tx_queues", "num_rx_queues", "operstate"),
    "inet6_addr_gen_mode",
}
"""Numbers that are free to choose, and what is meant to differ: no fe80::."""


def plain(found: Any) -> Any:
    """Without what may differ."""
    if isinstance(found, dict):
        return {key: plain(value) for key, value in found.items() if key not in _OURS}
    return (
        [plain(one) for one in found if not _link_local(one)] if isinstance(found, list) else found
    )


def ordered(found: list[Any], key: Callable[[Any], str] | None) -> list[Any]:
    """Tables of the kernel's that are hashed have no order."""
    return sorted(found, key=key) if key else found


def _link_local(one: Any) -> bool:
    """An address, route or neighbour that comes with fe80:: on a link."""
    if not isinstance(one, dict):
        return False
    text = str(one.get("local", one.get("dst", "")))
    made = one.get("protocol") == "kernel" or "local" in one
    return (text.startswith("fe80:") and made) or text.startswith("ff00::")


def shown(command: str) -> dict[str, Any]:
    """By namespace and what, as `ip` and `bridge` say; `command` leads into a namespace."""
    found: dict[str, Any] = {}
    for namespace in _NAMESPACES:
        for what, arguments in _SHOWN.items():
            said = _run(f"{command.format(namespace)} ip -j {' '.join(arguments)}")
            order = None if what == "addresses" else str
            found[f"{what} of {namespace}"] = ordered(plain(json.loads(said or "[]")), order)
        fdb = json.loads(_run(f"{command.format(namespace)} bridge -j fdb") or "[]")
        remote = [one for one in fdb if "dst" in one]  # not who listens to multicast
        found[f"forwards of {namespace}"] = ordered(remote, str)
    return found


def _run(script: str) -> str:
    path = "PATH=$PATH:/usr/sbin:/sbin; set -e; "
    done = subprocess.run(["sh", "-c", path + script], capture_output=True, text=True)
    assert done.returncode == 0, (script, done.stderr)
    return done.stdout


def ours(base: Base, steps: list[Step]) -> dict[str, Any]:
    kernel = Kernel(base)
    kernel.apply(steps)
    try:
        found: dict[str, Any] = {}
        for namespace in _NAMESPACES:
            with kernel.inside(namespace):
                one = shown("")
            found |= {what: one[what] for what in one if what.endswith(f" of {namespace}")}
        return found
    finally:
        kernel.close()


def theirs(steps: list[Step]) -> dict[str, Any]:
    libc.mount("tmpfs", "/run", "tmpfs")
    _run("\n".join(map(command_text, steps)))
    found: dict[str, Any] = {}
    for namespace in _NAMESPACES:
        one = shown(f"ip netns exec {netns(namespace)}")
        found |= {what: one[what] for what in one if what.endswith(f" of {namespace}")}
    for namespace in _NAMESPACES:
        _run(f"ip netns del {netns(namespace)}")
    return found


@as_everyone
@in_lab
def test_our_requests_make_what_the_commands_make(base: Base, uid: int | None) -> None:
    for name in ("ip", "bridge", "sysctl"):
        program(name, "iproute2 or procps")
    steps: list[Step] = [Make(thing) for thing in _THINGS]
    made, wanted = ours(base, steps), theirs(steps)
    assert made.keys() == wanted.keys()
    for what in wanted:
        assert made[what] == wanted[what], what
    gone = [Remove(t) for t in reversed(_THINGS) if isinstance(t, Address | Route | Lookup)]
    made, wanted = ours(base, [*steps, *gone]), theirs([*steps, *gone])
    for what in wanted:
        assert made[what] == wanted[what], what
