"""The network of pods: Debian's CNI plugins, dual stack.

No bridge: a veth pair and a route per pod, as Calico and kindnet do it.
"""

from pathlib import Path
from typing import Any
from zlib import crc32

_FOLDERS = ("/usr/lib/cni", "/opt/cni/bin")


def network(token: str) -> dict[str, Any]:
    """A CNI network configuration list.

    Each host has pod addresses of its own, as /proc shows the processes of all of them.
    """
    high, low = crc32(token.encode()) % 100 + 100, crc32(token.encode()) // 100 % 256
    ranges = [f"10.{high}.{low}.0/24", f"fd00:10:{high}:{low}::/112"]
    ipam = {
        "type": "host-local",
        "dataDir": "/run/cni-ipam",
        "ranges": [[{"subnet": each}] for each in ranges],
        "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}],
    }
    plugin = {"type": "ptp", "mtu": 1450, "ipam": ipam}
    return {"cniVersion": "0.4.0", "name": "kubehop", "plugins": [plugin]}


def plugins() -> str | None:
    """The folder in which the plugins are, None if there are none."""
    return next((each for each in _FOLDERS if Path(each, "ptp").exists()), None)
