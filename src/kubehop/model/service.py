"""Services, and the endpoints behind them: EndpointSlice and the older Endpoints."""

from typing import Annotated, Literal

import msgspec

from kubehop.model.meta import Labels, Object, Port, PortOrZero, Protocol, Value

SERVICE_NAME_LABEL = "kubernetes.io/service-name"
PROXY_NAME_LABEL = "service.kubernetes.io/service-proxy-name"
HEADLESS_LABEL = "service.kubernetes.io/headless"
SKIP_MIRROR_LABEL = "endpointslice.kubernetes.io/skip-mirror"

Policy = Literal["Cluster", "Local", ""]


class ServicePort(Value, frozen=True):
    """`spec.ports[]`; `target_port` is for the EndpointSlice controller, not for kube-proxy."""

    port: Port
    name: str | None = None
    protocol: Protocol = "TCP"
    target_port: int | str | None = None
    node_port: PortOrZero | None = None

    @property
    def key(self) -> str:
        """Port name and protocol: what ties it to a slice port."""
        return f"{self.name or ''}/{self.protocol}"


class ClientIPConfig(Value, frozen=True):
    """`sessionAffinityConfig.clientIP`."""

    timeout_seconds: Annotated[int, msgspec.Meta(ge=1, le=86400)] | None = None


class SessionAffinityConfig(Value, frozen=True):
    """`spec.sessionAffinityConfig`."""

    client_ip: ClientIPConfig | None = msgspec.field(default=None, name="clientIP")


class ServiceSpec(Value, frozen=True):
    """`spec` of a Service."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"] = "ClusterIP"
    cluster_ip: str | None = msgspec.field(default=None, name="clusterIP")
    cluster_ips: tuple[str, ...] | None = msgspec.field(default=None, name="clusterIPs")
    ip_families: tuple[Literal["IPv4", "IPv6"], ...] | None = None
    ip_family_policy: str | None = None
    ports: tuple[ServicePort, ...] | None = None
    selector: Labels | None = None
    external_ips: tuple[str, ...] | None = msgspec.field(default=None, name="externalIPs")
    external_traffic_policy: Policy | None = None
    internal_traffic_policy: Policy | None = None
    session_affinity: Literal["None", "ClientIP", ""] | None = None
    session_affinity_config: SessionAffinityConfig | None = None
    health_check_node_port: PortOrZero | None = None
    load_balancer_source_ranges: tuple[str, ...] | None = None
    allocate_load_balancer_node_ports: bool | None = None
    publish_not_ready_addresses: bool | None = None
    traffic_distribution: str | None = None
    external_name: str | None = None


class Ingress(Value, frozen=True):
    """`status.loadBalancer.ingress[]`; only an `ip` of mode VIP (the default) is a frontend."""

    ip: str | None = None
    hostname: str | None = None
    ip_mode: Literal["VIP", "Proxy"] | None = None


class LoadBalancer(Value, frozen=True):
    """`status.loadBalancer`."""

    ingress: tuple[Ingress, ...] | None = None


class ServiceStatus(Value, frozen=True):
    """`status` of a Service."""

    load_balancer: LoadBalancer | None = None


class Service(Object, frozen=True):
    """A Service."""

    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus | None = None

    @property
    def cluster_ips(self) -> tuple[str, ...]:
        """Its cluster IPs, primary first; () when headless, ExternalName or not allocated."""
        spec = self.spec
        if spec.type == "ExternalName" or self.headless:
            return ()
        addresses = spec.cluster_ips or (spec.cluster_ip or "",)
        return tuple(address for address in addresses if address)

    @property
    def headless(self) -> bool:
        spec = self.spec
        return spec.cluster_ip == "None" or (spec.cluster_ips or ())[:1] == ("None",)

    @property
    def ingress(self) -> tuple[Ingress, ...]:
        status = self.status
        return (status and status.load_balancer and status.load_balancer.ingress) or ()

    @property
    def ports(self) -> tuple[ServicePort, ...]:
        return self.spec.ports or ()

    @property
    def affinity_seconds(self) -> int | None:
        """The session affinity timeout in seconds, None without affinity (default 10800)."""
        if self.spec.session_affinity != "ClientIP":
            return None
        config = self.spec.session_affinity_config
        return (config and config.client_ip and config.client_ip.timeout_seconds) or 10800


class Named(Value, frozen=True):
    """An entry of `hints.forZones` or `hints.forNodes`."""

    name: str


class Hints(Value, frozen=True):
    """`endpoints[].hints`: who should use this endpoint; the controller's word to kube-proxy."""

    for_zones: tuple[Named, ...] | None = None
    for_nodes: tuple[Named, ...] | None = None


class EndpointConditions(Value, frozen=True):
    """`endpoints[].conditions`; see `Endpoint` for what unset means."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class TargetRef(Value, frozen=True):
    """The object behind an endpoint, usually a Pod."""

    kind: str | None = None
    name: str | None = None
    namespace: str | None = None


class SliceEndpoint(Value, frozen=True):
    """`endpoints[]` of an EndpointSlice."""

    addresses: tuple[str, ...]
    conditions: EndpointConditions | None = None
    node_name: str | None = None
    zone: str | None = None
    hostname: str | None = None
    hints: Hints | None = None
    target_ref: TargetRef | None = None


class SlicePort(Value, frozen=True):
    """`ports[]` of an EndpointSlice: the port that the endpoints really listen on."""

    name: str | None = None
    port: PortOrZero | None = None
    protocol: Protocol | None = None


class EndpointSlice(Object, frozen=True):
    """Endpoints of one Service, one address family and one list of ports."""

    address_type: Literal["IPv4", "IPv6", "FQDN"]
    endpoints: tuple[SliceEndpoint, ...] | None = None
    ports: tuple[SlicePort, ...] | None = None

    @property
    def service_name(self) -> str:
        """The Service it belongs to, "" if the label is missing."""
        return self.labels.get(SERVICE_NAME_LABEL, "")


class EndpointAddress(Value, frozen=True):
    """`subsets[].addresses[]` of Endpoints."""

    ip: str
    hostname: str | None = None
    node_name: str | None = None
    target_ref: TargetRef | None = None


class EndpointPort(Value, frozen=True):
    """`subsets[].ports[]` of Endpoints."""

    port: Port
    name: str | None = None
    protocol: Protocol = "TCP"


class EndpointSubset(Value, frozen=True):
    """`subsets[]` of Endpoints: every address serves every port."""

    addresses: tuple[EndpointAddress, ...] | None = None
    not_ready_addresses: tuple[EndpointAddress, ...] | None = None
    ports: tuple[EndpointPort, ...] | None = None


class Endpoints(Object, frozen=True):
    """The older form; read only to be mirrored where a Service has no EndpointSlice."""

    subsets: tuple[EndpointSubset, ...] | None = None
