"""What a caller may say about a cluster that its objects do not tell."""

from dataclasses import dataclass

from kubehop.model.proxy import DetectLocal, ProxyMode


@dataclass(frozen=True, slots=True)
class Options:
    """Each field wins over what is found in the input; None means: find out or assume.

    `nodes` and `zones` shape imaginary nodes, used only where the input has none.
    `pod_network` is a name of `kubehop.model.pod_network.POD_NETWORKS`.
    """

    nodes: int = 3
    zones: int = 0
    proxy_mode: ProxyMode | None = None
    detect_local: DetectLocal | None = None
    cluster_cidrs: tuple[str, ...] | None = None
    service_cidrs: tuple[str, ...] | None = None
    nodeport_addresses: tuple[str, ...] | None = None
    masquerade_all: bool | None = None
    pod_network: str | None = None
