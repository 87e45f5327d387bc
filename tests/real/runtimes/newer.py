"""containerd 2 and the runc that it wants, built from the pinned Go modules in `containerd2/`.

Debian's are 1.6 and 1.1: their CRI has other details, and no pod with a user namespace of its own.

Usage: python -m tests.real.runtimes.newer prints the folder, for KUBEHOP_CONTAINERD.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.real.go_build import Module
from tests.real.needs import lacks
from tests.real.runtimes.containerd import Containerd, containerd
from tests.real.runtimes.host import Host
from tests.real.runtimes.kubelet import App, Wanted
from tests.real.runtimes.programs import Programs
from tests.real.runtimes.wanted import wanted_pods

FIRST_ID = 524288
"""Of user ids on the host."""

_KERNEL = (5, 19)
_PACKAGE = "github.com/containerd/containerd/v2"
_CONTAINERD = Module(Path(__file__).parent / "containerd2", "containerd 2", _PACKAGE, ("tool",))
_LISTEN = ("/listen", "tcp", "::", "8080", "udp", "0.0.0.0", "5353")


def programs() -> Programs:
    """Built now if they are not in the cache. This runc is without libseccomp."""
    version = f"-X {_PACKAGE}/version.Version={_CONTAINERD.version()}"
    options = ("-ldflags=-s -w " + version, "-tags=no_btrfs,no_devmapper,no_zfs,no_tracing")
    return Programs(replace(_CONTAINERD, options=options).built())


@contextmanager
def newer(folder: Path) -> Iterator[Containerd]:
    """A host with containerd 2 and a pod of each sort that it tells otherwise."""
    if tuple(map(int, re.findall(r"\d+", os.uname().release)[:2])) < _KERNEL:
        lacks("Linux 5.19 or newer: overlayfs with mapped user ids", in_ci=False)
    with containerd(folder, wanted, programs()) as made:
        yield made


def wanted(host: Host) -> Mapping[str, Wanted]:
    """Some of `wanted_pods`, and `apart`, whose root is an ordinary user of the host."""
    pods = wanted_pods(host)
    some = {name: pods[name] for name in ("web", "node", "again")}
    apps = (App("app", _LISTEN), App("helper", ("sleep", "1000000")))
    apart = Wanted(f"apart-{host.token}", f"safe-{host.token}", apps, first_id=FIRST_ID)
    return {**some, "apart": apart}


if __name__ == "__main__":
    print(programs().folder)
