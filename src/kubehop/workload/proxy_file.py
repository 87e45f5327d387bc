"""The kube-proxy ConfigMap, as kubeadm writes it: a KubeProxyConfiguration in `config.conf`."""

import msgspec

from kubehop.model.addresses import network
from kubehop.model.config import ConfigMap
from kubehop.model.errors import InputError
from kubehop.model.meta import Value
from kubehop.model.proxy import DetectLocal, ProxyConfig, ProxyMode
from kubehop.source.yamls import load_all

NAME = ("kube-system", "kube-proxy")
KEY = "config.conf"
FIELD = f"data.{KEY}"
SAME_NODE_GATE = "PreferSameTrafficDistribution"


class IPTables(Value, frozen=True):
    """`iptables` of KubeProxyConfiguration."""

    masquerade_all: bool | None = None
    localhost_node_ports: bool | None = None


class NFTables(Value, frozen=True):
    """`nftables` of KubeProxyConfiguration."""

    masquerade_all: bool | None = None


class IPVS(Value, frozen=True):
    """`ipvs` of KubeProxyConfiguration."""

    scheduler: str | None = None


class KubeProxyConfiguration(Value, frozen=True):
    """kubeproxy.config.k8s.io/v1alpha1, only what changes a packet's fate."""

    mode: str | None = None
    cluster_cidr: str | None = msgspec.field(default=None, name="clusterCIDR")
    detect_local_mode: str | None = None
    node_port_addresses: tuple[str, ...] | None = None
    iptables: IPTables | None = None
    nftables: NFTables | None = None
    ipvs: IPVS | None = None
    feature_gates: dict[str, bool] | None = None


def proxy_config(config_map: ConfigMap) -> ProxyConfig | None:
    """What the ConfigMap says, with upstream's defaults; None if it holds no such file.

    An empty mode means iptables. Raises InputError, naming the field, for a file that kube-proxy
    would not start with.
    """
    text = (config_map.data or {}).get(KEY)
    found = _read(text, config_map) if text else None
    if found is None:
        return None
    reference = config_map.reference
    mode = ProxyMode(_known(found.mode or "iptables", "mode", tuple(ProxyMode), reference))
    detect = found.detect_local_mode or DetectLocal.CLUSTER_CIDR
    _known(detect, "detectLocalMode", tuple(DetectLocal), reference)
    iptables, nftables = found.iptables or IPTables(), found.nftables or NFTables()
    masquerade = nftables if mode is ProxyMode.NFTABLES else iptables
    return ProxyConfig(
        mode=mode,
        detect_local=DetectLocal(detect),
        cluster_cidrs=_cluster_cidrs(found, reference),
        masquerade_all=bool(masquerade.masquerade_all),
        nodeport_addresses=_node_port_addresses(found, reference),
        localhost_nodeports=iptables.localhost_node_ports is not False,
        ipvs_scheduler=(found.ipvs and found.ipvs.scheduler) or "rr",
        same_node_hints=(found.feature_gates or {}).get(SAME_NODE_GATE, True),
    )


def _read(text: str, config_map: ConfigMap) -> KubeProxyConfiguration | None:
    try:
        for document in load_all(text.encode()):
            if document is not None:
                return msgspec.convert(document, KubeProxyConfiguration)
    except InputError as error:
        raise _error(error.problem, "", config_map.reference) from error
    except msgspec.ValidationError as error:
        raise _error(str(error), "", config_map.reference) from error
    return None


def _error(problem: str, field: str, reference: str) -> InputError:
    where = f"{FIELD}: {field}" if field else FIELD
    return InputError(problem, object=reference, field=where)


def _known(value: str, field: str, values: tuple[str, ...], reference: str) -> str:
    if value not in values:
        raise _error(f"{value!r} is none of {', '.join(values)}", field, reference)
    return value


def _cluster_cidrs(found: KubeProxyConfiguration, reference: str) -> tuple[str, ...]:
    cidrs = tuple(filter(None, (found.cluster_cidr or "").split(",")))
    return tuple(_checked(cidr.strip(), "clusterCIDR", reference) for cidr in cidrs)


def _node_port_addresses(found: KubeProxyConfiguration, reference: str) -> tuple[str, ...] | None:
    """None if unset or empty: both mean the mode's default."""
    return (
        tuple(
            cidr if cidr == "primary" else _checked(cidr, "nodePortAddresses", reference)
            for cidr in found.node_port_addresses or ()
        )
        or None
    )


def _checked(cidr: str, field: str, reference: str) -> str:
    try:
        network(cidr)
    except ValueError:
        raise _error(f"{cidr!r} is not a CIDR", field, reference) from None
    return cidr
