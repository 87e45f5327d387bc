"""A pod's hostname and domain (`GeneratePodHostNameAndDomain`, kubelet_pods.go).

A subdomain alone makes no DNS name: a headless Service of that name must select the pod, and the
EndpointSlice must carry the hostname.
"""

from dataclasses import dataclass

from kubehop.model.pod import Pod

MAX_HOSTNAME, MAX_KERNEL = 63, 64
"""A label, and the kernel's nodename."""


@dataclass(frozen=True, slots=True)
class PodHostname:
    """`hostname` and `domain` ("" without a subdomain), and what `hostname` prints in the pod.

    `problem` says why the pod stays in ContainerCreating, "" if it does not.
    """

    hostname: str
    domain: str = ""
    kernel: str = ""
    problem: str = ""

    @property
    def fqdn(self) -> str:
        return f"{self.hostname}.{self.domain}" if self.domain else self.hostname


def pod_hostname(pod: Pod, cluster_domain: str, node_name: str = "") -> PodHostname:
    """The names of a pod; one on the host's network has the hostname of its node."""
    hostname = (pod.spec.hostname or pod.metadata.name)[:MAX_HOSTNAME].rstrip("-.")
    if not hostname:
        return PodHostname("", problem="hostname is empty after cutting it to 63 characters")
    domain = ""
    if pod.spec.subdomain:
        namespace = pod.metadata.namespace or "default"
        domain = f"{pod.spec.subdomain}.{namespace}.svc.{cluster_domain}"
    made = PodHostname(hostname, domain, hostname)
    if pod.host_network:
        return PodHostname(hostname, domain, node_name or pod.node_name)
    if not pod.spec.set_hostname_as_fqdn or not domain:
        return made
    if len(made.fqdn) > MAX_KERNEL:
        problem = (
            f"FQDN {made.fqdn} is too long ({MAX_KERNEL} characters is the max, "
            f"{len(made.fqdn)} characters requested)"
        )
        return PodHostname(hostname, domain, "", problem)
    return PodHostname(hostname, domain, made.fqdn)
