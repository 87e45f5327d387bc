"""The kinds of `proxy.json`, each run through the code that users' answers come from."""

from typing import Any

import msgspec

from kubehop.model.addresses import canonical, family
from kubehop.model.cluster import Cluster
from kubehop.model.node import Node
from kubehop.model.pod import Pod
from kubehop.model.proxy import ProxyConfig
from kubehop.model.service import Service
from kubehop.service.affinity import AffinityTable
from kubehop.service.decide import Action, Decision, policies
from kubehop.service.endpoints import Endpoint, backends
from kubehop.service.frontends import FrontendKind, frontends
from kubehop.service.health import health_check
from kubehop.service.nodes import ProxyNode
from kubehop.service.packets import decide_packet
from kubehop.service.sets import EndpointSets, endpoint_sets, usable
from kubehop.workload.hints import hints_for
from kubehop.workload.slices import endpoint_of
from tests.conformance import objects
from tests.conformance.outcome import Case, Check, differs

LABEL = {
    FrontendKind.CLUSTER_IP: "cluster",
    FrontendKind.EXTERNAL_IP: "external",
    FrontendKind.LOAD_BALANCER: "lb",
    FrontendKind.NODE_PORT: "nodePort",
}


def _modes(case: Case) -> list[str]:
    return [m for m in case["modes"] if m in ("nftables", "iptables", "ipvs")] or ["nftables"]


def _sets(case: Case, document: Case, mode: str) -> EndpointSets:
    subject = objects.service(case)
    config = objects.proxy_config(case, document, mode)
    wanted, port = objects.case_family(case, subject), subject.ports[0]
    node = objects.proxy_node(case, document)
    found = backends(objects.slices(case, subject), port, wanted).at(node.name)
    governed = policies(subject, port, wanted, config)
    return endpoint_sets(usable(found), governed, node.name, node.zone, config)


def _keys(endpoints: tuple[Endpoint, ...] | None) -> list[str] | None:
    return None if endpoints is None else sorted(e.key for e in endpoints)


def categorize(case: Case, document: Case) -> str:
    problems = []
    for mode in _modes(case):
        sets, expect = _sets(case, document, mode), case["expect"]
        for key, got in (
            ("cluster_endpoints", _keys(sets.cluster)),
            ("local_endpoints", _keys(sets.local)),
            ("all", _keys(sets.all)),
        ):
            expected = expect[key]
            problems.append(differs(key, expected if expected is None else sorted(expected), got))
        problems.append(differs("has_any_endpoints", expect["has_any_endpoints"], sets.has_any))
    return "; ".join(filter(None, problems))


def flow(case: Case, document: Case) -> str:
    subject, node = objects.service(case), objects.proxy_node(case, document)
    problems = []
    for mode in _modes(case):
        cluster = Cluster(
            services=(subject,),
            slices=objects.slices(case, subject),
            service_cidrs=tuple(document["environment"]["serviceCIDRs"]),
            proxy=objects.proxy_config(case, document, mode),
        )
        for index, packet in enumerate(case["expect"]["flows"]):
            source, destination = canonical(packet["src"]), canonical(packet["dst"])
            decision = decide_packet(
                cluster, node, source, destination, packet["proto"], packet.get("port") or 0
            )[1]
            problem = _flow_problem(packet, decision, node)
            if problem:
                problems.append(f"{mode} flows[{index}] {problem} ({decision.why})")
    return "; ".join(problems)


def _flow_problem(packet: Case, decision: Decision, node: ProxyNode) -> str:
    if decision.action != packet["verdict"]:
        return differs("verdict", packet["verdict"], str(decision.action))
    if decision.action is not Action.DNAT:
        return ""
    source = canonical(packet["src"])
    marks = {e.key: decision.marks(e, source) for e in decision.endpoints}
    expected = packet.get("snat")
    expected_marks = packet.get("snat_by_endpoint") or dict.fromkeys(marks, expected)
    told = expected is not None or "snat_by_endpoint" in packet
    without_effect = [node.owns(e.address) for e in decision.endpoints]
    return "; ".join(
        filter(
            None,
            (
                differs("to", sorted(packet["to"]), sorted(marks)),
                differs("snat", expected_marks, marks) if told else "",
                differs("mark without effect", True, all(without_effect))
                if packet.get("snat_mark_without_effect")
                else "",
            ),
        )
    )


def slices(case: Case, document: Case) -> str:
    subject = objects.service(case)
    wanted = objects.case_family(case, subject)
    node = objects.proxy_node(case, document)
    made = objects.slices(case, subject)
    got = {port.key: _keys(backends(made, port, wanted).at(node.name)) for port in subject.ports}
    expected = {k: sorted(v) for k, v in case["expect"]["endpoints_by_port"].items()}
    return differs("endpoints_by_port", expected, {k: got.get(k) for k in expected})


def frontend_lines(subject: Service, config: ProxyConfig) -> list[str]:
    """`IPv4 172.30.0.41:80/TCP cluster`, as the case files write a frontend."""
    lines = []
    for found in frontends(subject, config.service_proxy_name):
        where = str(found).replace("*:", "nodeIPs:")
        lines.append(f"{found.family} {where} {LABEL[found.kind]}")
    return lines


def frontends_kind(case: Case, document: Case) -> str:
    got = frontend_lines(objects.service(case), objects.proxy_config(case, document, "nftables"))
    return differs("frontends", sorted(case["expect"]["frontends"]), sorted(got))


def health(case: Case, document: Case) -> str:
    subject, node = objects.service(case), objects.proxy_node(case, document)
    made = objects.slices(case, subject)
    found = [
        endpoint
        for port in subject.ports
        for wanted in {family(a) for a in subject.cluster_ips}
        for endpoint in backends(made, port, wanted).at(node.name)
    ]
    healthy = (case.get("config") or {}).get("proxierHealthy", True) is not False
    answer = health_check(subject, found, node.name, proxy_healthy=healthy)
    got = answer and {"status": answer.status, "localEndpoints": answer.local_endpoints}
    return differs("healthCheckNodePort", case["expect"]["healthCheckNodePort"], got)


def controller(case: Case, document: Case) -> str:
    del document
    raw = case["pod"]
    metadata: Case = {"name": "pod", "namespace": "default"}
    if raw.get("terminating"):
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    status: Case = {
        "phase": raw.get("phase") or "Running",
        "conditions": [{"type": "Ready", "status": "True" if raw.get("ready") else "False"}],
    }
    if raw.get("ip"):
        status |= {"podIP": raw["ip"], "podIPs": [{"ip": raw["ip"]}]}
    spec = {"nodeName": "test-node", **(raw.get("spec") or {})}
    pod = msgspec.convert({"metadata": metadata, "spec": spec, "status": status}, Pod)
    subject = objects.service({**case, "service": dict(case["service"])})
    found = endpoint_of(pod, subject, raw.get("nodeExists", True))
    got = found and {
        "ready": found.ready,
        "serving": found.serving,
        "terminating": bool(found.terminating),
    }
    return differs("endpoint", case["expect"]["endpoint"], got)


def hints(case: Case, document: Case) -> str:
    del document
    subject = objects.service(case)
    endpoints = tuple(
        endpoint
        for endpoint_slice in objects.slices(case, subject)
        for endpoint in endpoint_slice.endpoints or ()
    )
    nodes: tuple[Node, ...] = ()
    plan = hints_for(subject, endpoints, nodes)
    expected: Any = case["expect"]["hints"]
    if isinstance(expected, str):
        return differs("method", "topologycache", expected.split()[2] and plan.method)
    got = [
        found
        and {
            "forZones": [z.name for z in found.for_zones or ()],
            "forNodes": [n.name for n in found.for_nodes or ()],
        }
        for found in plan.hints
    ]
    return differs("hints", expected, got)


def affinity(case: Case, document: Case) -> str:
    """Each step is a new connection; "any" says that nothing is remembered any more.

    Ports of a Service and nodes have tables of their own, frontends of a port share one.
    """
    subject = objects.service(case)
    timeout = subject.affinity_seconds
    tables: dict[tuple[object, object], AffinityTable] = {}
    last: dict[tuple[object, str], str] = {}
    sets = _sets(case, document, "nftables")
    endpoints = tuple(_keys(sets.local if sets.cluster is None else sets.cluster) or ())
    for step in case["expect"]["steps"]:
        unknown = set(step) - {"t", "src", "picked", "note", "endpoints", *_TABLE, *_SHARED}
        if unknown:
            return f"unsupported step keys {sorted(unknown)}"
        endpoints = tuple(step.get("endpoints", endpoints))
        where = step.get("port"), step.get("node")
        table = tables.get(where, AffinityTable(timeout or 0))
        possible = table.candidates(step["src"], endpoints, step["t"]) if timeout else endpoints
        if step["picked"] == "any":
            if set(possible) != set(endpoints):
                return differs(f"t={step['t']}", "any", possible)
            last.pop((where, step["src"]), None)
            continue
        if step["picked"] not in possible:
            return differs(f"t={step['t']}", step["picked"], possible)
        again = last.get((where, step["src"])) == step["picked"]
        if again and timeout and len(possible) > 1:
            return differs(f"t={step['t']}", f"only {step['picked']}", possible)
        last[where, step["src"]] = step["picked"]
        tables[where] = table.connected(step["src"], step["picked"], step["t"])
    return ""


_TABLE = ("port", "node")
_SHARED = ("from", "dst", "via", "frontend")


SUITE: dict[str, Check] = {
    "categorize": categorize,
    "flow": flow,
    "slices": slices,
    "frontends": frontends_kind,
    "health": health,
    "controller": controller,
    "hints": hints,
    "affinity": affinity,
}
