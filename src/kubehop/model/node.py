"""Nodes and namespaces."""

import msgspec

from kubehop.model.meta import Object, Value
from kubehop.model.pod import Condition

ZONE_LABEL = "topology.kubernetes.io/zone"
EXCLUDE_LB_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers"


class Taint(Value, frozen=True):
    """`spec.taints[]`."""

    key: str
    effect: str
    value: str | None = None


class NodeSpec(Value, frozen=True):
    """`spec` of a node."""

    pod_cidr: str | None = msgspec.field(default=None, name="podCIDR")
    pod_cidrs: tuple[str, ...] | None = msgspec.field(default=None, name="podCIDRs")
    taints: tuple[Taint, ...] | None = None
    unschedulable: bool | None = None


class NodeAddress(Value, frozen=True):
    """`status.addresses[]`: InternalIP, ExternalIP, Hostname and others."""

    type: str
    address: str


class NodeStatus(Value, frozen=True):
    """`status` of a node."""

    addresses: tuple[NodeAddress, ...] | None = None
    conditions: tuple[Condition, ...] | None = None
    allocatable: "Allocatable | None" = None


class Allocatable(Value, frozen=True):
    """`status.allocatable`: only what topology-mode Auto weighs nodes by."""

    cpu: str | int | None = None


class Node(Object, frozen=True):
    """A node."""

    spec: NodeSpec | None = None
    status: NodeStatus | None = None

    @property
    def zone(self) -> str:
        """Its zone label, "" when it has none."""
        return self.labels.get(ZONE_LABEL, "")

    @property
    def pod_cidrs(self) -> tuple[str, ...]:
        if self.spec is None:
            return ()
        if self.spec.pod_cidrs:
            return self.spec.pod_cidrs
        return (self.spec.pod_cidr,) if self.spec.pod_cidr else ()

    @property
    def internal_ips(self) -> tuple[str, ...]:
        return self._addresses("InternalIP")

    @property
    def external_ips(self) -> tuple[str, ...]:
        return self._addresses("ExternalIP")

    def _addresses(self, kind: str) -> tuple[str, ...]:
        addresses = (self.status and self.status.addresses) or ()
        return tuple(a.address for a in addresses if a.type == kind)

    @property
    def resolv_conf(self) -> str | None:
        """The text of its resolv.conf where an annotation tells it."""
        annotations = self.metadata.annotations
        return annotations.resolv_conf if annotations else None

    @property
    def ready(self) -> bool:
        """The Ready condition; a node that reports no condition counts as ready."""
        conditions = (self.status and self.status.conditions) or ()
        return all(c.status == "True" for c in conditions if c.type == "Ready")


class Namespace(Object, frozen=True):
    """A namespace; its labels are what policies select by."""
