"""Names that a kubelet gives docker containers; pure.

    k8s_<container>_<pod>_<namespace>_<uid>_<attempt>[_<random>]

`core/naming.go` of cri-dockerd (dockershim's before): the sandbox's container is POD, the random
part comes with a name that was taken. None of the parts may hold a `_`, so a name has six or
seven of them or is nobody's of a kubelet.
"""

from msgspec import Struct

SANDBOX = "POD"
_ATTEMPTS = 1 << 32


class KubeName(Struct, frozen=True):
    """The parts; `container` is POD for a sandbox."""

    container: str
    pod: str
    namespace: str
    uid: str
    attempt: int

    @property
    def is_sandbox(self) -> bool:
        return self.container == SANDBOX


def kube_name(name: str) -> KubeName | None:
    """The parts of a docker name, with or without its slash; None for one of no kubelet."""
    parts = name.removeprefix("/").split("_")
    if len(parts) not in (6, 7) or parts[0] != "k8s" or not all(parts[1:5]):
        return None
    attempt = parts[5]
    if not (attempt.isascii() and attempt.isdigit() and len(attempt) <= 10):
        return None
    container, pod, namespace, uid = parts[1:5]
    number = int(attempt)
    return KubeName(container, pod, namespace, uid, number) if number < _ATTEMPTS else None


def own_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Without the slash; `/other/alias` is what a link of another container calls this one."""
    bare = (name.removeprefix("/") for name in names)
    return tuple(name for name in bare if name and "/" not in name)
