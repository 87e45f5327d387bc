"""Answers as the JSON that scripts rely on; `docs/json.md` describes it, a test holds it."""

from collections.abc import Iterable
from fractions import Fraction

from kubehop.model.addresses import socket_address
from kubehop.model.cluster import Cluster
from kubehop.model.service import Service
from kubehop.render.json_common import API_VERSION, Json, basis, fraction
from kubehop.render.lookup_json import lookup_fields
from kubehop.service.endpoints import Endpoint
from kubehop.service.frontends import frontends
from kubehop.service.spread import Balance, Row, Spread, spreads
from kubehop.service.warnings import warnings
from kubehop.trace.values import Fate, Hop, Reached, Trace


def trace_json(answer: Trace, cluster: Cluster, assumptions: tuple[str, ...] = ()) -> Json:
    """A `Trace` (design, section 5); `assumptions` about names come on top of the cluster's."""
    return {
        "apiVersion": API_VERSION,
        "kind": "Trace",
        "from": answer.origin,
        "to": answer.target,
        "protocol": answer.protocol,
        "fates": [_fate(fate) for fate in answer.fates],
        "notes": list(answer.notes),
        "lookup": answer.lookup and lookup_fields(answer.lookup),
        **basis(cluster, assumptions),
    }


def _fate(fate: Fate) -> Json:
    return {
        "probability": fraction(fate.probability),
        "verdict": fate.verdict.value,
        "endpoint": fate.endpoint and _reached(fate.endpoint),
        "sourceSeen": fate.source_seen,
        "sourceIs": fate.source_is.value,
        "clientAddressKept": fate.client_address_kept,
        "nodeCrossings": fate.node_crossings,
        "replyReturns": fate.reply_returns,
        "entryNodes": list(fate.entry_nodes),
        "hops": [_hop(hop) for hop in fate.hops],
    }


def _reached(reached: Reached) -> Json:
    return {
        "pod": reached.pod or None,
        "node": reached.node or None,
        "address": reached.address,
        "port": reached.port,
    }


def _hop(hop: Hop) -> Json:
    return {
        "node": hop.node or None,
        "stage": hop.stage,
        "what": hop.what,
        "why": hop.why,
        "object": hop.object or None,
    }


def spread_json(
    cluster: Cluster,
    answers: tuple[Spread, ...],
    after: tuple[Cluster, tuple[Spread, ...]] | None = None,
    changes: tuple[str, ...] = (),
) -> Json:
    """A `Spread`: one Service, and with `after` the same Service once `changes` are made."""
    service = answers[0].service
    value: Json = {
        "apiVersion": API_VERSION,
        "kind": "Spread",
        "service": f"{service.namespace}/{service.name}",
        **_side(cluster, service, answers),
    }
    if after is not None:
        then, found = after
        changed = found[0].service if found else service
        value["changes"] = list(changes)
        value["after"] = _side(then, changed, found)
    return {**value, **basis(cluster)}


def spread_list_json(cluster: Cluster, services: Iterable[Service]) -> Json:
    """A `SpreadList`: the spreads of several Services; those without frontends have no ports."""
    return {
        "apiVersion": API_VERSION,
        "kind": "SpreadList",
        "items": [
            {
                "service": f"{service.namespace}/{service.name}",
                **_side(cluster, service, spreads(cluster, service)),
            }
            for service in services
        ],
        **basis(cluster),
    }


def _side(cluster: Cluster, service: Service, answers: tuple[Spread, ...]) -> Json:
    spec = service.spec
    return {
        "type": spec.type,
        "externalTrafficPolicy": spec.external_traffic_policy or None,
        "internalTrafficPolicy": spec.internal_traffic_policy or None,
        "ports": [_port(cluster, spread) for spread in answers],
    }


def _port(cluster: Cluster, spread: Spread) -> Json:
    listening = frontends(spread.service, cluster.proxy.service_proxy_name)
    return {
        "name": spread.port.name or None,
        "port": spread.port.port,
        "protocol": spread.port.protocol,
        "family": spread.family.value,
        "frontends": [
            {"kind": f.kind.value, "address": f.address or None, "port": f.port}
            for f in listening
            if f.service_port is spread.port and f.family is spread.family
        ],
        "rows": [_row(row) for row in spread.rows],
        "balance": _balance(spread.balance),
        "healthCheck": [
            {
                "nodes": list(nodes.names),
                "status": check.status,
                "localEndpoints": check.local_endpoints,
            }
            for nodes, check in spread.health
        ],
        "warnings": list(warnings(cluster, spread)),
    }


def _row(row: Row) -> Json:
    share = Fraction(1, len(row.endpoints) or 1)
    return {
        "nodes": list(row.nodes.names),
        "client": row.client.value,
        "via": row.frontend.kind.value,
        "action": row.decision.action.value,
        "why": row.decision.why,
        "answers": [
            {
                **_endpoint(endpoint),
                "share": fraction(share),
                "nodeCrossings": row.crossings(endpoint),
                "clientAddressKept": row.keeps_client(endpoint),
            }
            for endpoint in row.endpoints
        ],
    }


def _endpoint(endpoint: Endpoint) -> Json:
    return {
        "pod": endpoint.pod or None,
        "node": endpoint.node or None,
        "address": endpoint.address,
        "port": endpoint.port,
    }


def _balance(balance: Balance) -> Json:
    return {
        "client": balance.client.value,
        "via": balance.via.value,
        "entryNodes": [name for nodes in balance.entry for name in nodes.names],
        "shares": [
            {**_endpoint(endpoint), "share": fraction(share)} for endpoint, share in balance.shares
        ],
        "imbalance": fraction(balance.imbalance),
        "unanswered": fraction(balance.unanswered),
        "secondHop": fraction(balance.second_hop),
        "clientAddressKept": fraction(balance.client_kept),
    }


def names_of(answer: Trace) -> str:
    """`-o name` of a trace: what may answer, a line each."""
    reached = [fate.endpoint for fate in answer.fates if fate.endpoint]
    lines = [
        f"pod/{r.pod.partition('/')[2]}.{r.pod.partition('/')[0]}"
        if r.pod
        else socket_address(r.address, r.port)
        for r in reached
    ]
    return "".join(f"{line}\n" for line in dict.fromkeys(lines))
