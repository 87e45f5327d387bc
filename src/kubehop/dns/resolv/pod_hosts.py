"""The /etc/hosts that the kubelet mounts into a pod (`kubelet_pods.go`, ensureHostsFile)."""

from collections.abc import Iterable

from kubehop.dns.resolv.hostname import PodHostname
from kubehop.model.pod import HostAlias, Pod

HEADER = "# Kubernetes-managed hosts file.\n"
HOST_NETWORK_HEADER = "# Kubernetes-managed hosts file (host network).\n"
LOOPBACK = (
    "127.0.0.1\tlocalhost\n"
    "::1\tlocalhost ip6-localhost ip6-loopback\n"
    "fe00::0\tip6-localnet\n"
    "fe00::0\tip6-mcastprefix\n"
    "fe00::1\tip6-allnodes\n"
    "fe00::2\tip6-allrouters\n"
)


def node_hosts(name: str, addresses: Iterable[str]) -> str:
    """A node's own file as installers leave it: the loopback, and the node's name."""
    own = "".join(f"{address}\t{name}\n" for address in addresses)
    return f"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n{own}"


def pod_hosts(pod: Pod, names: PodHostname, node_hosts: str = "") -> str:
    """The text of the file.

    `node_hosts` is the node's own file: a pod on the host's network starts with a copy of it. A
    container that mounts something at /etc/hosts itself gets that instead.
    """
    aliases = _aliases(pod.spec.host_aliases or ())
    if pod.host_network:
        return f"{HOST_NETWORK_HEADER}{node_hosts}{aliases}"
    own = f"{names.fqdn}\t{names.hostname}" if names.domain else names.hostname
    return HEADER + LOOPBACK + "".join(f"{a}\t{own}\n" for a in pod.addresses) + aliases


def _aliases(aliases: tuple[HostAlias, ...]) -> str:
    if not aliases:
        return ""
    lines = ("\t".join((alias.ip, *(alias.hostnames or ()))) for alias in aliases)
    return "\n# Entries added by HostAliases.\n" + "".join(f"{line}\n" for line in lines)
