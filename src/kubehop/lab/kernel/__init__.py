"""What makes a lab's things: namespaces, netlink, libnftables, mounts. Knows no Kubernetes.

`entered` runs a function as the first process of namespaces of its own; a `Kernel` there does
the steps of `kubehop.lab.plan.values`. Nothing here touches the machine's own network.
"""

from kubehop.lab.kernel.base import Base
from kubehop.lab.kernel.enter import Child, entered
from kubehop.lab.kernel.kernel import Kernel

__all__ = ["Base", "Child", "Kernel", "entered"]
