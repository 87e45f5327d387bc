"""The resolv.conf that the kubelet gives a pod (`pkg/kubelet/network/dns/dns.go`).

| dnsPolicy              | hostNetwork | nameservers | search                    | options   |
|------------------------|-------------|-------------|---------------------------|-----------|
| ClusterFirst, none     | no          | clusterDNS  | ns.svc.D svc.D D + node's | ndots:5   |
| ClusterFirst, none     | yes         | the node's  | the node's                | the node's|
| ClusterFirstWithHostNet| any         | clusterDNS  | ns.svc.D svc.D D + node's | ndots:5   |
| Default                | any         | the node's  | the node's                | the node's|
| None                   | any         | none        | none                      | none      |

dnsConfig is added to each. The file is written when the sandbox is made and never again.
"""

from dataclasses import dataclass, replace

from kubehop.dns.resolv.node_file import NodeFile, merge, read
from kubehop.model.addresses import canonical
from kubehop.model.pod import Pod, PodDNSConfig

MAX_NAMESERVERS, MAX_DOMAIN = 3, 253
LEGACY_LIMITS = (6, 256)
EXPANDED_LIMITS = (32, 2048)
"""Search domains and characters, before and since the gate ExpandedDNSConfig (on since 1.26)."""
CLUSTER_OPTIONS = ("ndots:5",)


@dataclass(frozen=True, slots=True)
class KubeletDNS:
    """What of a kubelet's configuration decides; `resolv_conf` is the TEXT of its file.

    `resolv_conf` None stands for --resolv-conf="": then `node_addresses` decide which loopback
    address is written. `expanded` False for the limits before ExpandedDNSConfig.
    """

    cluster_dns: tuple[str, ...] = ()
    cluster_domain: str = ""
    resolv_conf: str | None = ""
    node_addresses: tuple[str, ...] = ()
    expanded: bool = True


@dataclass(frozen=True, slots=True)
class Event:
    """A Warning that the kubelet records on the pod (`on_node`: on the node)."""

    reason: str
    message: str
    on_node: bool = False


@dataclass(frozen=True, slots=True)
class PodResolvConf:
    """What the kubelet hands to the container runtime.

    The order of `options` is that of a map in the kubelet and means nothing. `why` says which
    policy decided; `problem` why the pod is never started, "" if it is.
    """

    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()
    why: str = ""
    problem: str = ""

    @property
    def text(self) -> str:
        """The file as containerd lays it out: search, nameserver, options."""
        lines = [
            f"search {' '.join(self.searches)}\n" if self.searches else "",
            *(f"nameserver {address}\n" for address in self.nameservers),
            f"options {' '.join(self.options)}\n" if self.options else "",
        ]
        return "".join(lines)


def pod_resolv_conf(pod: Pod, kubelet: KubeletDNS) -> PodResolvConf:
    """The resolv.conf of a pod on a node whose kubelet is so configured, and the events."""
    node = read(kubelet.resolv_conf or "")
    if node.problem:
        return PodResolvConf(problem=f"the kubelet cannot read its resolv.conf: {node.problem}")
    base = _base(pod, kubelet, node)
    if pod.spec.dns_config is not None:
        base = _with_config(base, pod.spec.dns_config)
    return _within_limits(base, kubelet)


def _base(pod: Pod, kubelet: KubeletDNS, node: NodeFile) -> PodResolvConf:
    """What dnsPolicy alone gives."""
    policy = pod.spec.dns_policy or "ClusterFirst"
    if policy == "None":
        return PodResolvConf(why="dnsPolicy None: only dnsConfig counts")
    if policy == "Default":
        return _of_node(kubelet, node, "dnsPolicy Default: the node's")
    if policy == "ClusterFirst" and pod.host_network:
        return _of_node(kubelet, node, "dnsPolicy ClusterFirst with hostNetwork: the node's")
    if kubelet.cluster_dns:
        return _of_cluster(pod, kubelet, node, f"dnsPolicy {policy}: the cluster's")
    why = f"dnsPolicy {policy}, but the kubelet has no clusterDNS: the node's"
    return replace(_of_node(kubelet, node, why), events=_missing(pod))


def _of_cluster(pod: Pod, kubelet: KubeletDNS, node: NodeFile, why: str) -> PodResolvConf:
    domain = kubelet.cluster_domain
    searches = node.searches
    if domain:
        namespace = pod.metadata.namespace or "default"
        own = (f"{namespace}.svc.{domain}", f"svc.{domain}", domain)
        searches = tuple(dict.fromkeys((*own, *node.searches)))
    servers = tuple(canonical(address) for address in kubelet.cluster_dns)
    return PodResolvConf(servers, searches, CLUSTER_OPTIONS, why=why)


def _of_node(kubelet: KubeletDNS, node: NodeFile, why: str) -> PodResolvConf:
    if kubelet.resolv_conf is not None:
        return PodResolvConf(node.nameservers, node.searches, node.options, why=why)
    # DNS is switched off: a nameserver on the loopback, and the root instead of a list.
    loopback = tuple("::1" if ":" in a else "127.0.0.1" for a in kubelet.node_addresses)
    return PodResolvConf(loopback or ("127.0.0.1",), (".",), why=f"{why} (--resolv-conf is empty)")


def _missing(pod: Pod) -> tuple[Event, ...]:
    said = (
        "kubelet does not have ClusterDNS IP configured and cannot create Pod using "
        '"ClusterFirst" policy. Falling back to "Default" policy.'
    )
    name = f"{pod.metadata.name}_{pod.metadata.namespace or 'default'}"
    return (
        Event("MissingClusterDNS", said, on_node=True),
        Event("MissingClusterDNS", f'pod: "{name}". {said}'),
    )


def _with_config(base: PodResolvConf, config: PodDNSConfig) -> PodResolvConf:
    """dnsConfig behind the policy's: the first of equal entries stays, the pod's options win."""
    given = [f"{o.name}:{o.value}" if o.value else o.name for o in config.options or ()]
    return replace(
        base,
        nameservers=tuple(dict.fromkeys((*base.nameservers, *(config.nameservers or ())))),
        searches=tuple(dict.fromkeys((*base.searches, *(config.searches or ())))),
        options=merge(base.options, given),
    )


def _within_limits(conf: PodResolvConf, kubelet: KubeletDNS) -> PodResolvConf:
    events = list(conf.events)
    nameservers = conf.nameservers[:MAX_NAMESERVERS]
    if nameservers != conf.nameservers:
        events.append(
            _forming(
                "Nameserver limits were exceeded, some nameservers have been "
                "omitted, the applied nameserver line is: ",
                nameservers,
            )
        )
    searches = fitting(conf.searches, EXPANDED_LIMITS if kubelet.expanded else LEGACY_LIMITS)
    if searches != conf.searches:
        events.append(
            _forming(
                "Search Line limits were exceeded, some search paths have been "
                "omitted, the applied search line is: ",
                searches,
            )
        )
    return replace(conf, nameservers=nameservers, searches=searches, events=tuple(events))


def _forming(said: str, kept: tuple[str, ...]) -> Event:
    return Event("DNSConfigForming", f"{said}{' '.join(kept)}")


def fitting(searches: tuple[str, ...], limits: tuple[int, int]) -> tuple[str, ...]:
    """What is left of a search list: too many domains, too long ones and the tail are cut."""
    count, characters = limits
    kept = [domain for domain in searches[:count] if len(domain) <= MAX_DOMAIN]
    while kept and len(" ".join(kept)) > characters:
        kept.pop()
    return tuple(kept)


def node_event(kubelet: KubeletDNS, path: str = "/etc/resolv.conf") -> Event | None:
    """CheckLimitsForResolvConf: the node's own search list leaves no room for the cluster's."""
    if kubelet.resolv_conf is None:
        return None
    node = read(kubelet.resolv_conf)
    domains, characters = EXPANDED_LIMITS if kubelet.expanded else LEGACY_LIMITS
    domains -= 3 if kubelet.cluster_domain else 0
    problem = ""
    if node.problem:
        problem = node.problem
    elif len(node.searches) > domains:
        problem = f"contains search line consisting of more than {domains} domains!"
    elif any(len(domain) > MAX_DOMAIN for domain in node.searches):
        problem = f"contains a search path which length is more than allowed {MAX_DOMAIN} chars!"
    elif len(" ".join(node.searches)) > characters:
        problem = f"contains search line which length is more than allowed {characters} chars!"
    if not problem:
        return None
    said = problem if node.problem else f"Resolv.conf file '{path}' {problem}"
    return Event("CheckLimitsForResolvConf", said, on_node=True)
