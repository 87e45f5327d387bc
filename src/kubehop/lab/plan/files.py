"""What resolvers read in each namespace: resolv.conf, hosts, nsswitch.conf."""

from kubehop.dns.resolv.hostname import pod_hostname
from kubehop.dns.resolv.pod_hosts import HEADER, LOOPBACK, node_hosts
from kubehop.lab.plan.layout import PlacedNode, PlacedPod
from kubehop.model.node import Node
from kubehop.model.pod import Pod
from kubehop.trace.lookups import Names
from kubehop.trace.questions import node_origin, pod_origin

RESOLV_CONF, HOSTS, NSSWITCH = "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf"
SWITCH = (NSSWITCH, "hosts: files dns\n")

Texts = tuple[tuple[str, str], ...]
"""Path and text, as in `Sandbox.files`."""


def host_pod_files(names: Names, pod: Pod) -> Texts:
    """What programs of a pod on the host's network read there instead of the node's files."""
    files = names.files(pod_origin(pod))
    return ((RESOLV_CONF, files.resolv_conf), (HOSTS, files.hosts), SWITCH)


class Files:
    """The files of every namespace, from one cluster's names.

    `resolv_confs` are the texts written so far, `of_nodes` those of nodes by name; `problems`
    say why a pod would never start, by its reference.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._by_namespace: dict[str, str] = {}
        self.resolv_confs: dict[str, None] = {}
        self.of_nodes: dict[str, str] = {}
        self.problems: dict[str, str] = {}

    def of_node(self, node: PlacedNode) -> Texts:
        """A node's own: it knows its name, and the resolver that its kubelet's file names."""
        text = self.of_nodes[node.name] = self.resolv_conf(self._node(node.name))
        return self._texts(text, node_hosts(node.name, node.addresses))

    def of_pod(self, pod: PlacedPod) -> tuple[str, Texts]:
        """Hostname and files of a pod, as the kubelet writes them."""
        if pod.pod is None:
            return self._of_stand_in(pod)
        files = self._names.files(pod_origin(pod.pod))
        if files.problem:
            self.problems[pod.pod.reference] = files.problem
        names = pod_hostname(pod.pod, self._names.domain, pod.node)
        hostname = names.kernel or names.hostname or pod.pod.name[:63]
        return hostname, self._texts(files.resolv_conf, files.hosts)

    def _of_stand_in(self, pod: PlacedPod) -> tuple[str, Texts]:
        """An endpoint without a pod: as any pod of its namespace."""
        _, namespace, name = pod.namespace.split("/", 2)
        if namespace not in self._by_namespace:
            self._by_namespace[namespace] = self._names.files(None, namespace).resolv_conf
        hostname = name.replace(":", "-").replace(".", "-").strip("-")
        lines = "".join(f"{address}\t{hostname}\n" for address in pod.addresses)
        return hostname, self._texts(self._by_namespace[namespace], HEADER + LOOPBACK + lines)

    def of_outside(self, nameservers: tuple[str, ...]) -> Texts:
        """A client outside, with the resolver that is there."""
        text = "".join(f"nameserver {address}\n" for address in nameservers)
        return ((RESOLV_CONF, text), (HOSTS, node_hosts("", ())), SWITCH)

    def resolv_conf(self, holder: Pod | Node) -> str:
        """What a pod's or a node's resolver reads."""
        if isinstance(holder, Node):
            return self._names.files(node_origin(holder)).resolv_conf
        return self._names.files(pod_origin(holder)).resolv_conf

    def _node(self, name: str) -> Node:
        node = self._names.cluster.node(name)
        assert node is not None
        return node

    def _texts(self, resolv_conf: str, hosts: str) -> Texts:
        self.resolv_confs[resolv_conf] = None
        return ((RESOLV_CONF, resolv_conf), (HOSTS, hosts), SWITCH)
