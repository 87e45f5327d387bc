"""A node's rules as the kernel would follow them, for the first packet of a connection.

Looks things up as `kubehop.lab.plan.rules.frame` does, in the elements of a ruleset.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from kubehop.lab.plan.rules.marks import LOCAL, MASQUERADE, SET, SHORT_CIRCUIT, UNLESS_POD
from kubehop.lab.plan.values import Ruleset
from kubehop.service.decide import Action

_REMEMBERED = re.compile(r"ip6? saddr @(clients-\S+) goto (endpoint-\S+)")
_DRAWN = re.compile(r"numgen random mod (\d+) vmap \{ (.*) \}")
_TARGET = re.compile(r"dnat to \[?([0-9a-f.:]+?)\]?:(\d+)$")


@dataclass(frozen=True)
class Outcome:
    """What happens, to which endpoints as `address . port`, and if kube-proxy masquerades."""

    action: Action
    endpoints: tuple[str, ...] = ()
    masquerade: bool = False


@dataclass(frozen=True)
class Rules:
    """The rules of one family of a node."""

    ruleset: Ruleset
    ip: str

    def named(self, name: str) -> Mapping[str, str]:
        """The elements of a map or set."""
        return self.ruleset.elements.get(f"{self.ip} kubehop {name}", {})

    def has(self, name: str, address: str) -> bool:
        """True if an interval set has the address."""
        return any(ip_address(address) in ip_network(text) for text in self.named(name))

    def outcome(self, source: str, destination: str, protocol: str, port: int) -> Outcome:
        """What becomes of a new connection's first packet."""
        ported = f"{protocol.lower()} . {port}"
        at = f"{destination} . {ported}"
        if at in self.named("firewalled") and not self._admits(at, source):
            return Outcome(Action.DROP)
        value = self.named("frontends").get(at)
        if value is None and self.has("nodeport-ips", destination):
            value = self.named("nodeports").get(ported)
        translated = self._service(int(value, 16), source) if value else None
        return translated or self._guard(at, ported, destination)

    def _admits(self, at: str, source: str) -> bool:
        cidrs = (
            text.removeprefix(f"{at} . ") for text in self.named("admitted") if text.startswith(at)
        )
        return any(ip_address(source) in ip_network(cidr) for cidr in cidrs)

    def _service(self, mark: int, source: str) -> Outcome | None:
        if mark & SHORT_CIRCUIT and self.has("pods", source):
            mark &= ~LOCAL
        elif mark & SHORT_CIRCUIT and self.has("own", source):
            mark = mark & ~LOCAL | MASQUERADE
        if mark & UNLESS_POD and not self.has("unmasqueraded", source):
            mark |= MASQUERADE
        chosen = self._choices(f"{mark & SET:#x}")
        return Outcome(Action.DNAT, chosen, bool(mark & MASQUERADE)) if chosen else None

    def _choices(self, number: str) -> tuple[str, ...]:
        chain = self.named("sets").get(number, "").removeprefix("goto ")
        if chain.startswith("pick-"):
            size = int(chain.removeprefix("pick-"))
            return tuple(self.named("endpoints")[f"{number} . {index}"] for index in range(size))
        return self._remembering(chain) if chain else ()

    def _remembering(self, chain: str) -> tuple[str, ...]:
        """The endpoints of a chain of session affinity, each with its own set of clients."""
        *asked, drawn = self.ruleset.chains[f"{self.ip} kubehop {chain}"]
        size, choices = _DRAWN.fullmatch(drawn).groups()  # type: ignore[union-attr]
        remembered = [_REMEMBERED.fullmatch(rule).groups() for rule in asked]  # type: ignore[union-attr]
        listed = [text.split(" : goto ")[1] for text in choices.split(", ")]
        assert listed == [endpoint for _, endpoint in remembered]
        assert len(set(listed)) == int(size)
        return tuple(self._target(clients, endpoint) for clients, endpoint in remembered)

    def _target(self, clients: str, endpoint: str) -> str:
        (rule,) = self.ruleset.chains[f"{self.ip} kubehop {endpoint}"]
        assert rule.startswith(f"update @{clients} {{ {self.ip} saddr }}")
        assert f"{self.ip} kubehop {clients}" in self.ruleset.sets
        found = _TARGET.search(rule)
        assert found
        return f"{found[1]} . {found[2]}"

    def _guard(self, at: str, ported: str, destination: str) -> Outcome:
        verdict = self.named("no-endpoints").get(at)
        if verdict is None and self.has("nodeport-ips", destination):
            verdict = self.named("no-endpoint-ports").get(ported)
        if verdict is None and destination in self.named("cluster-ips"):
            verdict = "goto rejecting"
        if verdict is None and self.has("service-cidrs", destination):
            verdict = "drop"
        actions = {None: Action.NONE, "drop": Action.DROP, "goto rejecting": Action.REJECT}
        return Outcome(actions[verdict])
