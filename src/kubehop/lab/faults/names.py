"""Faults of names: DNS servers that loop or refuse, a wrong nameserver, a silent upstream."""

from collections.abc import Callable
from dataclasses import replace

from kubehop.dns.corefile import KUBEADM, corefile_text
from kubehop.lab.faults.values import Place
from kubehop.lab.plan.values import OUTSIDE, Nameserver, Plan, Sandbox, Thing, pod_namespace
from kubehop.model.cluster import Cluster

RESOLV_CONF = "/etc/resolv.conf"
STUB = "127.0.0.53"
"""systemd-resolved's own address: in a pod it is the pod itself, CoreDNS in a pod of CoreDNS."""
REFUSING = """\
kubehop-fault.invalid:53 {
    errors
    health
    ready
}
"""
"""No server block for any name that is asked: CoreDNS refuses (core/dnsserver/server.go)."""
ELSEWHERE = {
    4: ("10.96.0.10", "10.43.0.10"),
    6: ("fd00:10:96::a", "fd00:10:43::a"),
}
"""Cluster DNS of other clusters: kubeadm's and RKE's, by IP version."""


# DNS pods that ask themselves


def looping(plan: Plan, cluster: Cluster, place: Place) -> Plan:
    """The node's resolv.conf names a stub on the loopback, and the DNS pods have it from there.

    Without CoreDNS's `loop`, which would end CoreDNS instead.
    """

    def changed(server: Nameserver) -> Nameserver:
        text = looping_corefile(_corefile(server, cluster))
        return replace(server, corefile=text, resolv_conf=with_nameserver(server.resolv_conf, STUB))

    # Not a node's: others on its network read the same file.
    pods = {pod_namespace(*s.pod.split("/")) for s in _of_cluster(plan, place)}
    things = tuple(_with_nameserver(t, STUB) if t.namespace in pods else t for t in plan.things)
    return replace(_servers(plan, place, changed), things=things)


def can_loop(cluster: Cluster, plan: Plan, place: Place) -> str:
    """There are DNS pods, and their Corefile forwards something."""
    servers = _of_cluster(plan, place)
    if servers and not any(_forwards(_corefile(s, cluster)) for s in servers):
        return "the Corefile of cluster DNS forwards no name: there is nothing that could loop"
    return has_servers(cluster, plan, place)


def looping_corefile(text: str) -> str:
    """The Corefile with every `forward` to its own resolv.conf, and without `loop`."""
    kept = (line for line in text.splitlines() if _directive(line) != "loop")
    return "".join(f"{_to_resolv_conf(line)}\n" for line in kept)


def _to_resolv_conf(line: str) -> str:
    if not _forwards(line):
        return line
    words = line.partition("#")[0].split()
    indent = line[: len(line) - len(line.lstrip())]
    opens = " {" if words[-1] == "{" else ""
    return f"{indent}forward {words[1]} {RESOLV_CONF}{opens}"


def _forwards(text: str) -> bool:
    """True if a line of it is a `forward` with a zone and somebody to ask."""
    return any(
        _directive(line) == "forward" and len(line.partition("#")[0].split()) > 2
        for line in text.splitlines()
    )


def _directive(line: str) -> str:
    return next(iter(line.partition("#")[0].split()), "")


def _corefile(server: Nameserver, cluster: Cluster) -> str:
    return server.corefile or corefile_text(cluster) or KUBEADM


# DNS pods that refuse


def refusing(plan: Plan, _cluster: Cluster, place: Place) -> Plan:
    """Every query is answered with REFUSED."""
    return _servers(plan, place, lambda server: replace(server, corefile=REFUSING))


def has_servers(_cluster: Cluster, plan: Plan, place: Place) -> str:
    """There are DNS pods that are built, or the one that is named is one."""
    if _of_cluster(plan, place):
        return ""
    return f"Pod {place.pod} is no DNS server" if place.pod else "the cluster has no DNS pods"


def _of_cluster(plan: Plan, place: Place) -> list[Nameserver]:
    return [s for s in plan.nameservers if s.pod and place.pod in ("", s.pod)]


def _servers(plan: Plan, place: Place, change: Callable[[Nameserver], Nameserver]) -> Plan:
    meant = set(_of_cluster(plan, place))
    changed = tuple(change(s) if s in meant else s for s in plan.nameservers)
    return replace(plan, nameservers=changed)


# A pod with the wrong nameserver


def wrong_nameserver(plan: Plan, _cluster: Cluster, place: Place) -> Plan:
    """Its resolv.conf names the cluster DNS of another cluster; nobody is there."""
    namespace = pod_namespace(*place.pod.split("/"))
    things = tuple(_elsewhere(t) if t.namespace == namespace else t for t in plan.things)
    return replace(plan, things=things)


def has_file(cluster: Cluster, plan: Plan, place: Place) -> str:
    """The pod has a resolv.conf of its own in the lab."""
    namespace = pod_namespace(*place.pod.split("/"))
    if any(isinstance(t, Sandbox) and t.namespace == namespace for t in plan.things):
        return ""
    pod = cluster.pod(*place.pod.split("/"))
    on_host = pod is not None and pod.host_network
    why = "it is on its node's network" if on_host else "it is not built"
    return f"Pod {place.pod} has no sandbox in the lab: {why}"


def _elsewhere(thing: Thing) -> Thing:
    if not isinstance(thing, Sandbox):
        return thing
    known = _nameservers(dict(thing.files).get(RESOLV_CONF, ""))
    version = 6 if known and all(":" in address for address in known) else 4
    return _with_nameserver(thing, next(a for a in ELSEWHERE[version] if a not in known))


def _nameservers(text: str) -> list[str]:
    lines = (line.split() for line in text.splitlines())
    return [words[1] for words in lines if words[:1] == ["nameserver"] and len(words) > 1]


def _with_nameserver(thing: Thing, address: str) -> Thing:
    """A sandbox with that nameserver alone; everything else as it is."""
    if not isinstance(thing, Sandbox):
        return thing
    files = dict(thing.files)
    if RESOLV_CONF in files:
        files[RESOLV_CONF] = with_nameserver(files[RESOLV_CONF], address)
    return replace(thing, files=tuple(files.items()))


def with_nameserver(text: str, address: str) -> str:
    """The text of a resolv.conf with that nameserver in place of all others."""
    kept = [line for line in text.splitlines() if line.split()[:1] != ["nameserver"]]
    before = sum(line.split()[:1] == ["search"] for line in kept[:1])
    return "".join(
        f"{line}\n" for line in (*kept[:before], f"nameserver {address}", *kept[before:])
    )


# The upstream does not answer


def upstream_silent(plan: Plan, _cluster: Cluster, _place: Place) -> Plan:
    """Servers outside take every query and say nothing."""
    changed = (replace(s, silent=_is_outside(s)) for s in plan.nameservers)
    return replace(plan, nameservers=tuple(changed))


def has_upstream(_cluster: Cluster, plan: Plan, _place: Place) -> str:
    """The lab has a DNS server outside."""
    found = any(map(_is_outside, plan.nameservers))
    return "" if found else "the lab has no DNS server outside"


def _is_outside(server: Nameserver) -> bool:
    return server.namespace == OUTSIDE
