"""What all Kubernetes objects share: metadata, owner references, label selectors.

Only the fields that kubehop uses; everything else in an object costs nothing.
The API writes `null` for an empty list or map, hence the `| None` on every container.
"""

from typing import Annotated, Literal

import msgspec

Labels = dict[str, str]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
PortOrZero = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Protocol = Literal["TCP", "UDP", "SCTP"]


class Value(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, rename="camel"):
    """Base of everything decoded from Kubernetes JSON: frozen, camelCase outside."""


class Annotations(Value, frozen=True):
    """The only annotations that the model reads; all others are dropped when decoding."""

    topology_mode: str | None = msgspec.field(
        default=None, name="service.kubernetes.io/topology-mode"
    )
    topology_aware_hints: str | None = msgspec.field(
        default=None, name="service.kubernetes.io/topology-aware-hints"
    )
    calico_vxlan_tunnel: str | None = msgspec.field(
        default=None, name="projectcalico.org/IPv4VXLANTunnelAddr"
    )
    calico_ipip_tunnel: str | None = msgspec.field(
        default=None, name="projectcalico.org/IPv4IPIPTunnelAddr"
    )
    resolv_conf: str | None = msgspec.field(default=None, name="kubehop.dev/resolv-conf")
    """On a Node: the text of the file that its kubelet's resolvConf names. Our own annotation:
    no object of Kubernetes tells it."""


class OwnerReference(Value, frozen=True):
    """Who manages an object: `metadata.ownerReferences[]`."""

    kind: str
    name: str
    controller: bool | None = None


class ObjectMeta(Value, frozen=True):
    """`metadata` of an object that stands by itself."""

    name: str
    namespace: str | None = None
    labels: Labels | None = None
    annotations: Annotations | None = None
    owner_references: tuple[OwnerReference, ...] | None = None
    deletion_timestamp: str | None = None


class TemplateMeta(Value, frozen=True):
    """`metadata` of a pod template: nothing in it is required."""

    labels: Labels | None = None


class Requirement(Value, frozen=True):
    """One `matchExpressions[]` of a label or node selector."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    values: tuple[str, ...] | None = None


class LabelSelector(Value, frozen=True):
    """A `metav1.LabelSelector`; empty selects everything."""

    match_labels: Labels | None = None
    match_expressions: tuple[Requirement, ...] | None = None


class Object(Value, frozen=True):
    """An object with metadata; every kind in `kubehop.model.kinds` is one."""

    metadata: ObjectMeta

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def namespace(self) -> str:
        """The namespace, "" for a cluster-scoped object."""
        return self.metadata.namespace or ""

    @property
    def labels(self) -> Labels:
        return self.metadata.labels or {}

    @property
    def reference(self) -> str:
        """How findings, hops and errors name the object: "Service default/web"."""
        scope = f"{self.namespace}/" if self.namespace else ""
        return f"{type(self).__name__} {scope}{self.name}"
