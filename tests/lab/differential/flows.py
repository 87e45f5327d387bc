"""The flow cases of a case file, with packets: each case a lab, each flow connections in it.

Only the node under test has Service rules; the fabric leads to it what a case says arrives at
it. So a case tells what one kube-proxy does, as it is meant.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from typing import Any

import msgspec

from kubehop.lab.kernel import Base, Kernel
from kubehop.lab.plan.addressing import ETH0, FAR_END, GATEWAY, LO, LOCAL_TABLE, host
from kubehop.lab.plan.build import build_plan
from kubehop.lab.plan.rules import load_text
from kubehop.lab.plan.values import (
    FABRIC,
    OUTSIDE,
    Address,
    Make,
    Nft,
    Plan,
    Route,
    Thing,
    Veth,
    node_namespace,
    pod_namespace,
)
from kubehop.lab.probe import Observed, Probe, Prober, fabric_links
from kubehop.lab.probe.compare import WRONG, compare, enough, tally
from kubehop.lab.probe.expect import Outcome, Seen
from kubehop.lab.servers import Servers
from kubehop.model.addresses import canonical, family, socket_address
from kubehop.model.cluster import Cluster
from kubehop.model.node import Node
from kubehop.model.pod import Pod
from kubehop.model.pod_network import POD_NETWORKS
from kubehop.trace.values import Verdict
from tests.conformance import objects
from tests.conformance.outcome import Case

ROUTED = next(network for network in POD_NETWORKS if network.routed_outside)
"""Pods without an overlay or masquerade of their own: kube-proxy alone decides."""
ELSEWHERE = "elsewhere"
"""The node of pods that a case puts nowhere."""
TIMEOUT = 0.5
MANY = 32
"""Connections of which one would show an endpoint that the case does not name."""
SPOKEN = ("TCP", "UDP")


@dataclass(frozen=True)
class Scene:
    """A case in one proxy mode: its cluster, and its node under test."""

    case: Case
    cluster: Cluster
    node: str

    @property
    def own(self) -> tuple[str, ...]:
        found = self.cluster.node(self.node)
        return tuple(map(canonical, found.internal_ips)) if found else ()


def scene(case: Case, document: Case, mode: str) -> Scene:
    """The objects that a case's fragments stand for."""
    subject, under_test = objects.service(case), objects.proxy_node(case, document)
    slices = objects.slices(case, subject)
    own = [a for a in under_test.addresses if a not in ("127.0.0.1", "::1")]
    names = [e["node"] for e in case.get("endpoints") or () if e["node"]] + [ELSEWHERE]
    others = dict.fromkeys(name for name in names if name != under_test.name)
    nodes = [_node(under_test.name, own, under_test.pod_cidrs)]
    nodes += [
        _node(name, [f"192.168.200.{10 + at}", f"2001:db8:200::{10 + at}"], ())
        for at, name in enumerate(others)
    ]
    return Scene(
        case,
        Cluster(
            nodes=tuple(sorted(nodes, key=lambda node: node.name)),
            pods=tuple(_pods(case, under_test.name, own, slices)),
            services=(subject,),
            slices=slices,
            service_cidrs=tuple(document["environment"]["serviceCIDRs"]),
            proxy=objects.proxy_config(case, document, mode),
            pod_network=ROUTED,
        ),
        under_test.name,
    )


def _node(name: str, addresses: list[str], cidrs: tuple[str, ...]) -> Node:
    raw = {
        "metadata": {"name": name},
        "spec": {"podCIDRs": list(cidrs)},
        "status": {"addresses": [{"type": "InternalIP", "address": a} for a in addresses]},
    }
    return msgspec.convert(raw, Node)


def _pods(case: Case, under_test: str, own: list[str], slices: Any) -> Iterator[Pod]:
    """Whoever sends and whoever is sent to, with the ports that slices name."""
    homes: dict[str, str] = {}
    for endpoint in case.get("endpoints") or ():
        homes[canonical(objects.split(endpoint["addr"])[0])] = endpoint["node"] or ELSEWHERE
    for packet in case["expect"]["flows"]:
        if packet["from"].startswith("pod"):
            at = under_test if packet["from"] == "pod" else ELSEWHERE
            homes.setdefault(canonical(packet["src"]), at)
    ports = dict.fromkeys(
        (p.port, p.protocol or "TCP") for s in slices for p in s.ports or () if p.port
    )
    for number, (address, home) in enumerate(sorted(homes.items())):
        in_host = address in own
        raw = {
            "metadata": {"name": f"pod-{number}", "namespace": "default"},
            "spec": {
                "nodeName": home,
                "hostNetwork": in_host,
                "containers": [
                    {"ports": [{"containerPort": port, "protocol": kind} for port, kind in ports]}
                ],
            },
            "status": {"podIPs": [{"ip": a} for a in (own if in_host else [address])]},
        }
        yield msgspec.convert(raw, Pod)


def arriving(found: Scene, plan: Plan) -> tuple[Thing, ...]:
    """The plan's things, but that whatever a flow is sent to leads to the node under test."""
    sent = {canonical(packet["dst"]) for packet in found.case["expect"]["flows"]}
    to = {host(a): a for a in sent if a not in found.own and not a.startswith("127.")}
    kept = [t for t in plan.things if not (isinstance(t, Route) and t.to in to)]
    namespace = node_namespace(found.node)
    device = next(t.device for t in kept if isinstance(t, Veth) and t.peer_namespace == namespace)
    for cidr, address in to.items():
        wanted = family(address)
        kept.append(Route(OUTSIDE, cidr, ETH0, GATEWAY[wanted], table=LOCAL_TABLE))
        kept.append(Route(FABRIC, cidr, device, FAR_END[wanted]))
    return (*kept, *_bound(found))


def _bound(found: Scene) -> Iterator[Address]:
    """Addresses of Services that a case's node sends from: it has them bound."""
    for packet in found.case["expect"]["flows"]:
        source = canonical(packet["src"])
        if packet["from"] == "node" and source not in found.own and not source.startswith("127."):
            yield Address(node_namespace(found.node), LO, host(source))


def run_case(base: Base, found: Scene) -> tuple[list[str], list[str]]:
    """What is wrong, and which flows cannot be sent: a line each."""
    plan = build_plan(found.cluster)
    kernel = Kernel(base)
    rules = plan.rulesets[node_namespace(found.node)]
    try:
        kernel.apply([Make(thing) for thing in dict.fromkeys(arriving(found, plan))])
        kernel.apply([Nft(node_namespace(found.node), load_text(rules))])
        servers = Servers(kernel.inside)
        servers.start()
        try:
            servers.apply((), plan.listeners)
            fabric = replace(fabric_links(plan), balanced=frozenset())
            return _run_flows(Prober(kernel, fabric), found)
        finally:
            servers.stop()
    finally:
        kernel.close()


def _run_flows(prober: Prober, found: Scene) -> tuple[list[str], list[str]]:
    """All flows at once."""
    asked, skipped = [], []
    for index, packet in enumerate(found.case["expect"]["flows"]):
        name = f"{found.case['id']} {found.cluster.proxy.mode} flows[{index}]"
        if packet["proto"] in SPOKEN and packet.get("port"):
            outcomes = expected(found, packet)
            count = max(MANY, enough(outcomes, WRONG)) if packet["verdict"] == "dnat" else 2
            asked.append((name, packet, outcomes, _probe(found, packet, count)))
        else:
            skipped.append(f"{name}: {packet['proto']} to port {packet.get('port')} is not sent")
    observed = iter(prober.run([probe for *_, probe in asked], TIMEOUT))
    wrong = []
    for name, packet, outcomes, probe in asked:
        got = list(islice(observed, probe.count))
        wrong += [f"{name}: {one}" for one in _problems(found, packet, outcomes, got)]
    return wrong, skipped


def _probe(found: Scene, packet: Case, count: int) -> Probe:
    source = canonical(packet["src"])
    namespace, bound = OUTSIDE, source
    if packet["from"] == "node":
        namespace = node_namespace(found.node)
    elif (pod := found.cluster.pod_at(source)) is not None:
        namespace, bound = pod_namespace(pod.namespace, pod.name), ""
    return Probe(namespace, bound, canonical(packet["dst"]), packet["port"], packet["proto"], count)


def expected(found: Scene, packet: Case) -> tuple[Outcome, ...]:
    """What the sender observes of each outcome that the flow allows."""
    match packet["verdict"]:
        case "drop":
            return (Outcome(Fraction(1), Seen(Verdict.DROPPED)),)
        case "reject":
            return (Outcome(Fraction(1), Seen(Verdict.REJECTED)),)
        case "none":
            to_itself = canonical(packet["dst"]) in (*found.own, "127.0.0.1")
            ending = Verdict.REJECTED if to_itself else Verdict.UNROUTED
            return (Outcome(Fraction(1), Seen(ending)),)
    share = Fraction(1, len(packet["to"]))
    return tuple(Outcome(share, _arrives(found, packet, to)) for to in packet["to"])


def _arrives(found: Scene, packet: Case, to: str) -> Seen:
    """At one endpoint; the answer comes back unless it takes another way than the packet."""
    text, port = objects.split(to)
    address, source = canonical(text), canonical(packet["src"])
    by_endpoint = packet.get("snat_by_endpoint") or {}
    marked = by_endpoint.get(to, packet.get("snat"))
    at_node = address in found.own
    # `snat` is the mark; the source that it gives is one of the node's: see `_problems`.
    seen = None if marked and not (at_node and packet["from"] == "external") else source
    pod, sender = found.cluster.pod_at(address), found.cluster.pod_at(source)
    here = at_node or (pod is not None and pod.node_name == found.node)
    from_here = packet["from"] == "node" or (sender is not None and sender.node_name == found.node)
    returns = marked or here or from_here
    return Seen(
        Verdict.DELIVERED if returns else Verdict.DROPPED,
        address=address,
        port=port,
        source_seen=seen,
    )


def _problems(
    found: Scene, packet: Case, outcomes: tuple[Outcome, ...], observed: list[Observed]
) -> Iterator[str]:
    """Shares and endpoints; masqueraded sources are the node's; the untouched is untouched."""
    yield from map(str, compare(outcomes, tally(observed), WRONG))
    told: dict[tuple[str | None, int | None], str | None]
    told = {(one.seen.address, one.seen.port): one.seen.source_seen for one in outcomes}
    for one in observed:
        masked = told.get((one.address, one.port), "") is None
        if masked and one.source_seen and one.source_seen not in found.own:
            yield f"masqueraded to {one.source_seen}, which is not the node's"
        if packet["verdict"] == "drop" and _went_on(found, packet, one):
            yield f"dropped after it went on: {one.path}"
        untouched = packet["verdict"] == "none" and canonical(packet["dst"]) not in found.own
        if untouched and not packet["dst"].startswith("127.") and not _left(found, packet, one):
            yield f"it should have left the node as it was: {one.path}"


def _went_on(found: Scene, packet: Case, one: Observed) -> bool:
    namespace = node_namespace(found.node)
    return any(link.came_from == namespace for link in one.path or ())


def _left(found: Scene, packet: Case, one: Observed) -> bool:
    """True if it left the node under test, still addressed to where it was sent."""
    wanted = socket_address(canonical(packet["dst"]), packet["port"])
    return any(
        link.came_from == node_namespace(found.node)
        and socket_address(link.destination, link.port) == wanted
        for link in one.path or ()
    )
