"""What a Corefile forwards to, from where cluster DNS is: its queries are packets like others."""

from dataclasses import dataclass, field

from kubehop.dns.chain.forward import Itself, by_address
from kubehop.dns.corefile.values import Corefile
from kubehop.dns.corefile.zones import split_address
from kubehop.dns.lookup.protocol import Silence
from kubehop.dns.service import PORT, dns_service
from kubehop.model.addresses import canonical, is_address, socket_address
from kubehop.model.cluster import Cluster
from kubehop.model.errors import UsageError
from kubehop.service.nodes import is_loopback
from kubehop.trace.aim import Shot
from kubehop.trace.questions import Origin, node_origin, pod_origin
from kubehop.trace.values import Trace, Verdict
from kubehop.trace.walk import trace_shots


@dataclass(frozen=True, slots=True)
class Lost:
    """What comes back from a server that does not answer, and why."""

    silence: Silence
    why: str


@dataclass(slots=True)
class Upstreams:
    """The servers that cluster DNS at the addresses `own` forwards to; remembers each."""

    cluster: Cluster
    own: tuple[str, ...]
    _met: dict[tuple[str, str], Lost | None] = field(default_factory=dict)

    def lost(self, server: str, transport: str) -> Lost | None:
        """Why `10.43.7.7:53` does not answer; None if it may, as far as objects tell."""
        key = (server, "UDP" if transport == "udp" else "TCP")
        if key not in self._met:
            self._met[key] = self._way(*key)
        return self._met[key]

    def _way(self, server: str, protocol: str) -> Lost | None:
        address, port = split_address(server) or ("", "")
        start = self._start()
        if start is None or not is_address(address) or is_loopback(canonical(address)):
            return None
        shot = Shot(canonical(address), int(port), protocol)
        try:
            return _ends(server, trace_shots(self.cluster, start, (shot,), server))
        except UsageError as error:
            return Lost(Silence.UNREACHABLE, f"the Corefile forwards to {server}: {error}")

    def _start(self) -> Origin | None:
        """Where cluster DNS is, as far as it is known."""
        for address in self.own:
            pod, node = self.cluster.pod_at(address), self.cluster.node_at(address)
            if pod is not None and pod.node_name:
                return pod_origin(pod)
            if node is not None:
                return node_origin(node)
        return None


def _ends(server: str, answer: Trace) -> Lost | None:
    if any(f.verdict is Verdict.DELIVERED and f.reply_returns for f in answer.fates):
        return None
    fate = answer.fates[0]
    refused = fate.verdict is Verdict.REJECTED
    last = fate.hops[-1]
    why = f" ({last.why})" if last.why else ""
    said = f"the Corefile forwards to {server}, and {last.what}{why}"
    return Lost(Silence.UNREACHABLE if refused else Silence.SILENT, said)


def leads_back(cluster: Cluster, own: tuple[str, ...], corefile: Corefile) -> Itself:
    """Which servers are cluster DNS itself: its pod's, and those of its Service."""
    keys = [key for block in corefile.blocks for key in block.keys if key.transport == "dns"]
    in_pod = by_address(frozenset(own), frozenset(key.port for key in keys))
    service = dns_service(cluster)
    ips = service.cluster_ips if service else ()
    by_service = {socket_address(canonical(ip), PORT) for ip in ips}
    return lambda server: keys[0].port if keys and server in by_service else in_pod(server)
