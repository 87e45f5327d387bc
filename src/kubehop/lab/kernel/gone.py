"""Knowing that namespaces are gone: the kernel takes them down later, in order, and tells nobody.

net/core/net_namespace.c, cleanup_net: one worker, whole batches in the order in which the last
holders let go. So a namespace of ours that goes last tells by the end of its link.
"""

import os
import time
from contextlib import closing
from socket import if_nametoindex

from kubehop.lab.kernel import rtnetlink
from kubehop.lab.plan.values import Veth
from kubehop.linux import libc
from kubehop.linux.netlink import Netlink

_PAUSE = 0.002
_INDEX = 1000
_NAMES = ("barrier0", "barrier1", "witness0", "witness1")
_PAIRS = (
    Veth("", _NAMES[0], "02:00:00:00:00:01", "", _NAMES[1], "02:00:00:00:00:02"),
    Veth("", _NAMES[2], "02:00:00:00:00:03", "", _NAMES[3], "02:00:00:00:00:04"),
)


def wait_until_gone(patience: float) -> None:
    """Wait for the end of all network namespaces that nothing holds any more.

    To be called in a thread that may leave its namespace and comes back. At most `patience`
    seconds, as others' namespaces are in the same queue.
    """
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    with closing(Netlink()) as netlink:
        # A closed netlink socket lets go of its namespace after a grace period of RCU. To take
        # a link away waits for all of these (netdev_run_todo: rcu_barrier).
        netlink.run([rtnetlink.veth(_PAIRS[0], _INDEX, _INDEX + 1, home)])
        netlink.run([rtnetlink.unlink(_INDEX, _PAIRS[0])])
        libc.unshare(libc.NEWNET)
        witness = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        libc.setns(home, libc.NEWNET)
        netlink.run([rtnetlink.veth(_PAIRS[1], _INDEX, _INDEX + 1, witness)])
        os.close(witness)
    os.close(home)
    end = time.monotonic() + patience
    while _stands(_NAMES[2]) and time.monotonic() < end:
        time.sleep(_PAUSE)


def _stands(device: str) -> bool:
    try:
        return bool(if_nametoindex(device))
    except OSError:
        return False
