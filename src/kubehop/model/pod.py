"""Pods, and the templates that controllers make them from."""

from typing import Literal

import msgspec

from kubehop.model.meta import (
    Labels,
    Object,
    Port,
    PortOrZero,
    Protocol,
    Requirement,
    TemplateMeta,
    Value,
)


class ContainerPort(Value, frozen=True):
    """`spec.containers[].ports[]`."""

    container_port: Port
    name: str | None = None
    protocol: Protocol = "TCP"
    host_port: PortOrZero | None = None
    host_ip: str | None = msgspec.field(default=None, name="hostIP")


class Container(Value, frozen=True):
    """A container's ports; `restart_policy` "Always" makes an init container a sidecar."""

    name: str = ""
    ports: tuple[ContainerPort, ...] | None = None
    restart_policy: str | None = None


class Toleration(Value, frozen=True):
    """`spec.tolerations[]`."""

    key: str | None = None
    operator: Literal["Exists", "Equal", "Gt", "Lt", ""] | None = None
    value: str | None = None
    effect: str | None = None


class NodeSelectorTerm(Value, frozen=True):
    """Requirements that must all hold; a term without any matches no node."""

    match_expressions: tuple[Requirement, ...] | None = None
    match_fields: tuple[Requirement, ...] | None = None


class NodeSelector(Value, frozen=True):
    """Terms of which one must hold."""

    node_selector_terms: tuple[NodeSelectorTerm, ...] = ()


class NodeAffinity(Value, frozen=True):
    """Only the required part: preferences never forbid a node."""

    required: NodeSelector | None = msgspec.field(
        default=None, name="requiredDuringSchedulingIgnoredDuringExecution"
    )


class Affinity(Value, frozen=True):
    """`spec.affinity`."""

    node_affinity: NodeAffinity | None = None


class DNSOption(Value, frozen=True):
    """`spec.dnsConfig.options[]`: `ndots` with a value, `edns0` without one."""

    name: str = ""
    value: str | None = None


class PodDNSConfig(Value, frozen=True):
    """`spec.dnsConfig`: added to what `dnsPolicy` gives."""

    nameservers: tuple[str, ...] | None = None
    searches: tuple[str, ...] | None = None
    options: tuple[DNSOption, ...] | None = None


class HostAlias(Value, frozen=True):
    """`spec.hostAliases[]`: a line of the pod's /etc/hosts."""

    ip: str
    hostnames: tuple[str, ...] | None = None


class PodSpec(Value, frozen=True):
    """`spec` of a pod or pod template."""

    containers: tuple[Container, ...] | None = None
    init_containers: tuple[Container, ...] | None = None
    node_name: str | None = None
    host_network: bool | None = None
    hostname: str | None = None
    subdomain: str | None = None
    set_hostname_as_fqdn: bool | None = msgspec.field(default=None, name="setHostnameAsFQDN")
    dns_policy: Literal["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None", ""] | None = (
        None
    )
    dns_config: PodDNSConfig | None = msgspec.field(default=None, name="dnsConfig")
    host_aliases: tuple[HostAlias, ...] | None = None
    node_selector: Labels | None = None
    affinity: Affinity | None = None
    tolerations: tuple[Toleration, ...] | None = None


class PodIP(Value, frozen=True):
    """`status.podIPs[]` and `status.hostIPs[]`."""

    ip: str


class Condition(Value, frozen=True):
    """A status condition; `status` is "True", "False" or "Unknown"."""

    type: str
    status: str


class PodStatus(Value, frozen=True):
    """`status`: what the kubelet reports."""

    phase: str | None = None
    pod_ip: str | None = msgspec.field(default=None, name="podIP")
    pod_ips: tuple[PodIP, ...] | None = msgspec.field(default=None, name="podIPs")
    host_ip: str | None = msgspec.field(default=None, name="hostIP")
    conditions: tuple[Condition, ...] | None = None


class Pod(Object, frozen=True):
    """A pod."""

    spec: PodSpec = PodSpec()
    status: PodStatus | None = None

    @property
    def node_name(self) -> str:
        """The node it was put on, "" if none yet."""
        return self.spec.node_name or ""

    @property
    def host_network(self) -> bool:
        return bool(self.spec.host_network)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Its addresses, primary first; empty until the sandbox has one."""
        status = self.status
        if status is None:
            return ()
        if status.pod_ips:
            return tuple(entry.ip for entry in status.pod_ips)
        return (status.pod_ip,) if status.pod_ip else ()

    @property
    def phase(self) -> str:
        return (self.status and self.status.phase) or ""

    @property
    def finished(self) -> bool:
        """True if all its containers have ended for good: its address is free for others."""
        return self.phase in ("Succeeded", "Failed")

    @property
    def ready(self) -> bool:
        """The Ready condition; a pod without conditions is not ready."""
        conditions = (self.status and self.status.conditions) or ()
        return any(c.type == "Ready" and c.status == "True" for c in conditions)

    @property
    def terminating(self) -> bool:
        return self.metadata.deletion_timestamp is not None


class PodTemplate(Value, frozen=True):
    """`spec.template` of a controller."""

    metadata: TemplateMeta | None = None
    spec: PodSpec = PodSpec()

    @property
    def labels(self) -> Labels:
        return (self.metadata and self.metadata.labels) or {}
