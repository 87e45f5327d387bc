"""Where the routes of a plan lead a packet, without a kernel."""

from kubehop.lab.plan.values import (
    Address,
    Forward,
    Neighbour,
    Plan,
    Route,
    RouteKind,
    Sandbox,
    Veth,
    Vxlan,
)
from kubehop.model.addresses import network, parse

UNREACHABLE = "unreachable"
Hops = tuple[str, ...]


class Routing:
    """Namespaces by a packet's way. `path` ends with UNREACHABLE where a namespace says so."""

    def __init__(self, plan: Plan) -> None:
        things = plan.things
        self.local = {
            (t.namespace, t.address.partition("/")[0]) for t in things if isinstance(t, Address)
        }
        self.routes: dict[str, list[Route]] = {
            t.namespace: [] for t in things if isinstance(t, Sandbox)
        }
        self.neighbours: dict[tuple[str, str, str], str] = {}
        self.remotes: dict[tuple[str, str, str], str] = {}
        self.links: dict[tuple[str, str], tuple[str, str]] = {}
        self.tunnels: dict[tuple[str, str], Vxlan] = {}
        for t in things:
            match t:
                case Route() if t.table in (0, 255):
                    self.routes[t.namespace].append(t)
                case Neighbour():
                    self.neighbours[t.namespace, t.device, t.address] = t.mac
                case Forward():
                    self.remotes[t.namespace, t.device, t.mac] = t.remote
                case Veth():
                    self.links[t.namespace, t.device] = (t.peer_namespace, t.peer_mac)
                    self.links[t.peer_namespace, t.peer_device] = (t.namespace, t.mac)
                case Vxlan():
                    self.tunnels[t.namespace, t.device] = t
                case _:
                    pass

    def path(self, start: str, to: str) -> Hops:
        """The namespaces that a packet from `start` visits, the last one keeps it."""
        hops = [start]
        while len(hops) < 12:
            here = hops[-1]
            if (here, to) in self.local:
                return tuple(hops)
            route = self.best(here, to)
            if route is None or route.kind is RouteKind.UNREACHABLE:
                return (*hops, UNREACHABLE)
            if route.kind is RouteKind.LOCAL:
                return tuple(hops)
            hops.append(self.next(route, to))
        raise AssertionError(f"{to} goes round in circles: {hops}")

    def best(self, namespace: str, to: str) -> Route | None:
        """By the longest prefix."""
        address = parse(to)
        found = [
            (network(route.to).prefixlen, route)
            for route in self.routes[namespace]
            if address in network(route.to)
        ]
        return max(found, key=lambda one: one[0])[1] if found else None

    def next(self, route: Route, to: str) -> str:
        """Over a link, or through a tunnel as far as the outer packet gets."""
        on = (route.namespace, route.device)
        mac = self.neighbours[(*on, route.via or to)]
        if on in self.links:
            peer, its_mac = self.links[on]
            assert mac == its_mac
            return peer
        remote = self.remotes[(*on, mac)]
        arrives = self.path(route.namespace, remote)[-1]
        there = self.tunnels[arrives, route.device]
        assert (there.mac, there.local) == (mac, remote)
        here = self.tunnels[on]
        assert (here.vni, here.port) == (there.vni, there.port)
        return arrives
