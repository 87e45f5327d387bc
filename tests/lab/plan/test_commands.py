"""Steps as a person would type them: as text, and typed."""

import os
import subprocess
from pathlib import Path

import pytest

from kubehop.example import cluster as example
from kubehop.lab.kernel import Base, Kernel
from kubehop.lab.plan.build import build_plan
from kubehop.lab.plan.commands import command_text, netns
from kubehop.lab.plan.difference import difference
from kubehop.lab.plan.values import (
    Address,
    ForgetFlows,
    Forward,
    Lookup,
    Make,
    Neighbour,
    Nft,
    Plan,
    Remove,
    Rewrite,
    Route,
    RouteKind,
    Sandbox,
    Step,
    Sysctl,
    Veth,
    Vxlan,
)
from tests.clusters import cluster, node, pod
from tests.lab.inside import in_lab
from tests.real.needs import lacks, program

GOLDEN = Path(__file__).parents[2] / "data" / "lab-notes-cluster.sh"

BOX = Sandbox("pod/default/web", "web", (("/etc/resolv.conf", "nameserver 10.43.0.10\n"),))
LINK = Veth(
    "node/a", "cali1", "ee:ee:ee:ee:ee:ee", BOX.namespace, "eth0", "02:00:00:00:00:01", 1450
)

TEXTS: list[tuple[Step, str]] = [
    (
        Make(BOX),
        "ip netns add default_web\n"
        "ip -n default_web link set lo up\n"
        "mkdir -p /etc/netns/default_web\n"
        "cat >/etc/netns/default_web/resolv.conf <<'EOF'\nnameserver 10.43.0.10\nEOF",
    ),
    (Remove(BOX), "ip netns del default_web"),
    (
        Rewrite(BOX),
        "cat >/etc/netns/default_web/resolv.conf <<'EOF'\nnameserver 10.43.0.10\nEOF",
    ),
    (
        Make(LINK),
        "ip -n a link add cali1 address ee:ee:ee:ee:ee:ee mtu 1450 type veth"
        " peer name eth0 address 02:00:00:00:00:01 mtu 1450 netns default_web\n"
        "ip -n a link set cali1 up\n"
        "ip -n default_web link set eth0 up",
    ),
    (Remove(LINK), "ip -n a link del cali1"),
    (
        Make(Vxlan("node/a", "flannel.1", "02:00:00:00:00:02", "192.168.0.10")),
        "ip -n a link add flannel.1 address 02:00:00:00:00:02 mtu 1450"
        " type vxlan id 1 local 192.168.0.10 dstport 8472 nolearning\n"
        "ip -n a link set flannel.1 up",
    ),
    (
        Make(Sysctl("node/a", "net.ipv4.ip_forward", "1")),
        "ip netns exec a sysctl -qw net.ipv4.ip_forward=1",
    ),
    (Make(Address("node/a", "eth0", "fd00::1/128")), "ip -n a addr add fd00::1/128 dev eth0 nodad"),
    (Remove(Address("node/a", "eth0", "10.0.0.1/32")), "ip -n a addr del 10.0.0.1/32 dev eth0"),
    (
        Make(Neighbour("node/a", "eth0", "fe80::1", "02:00:00:00:00:03")),
        "ip -n a neigh add fe80::1 dev eth0 lladdr 02:00:00:00:00:03 nud permanent",
    ),
    (
        Remove(Forward("node/a", "flannel.1", "02:00:00:00:00:02", "192.168.0.11")),
        "bridge -n a fdb del 02:00:00:00:00:02 dev flannel.1 dst 192.168.0.11",
    ),
    (
        Make(Route("outside", "0.0.0.0/0", "lo", kind=RouteKind.LOCAL, table=255)),
        "ip -n outside route add local default dev lo table 255",
    ),
    (
        Make(Route("node/a", "fd42::/64", "eth0", "fe80::1", "fd00::1", mtu=1400, locked=True)),
        "ip -n a -6 route add fd42::/64 via fe80::1 dev eth0 onlink src fd00::1 mtu lock 1400",
    ),
    (
        Make(Route("node/a", "10.42.0.0/24", kind=RouteKind.UNREACHABLE)),
        "ip -n a route add unreachable 10.42.0.0/24",
    ),
    (
        Make(Lookup("fabric", 6, 1000, 1007, 7)),
        "ip -n fabric -6 rule add priority 1000 fwmark 0x7 lookup 1007",
    ),
    (
        Nft("node/fabric", "add element ip t s { 1.1.1.1 }\n"),
        "ip netns exec node_fabric nft -f - <<'EOF'\nadd element ip t s { 1.1.1.1 }\nEOF",
    ),
    (
        ForgetFlows("node/a", "10.43.0.10", 53, frozenset({("10.42.0.2", 53)})),
        "ip netns exec a conntrack -D -p udp --orig-dst 10.43.0.10 --orig-port-dst 53"
        "  # but for replies from 10.42.0.2:53",
    ),
]


@pytest.mark.parametrize(("step", "text"), TEXTS)
def test_text(step: Step, text: str) -> None:
    assert command_text(step) == text


def test_a_here_document_ends_where_it_should() -> None:
    text = command_text(Nft("node/a", "# EOF\nEOF\n"))
    assert text.endswith("<<'EOF_'\n# EOF\nEOF\nEOF_")


def test_names_are_quoted_for_a_shell() -> None:
    assert netns("node/a; rm -rf x") == "'a; rm -rf x'"
    assert netns("pod/default/endpoint-fd00::1") == "default_endpoint-fd00::1"
    names = ["node/fabric", "fabric", "node/outside", "outside", "pod/a/b", "node/a"]
    assert len(set(map(netns, names))) == len(names)


def script(plan: Plan) -> str:
    """All but the rules, whose text is tested where it is made."""
    steps = (step for step in difference(Plan(), plan) if not isinstance(step, Nft))
    return "set -e\n" + "".join(f"{command_text(step)}\n" for step in steps)


def test_the_notes_cluster() -> None:
    """Every command; `KUBEHOP_WRITE_GOLDEN=1` writes the file again."""
    text = script(build_plan(example()))
    if os.environ.get("KUBEHOP_WRITE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


# Typed

SMALL = build_plan(
    cluster(
        node(0, v6=True),
        node(1, v6=True),
        pod("a", "10.42.0.2,fd00:10:42::2", "n0"),
        pod("b", "10.99.0.1", "n1"),
    )
)
SHOW = (
    "ip -o address show",
    "ip -d route show table all",
    "ip -6 -d route show table all",
    "ip rule show",
    "ip -6 rule show",
    "ip neigh show nud permanent",
    "bridge fdb show",
)
_TYPED = """set -e
mount -t tmpfs none /run
sh "$1" >&2
for name in $(ip netns list | cut -d' ' -f1 | sort); do
  echo "== $name"
  {shown}
done
"""


def spaces() -> list[str]:
    return [thing.namespace for thing in SMALL.things if isinstance(thing, Sandbox)]


BY_ITSELF = ("proto kernel", "fe80::", "ff00::", "33:33:")
GATEWAYS = ("via fe80::", "fe80::1 dev", "fe80::2 dev")


def told(lines: str) -> list[str]:
    """What `ip` says, without indices and what the kernel has added, link-local addresses."""
    kept = []
    for line in lines.splitlines():
        words = line.split()
        own = any(sign in line for sign in GATEWAYS)
        if own or not any(sign in line for sign in BY_ITSELF):
            kept.append(" ".join(words[1:] if words[0].rstrip(":").isdigit() else words))
    return sorted(kept)


def test_typed_they_make_what_the_kernel_makes(tmp_path: Path) -> None:
    program("bridge", "iproute2")
    typed = tmp_path / "lab.sh"
    typed.write_text(script(SMALL).replace("/etc/netns", str(tmp_path)))
    shown = "; ".join(
        command.replace("ip ", 'ip -n "$name" ', 1).replace("bridge ", 'bridge -n "$name" ', 1)
        for command in SHOW
    )
    unshare = [program("unshare", "util-linux"), "--user", "--map-root-user", "--net", "--mount"]
    done = subprocess.run(
        [*unshare, "sh", "-c", _TYPED.format(shown=shown), "sh", typed],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "unshare failed" in done.stderr:
        lacks(f"user namespaces: {done.stderr.strip()}")
    assert not done.returncode, done.stderr
    parts = (part.partition("\n") for part in done.stdout.split("== ")[1:])
    by_hand = {name: told(text) for name, _, text in parts}
    by_kernel = made_by_the_kernel()
    assert by_hand.keys() == by_kernel.keys() == {netns(space) for space in spaces()}
    assert any("10.99.0.1 via 10.42.1.0 dev flannel.1" in line for line in by_kernel["n0"])
    for name, lines in by_kernel.items():
        assert by_hand[name] == lines, name


@in_lab
def made_by_the_kernel(base: Base) -> dict[str, list[str]]:
    kernel = Kernel(base)
    try:
        steps = difference(Plan(), SMALL)
        kernel.apply([step for step in steps if not isinstance(step, Nft)])
        found = {}
        for space in spaces():
            with kernel.inside(space):
                texts = [
                    subprocess.run(
                        command.split(), capture_output=True, text=True, timeout=60, check=True
                    ).stdout
                    for command in SHOW
                ]
            found[netns(space)] = told("".join(texts))
        return found
    finally:
        kernel.close()
