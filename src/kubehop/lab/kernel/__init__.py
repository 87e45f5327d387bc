"""What makes a lab's things: namespaces, netlink, libnftables, mounts. Knows no Kubernetes.

`entered` runs a function as the first process of namespaces of its own; a `Kernel` there does
the steps of `kubehop.lab.plan.values`. Nothing here touches the machine's own network.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kubehop.lab.kernel.base import Base
    from kubehop.lab.kernel.enter import Child, entered
    from kubehop.lab.kernel.kernel import Kernel

__all__ = ["Base", "Child", "Kernel", "entered"]

_MODULES = {"Base": "base", "Child": "enter", "entered": "enter", "Kernel": "kernel"}


def __getattr__(name: str) -> Any:
    """Import what is asked for: `kubehop lab exec` needs none of it, and is to be quick."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
