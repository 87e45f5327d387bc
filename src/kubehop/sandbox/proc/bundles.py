"""What containerd wrote beside a shim of what it keeps: names of the pod and its container.

A shim works in the bundle of its sandbox, and those of the pod's containers are beside it. Their
config.json has CRI's annotations (containerd's pkg/cri/annotations). Needs root.
"""

import os
import re
from contextlib import suppress

from kubehop.sandbox.proc.files import read
from kubehop.sandbox.proc.logs import Named, NamedContainer

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_ANNOTATION = re.compile(
    rb'(?<!\\)"io\.kubernetes\.cri\.(sandbox-name|sandbox-namespace|sandbox-uid|container-name)"'
    rb'\s*:\s*"([a-zA-Z0-9.-]{1,253})"'
)
"""JSON has no quote within a string without a backslash, so this is a key and its value."""
_LARGEST = 1 << 20


def named(shim: int, id: str, root: str = "/") -> NamedContainer | None:
    """What the container (or sandbox, whose own name is "") `id` of a shim is called.

    None where that is not written, or not for us.
    """
    with suppress(OSError):
        folder = os.open(os.path.join(root, f"proc/{shim}/cwd"), _FLAGS)
        try:
            return container_of(read(f"../{id}/config.json", folder, _LARGEST))
        finally:
            os.close(folder)
    return None


def container_of(config: bytes) -> NamedContainer | None:
    """By the text of an OCI config.json; None without a pod's name."""
    found = {key.decode(): value.decode() for key, value in _ANNOTATION.findall(config)}
    pod = Named(*(found.get(f"sandbox-{what}", "") for what in ("namespace", "name", "uid")))
    return NamedContainer(pod, found.get("container-name", "")) if pod.name else None
