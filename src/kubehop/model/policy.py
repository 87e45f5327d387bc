"""NetworkPolicy (networking.k8s.io/v1)."""

from typing import Literal

import msgspec

from kubehop.model.meta import LabelSelector, Object, Port, Protocol, Value


class IPBlock(Value, frozen=True):
    """`ipBlock` of a peer."""

    cidr: str
    excluded: tuple[str, ...] | None = msgspec.field(default=None, name="except")


class PolicyPeer(Value, frozen=True):
    """One entry of `from` or `to`."""

    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    ip_block: IPBlock | None = None


class PolicyPort(Value, frozen=True):
    """One entry of `ports`."""

    protocol: Protocol | None = None
    port: int | str | None = None
    end_port: Port | None = None


class IngressRule(Value, frozen=True):
    """One `ingress[]` rule."""

    sources: tuple[PolicyPeer, ...] | None = msgspec.field(default=None, name="from")
    ports: tuple[PolicyPort, ...] | None = None


class EgressRule(Value, frozen=True):
    """One `egress[]` rule."""

    to: tuple[PolicyPeer, ...] | None = None
    ports: tuple[PolicyPort, ...] | None = None


class PolicySpec(Value, frozen=True):
    """`spec` of a NetworkPolicy."""

    pod_selector: LabelSelector = LabelSelector()
    policy_types: tuple[Literal["Ingress", "Egress"], ...] | None = None
    ingress: tuple[IngressRule, ...] | None = None
    egress: tuple[EgressRule, ...] | None = None


class NetworkPolicy(Object, frozen=True):
    """A NetworkPolicy."""

    spec: PolicySpec = PolicySpec()
