"""Objects that configure the network: ConfigMap (only two of them) and ServiceCIDR."""

from kubehop.model.meta import Object, Value


class ConfigMap(Object, frozen=True):
    """A ConfigMap; only those in `READ_CONFIG_MAPS` are ever kept."""

    data: dict[str, str] | None = None


class ServiceCIDRSpec(Value, frozen=True):
    """`spec` of a ServiceCIDR."""

    cidrs: tuple[str, ...] | None = None


class ServiceCIDR(Object, frozen=True):
    """A range that cluster IPs are taken from."""

    spec: ServiceCIDRSpec = ServiceCIDRSpec()


READ_CONFIG_MAPS = frozenset({("kube-system", "coredns"), ("kube-system", "kube-proxy")})
"""The only ConfigMaps that are read (namespace, name): others may hold secrets."""
