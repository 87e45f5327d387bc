"""The Container Runtime Interface: what containerd, CRI-O and cri-dockerd know of sandboxes.

Asks for versions, lists and statuses only; never runs, stops or changes a sandbox.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubehop.sandbox.cri.source import CRI

__all__ = ["cri_sources"]


def cri_sources(root: str = "/") -> "list[CRI]":
    """The runtimes that serve CRI on this host, the kubelet's own first.

    `root` is a folder in which the host's files are. A runtime is listed if its socket is there;
    whether anyone answers shows only when it is asked.
    """
    from kubehop.sandbox.cri.endpoints import endpoints

    found = endpoints(root)
    if not found:
        return []
    from kubehop.sandbox.cri.source import CRI

    return [CRI(endpoint) for endpoint in found]
