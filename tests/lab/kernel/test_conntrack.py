"""UDP flows that go on to where nobody should answer are forgotten, the others are not."""

import socket

from kubehop.lab.kernel import Base, Kernel
from kubehop.lab.kernel.conntrack import PROTOCOL, flows
from kubehop.lab.plan.values import ForgetFlows, Nft
from kubehop.linux.netlink import Netlink
from tests.lab.inside import as_everyone, in_lab
from tests.lab.kernel.world import NODE, OTHER, POD, node, pod, standing

_NAT = """\
table inet nat {
 chain prerouting {
  type nat hook prerouting priority -100
  ip daddr 10.96.0.10 udp dport 53 dnat ip to 10.42.0.2:5353
  ip daddr 10.96.0.11 udp dport 53 dnat ip to 10.42.0.2:5353
  ip6 daddr fd96::a udp dport 53 dnat ip6 to [fd42::2]:5353
  tcp dport 53 dnat ip to 10.42.0.2:5353
 }
}
"""
_V4, _V6 = ("10.42.0.2", 5353), ("fd42::2", 5353)


def found(kernel: Kernel) -> set[tuple[tuple[str, int], tuple[str, int]]]:
    with kernel.inside(NODE):
        netlink = Netlink(PROTOCOL)
        try:
            return {(flow.to, flow.replies_from) for flow in flows(netlink)}
        finally:
            netlink.close()


def ask(kernel: Kernel, *addresses: str) -> None:
    """A datagram to port 53 of each, from a pod."""
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with kernel.socket(OTHER, family, socket.SOCK_DGRAM) as client:
            client.sendto(b"query", (address, 53))


@as_everyone
@in_lab
def test_flows_are_forgotten_by_where_they_went_and_who_replies(
    base: Base, uid: int | None
) -> None:
    first, second, sixth = ("10.96.0.10", 53), ("10.96.0.11", 53), ("fd96::a", 53)
    plain = ("10.42.0.2", 53)
    every = {(first, _V4), (second, _V4), (sixth, _V6), (plain, plain)}
    with standing(base, *node(), *pod(POD, 2), *pod(OTHER, 3)) as kernel:
        kernel.apply([Nft(NODE, _NAT)])
        with kernel.socket(OTHER, socket.AF_INET, socket.SOCK_STREAM) as client:
            client.connect_ex(("10.42.0.2", 53))  # a flow too, but not of UDP

        def left(*steps: ForgetFlows) -> set[tuple[tuple[str, int], tuple[str, int]]]:
            ask(kernel, "10.96.0.10", "10.96.0.11", "fd96::a", "10.42.0.2")
            assert found(kernel) == every
            kernel.apply(steps)
            return every - found(kernel)

        none = frozenset[tuple[str, int]]()
        assert left(ForgetFlows(NODE, "10.96.0.10", 53, frozenset({_V4}))) == set()
        assert left(ForgetFlows(NODE, "10.96.0.10", 54, none)) == set()
        assert left(ForgetFlows(NODE, "10.96.0.10", 53, none)) == {(first, _V4)}
        moved = frozenset({("10.42.0.2", 5354), ("10.42.0.9", 5353)})
        assert left(ForgetFlows(NODE, "fd96::a", 53, moved)) == {(sixth, _V6)}
        assert left(ForgetFlows(NODE, "", 53, frozenset({_V6}))) == set()
        assert left(ForgetFlows(NODE, "10.42.0.2", 53, none)) == {(plain, plain)}
        assert left(ForgetFlows(NODE, "", 53, frozenset({_V4}))) == {(plain, plain)}
        assert left(ForgetFlows(NODE, "", 53, moved)) == {
            (first, _V4),
            (second, _V4),
            (plain, plain),
        }
        two = (ForgetFlows(NODE, a, 53, none) for a in ("10.96.0.11", "fd96::a"))
        assert left(*two) == {(second, _V4), (sixth, _V6)}
        assert left(ForgetFlows(NODE, "", 53, none)) == every


@as_everyone
@in_lab
def test_a_namespace_without_flows(base: Base, uid: int | None) -> None:
    with standing(base, *node()) as kernel:
        kernel.apply([ForgetFlows(NODE, "", 53, frozenset())])
        assert found(kernel) == set()
