"""The rulesets of all nodes: compiled per Service, put together per layer of like nodes."""

from collections.abc import Iterator
from dataclasses import dataclass

from kubehop.lab.plan.rules.frame import node_frame
from kubehop.lab.plan.rules.host_ports import host_ports
from kubehop.lab.plan.rules.layers import Layers, Shared
from kubehop.lab.plan.rules.marks import numbers
from kubehop.lab.plan.rules.parts import ALL, Layer, Pieces
from kubehop.lab.plan.rules.places import add_hairpins, cluster_piece, local_pods, node_piece
from kubehop.lab.plan.rules.services import Listening, contribution
from kubehop.lab.plan.values import Ruleset
from kubehop.model.addresses import Family
from kubehop.model.cluster import Cluster
from kubehop.model.service import EndpointSlice
from kubehop.service.frontends import Frontend, frontend_table
from kubehop.service.nodes import proxy_nodes

FRAME = node_frame()


def node_rulesets(cluster: Cluster, before: Cluster | None = None) -> dict[str, Ruleset]:
    """The ruleset of every node, by its name.

    `before` changes nothing but the time it takes: what was compiled of a Service for it is
    taken over where nothing of it changed.

    A node's elements are those that all nodes have, those of its zone and its own: the first
    two are objects that nodes share, so that they are compared and written once.
    """
    pieces = Pieces()
    for service_pieces in contributions(cluster, before):
        for layer, piece in service_pieces.items():
            pieces[layer].merge(piece)
        pieces.endpoints |= service_pieces.endpoints
    add_hairpins(cluster, pieces)
    pieces[ALL].merge(cluster_piece(cluster))
    for found in (local_pods(cluster), host_ports(cluster)):
        for name, piece in found.items():
            pieces[Layer(node=name)].merge(piece)
    nodes = cluster.derived(proxy_nodes).values()
    for node in nodes:
        pieces[Layer(node=node.name)].merge(node_piece(cluster, node))
    shared = {layer: Shared(piece.elements) for layer, piece in pieces.items()}
    return {
        node.name: _ruleset(pieces, shared, (ALL, Layer(zone=node.zone), Layer(node=node.name)))
        for node in nodes
    }


def _ruleset(pieces: Pieces, shared: dict[Layer, Shared], layers: tuple[Layer, ...]) -> Ruleset:
    mine = [pieces[layer] for layer in layers if layer in shared]
    return Ruleset(
        FRAME,
        Layers(tuple(shared.get(layer, Shared({})) for layer in layers)),
        {name: rules for piece in mine for name, rules in piece.chains.items()},
        {name: text for piece in mine for name, text in piece.sets.items()},
    )


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a Service adds, and of what it was compiled."""

    ports: list[Listening]
    slices: tuple[EndpointSlice, ...]
    pieces: Pieces


def contributions(cluster: Cluster, before: Cluster | None) -> Iterator[Pieces]:
    """What each Service adds."""
    ports, mine = _listening(cluster), cluster.derived(_compiled)
    alike = before and before.nodes == cluster.nodes and before.proxy == cluster.proxy
    known = before.derived(_compiled) if before and alike else {}
    for service in cluster.services:
        key = (service.namespace, service.name)
        found = ports.get(key)
        if found:
            slices, had = cluster.slices_of(service), known.get(key)
            if had is None or had.ports != found or had.slices != slices:
                had = Compiled(found, slices, contribution(cluster, slices, found))
            mine[key] = had
            yield had.pieces


def _compiled(cluster: Cluster) -> dict[tuple[str, str], Compiled]:
    """An empty table for `contributions` to fill."""
    del cluster
    return {}


def _listening(cluster: Cluster) -> dict[tuple[str, str], list[Listening]]:
    """The Service ports with a frontend of their own, by Service."""
    grouped: dict[tuple[str, str, str, Family], list[Frontend]] = {}
    for frontend in cluster.derived(frontend_table).by_key.values():
        service, port = frontend.service, frontend.service_port
        key = (service.namespace, service.name, port.key, frontend.family)
        grouped.setdefault(key, []).append(frontend)
    numbered = numbers(dict.fromkeys("/".join(key[:3]) for key in grouped))
    found: dict[tuple[str, str], list[Listening]] = {}
    for key, frontends in grouped.items():
        first = frontends[0]
        listening = Listening(
            first.service,
            first.service_port,
            first.family,
            numbered["/".join(key[:3])],
            tuple(frontends),
        )
        found.setdefault(key[:2], []).append(listening)
    return found
