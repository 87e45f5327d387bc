"""Steps as a person would type them: ip, bridge, sysctl, nft.

A network namespace is called as `ip netns` can call it: a node's by the node's name, a pod's
NAMESPACE_NAME; no name of Kubernetes has an underscore.
"""

import shlex
from collections.abc import Callable
from typing import Any

from kubehop.lab.plan.values import (
    FABRIC,
    OUTSIDE,
    Address,
    ForgetFlows,
    Forward,
    Lookup,
    Make,
    Neighbour,
    Nft,
    Remove,
    Rewrite,
    Route,
    RouteKind,
    Sandbox,
    Step,
    Sysctl,
    Veth,
    Vxlan,
)
from kubehop.model.addresses import socket_address

END = "EOF"


def command_text(step: Step) -> str:
    """The commands of a step, a line each, without a newline at the end; files and rules as here
    documents."""
    match step:
        case Make(thing):
            return _MAKE[type(thing)](thing)
        case Remove(thing):
            return _REMOVE[type(thing)](thing)
        case Nft(namespace, text):
            return f"ip netns exec {netns(namespace)} nft -f - {_here(text)}"
        case Rewrite(sandbox):
            return "\n".join(_files(sandbox))
        case ForgetFlows():
            return _forget(step)


def netns(namespace: str) -> str:
    """What `ip netns` calls a namespace of the lab, quoted for a shell where it must be."""
    kind, _, name = namespace.partition("/")
    if kind == "pod":
        return shlex.quote(name.replace("/", "_"))
    # A node called like the fabric keeps both words, with the sign that no name has.
    own = name if name and name not in (FABRIC, OUTSIDE) else namespace.replace("/", "_")
    return shlex.quote(own)


def _in(namespace: str) -> str:
    return f"ip -n {netns(namespace)}"


def _here(text: str) -> str:
    """A here document; the word that ends it is none of its lines."""
    end = END
    while end in text.split("\n"):
        end += "_"
    return f"<<'{end}'\n{text.rstrip(chr(10))}\n{end}" if text.strip() else "</dev/null"


def _make_sandbox(thing: Sandbox) -> str:
    name = netns(thing.namespace)
    lines = [f"ip netns add {name}", f"ip -n {name} link set lo up"]
    if thing.files:
        lines.append(f"mkdir -p /etc/netns/{name}")
    return "\n".join((*lines, *_files(thing)))


def _files(thing: Sandbox) -> list[str]:
    """`ip netns exec` mounts what is below /etc/netns/NAME over /etc."""
    folder = f"/etc/netns/{netns(thing.namespace)}"
    return [f"cat >{folder}/{path.rpartition('/')[2]} {_here(text)}" for path, text in thing.files]


def _make_veth(thing: Veth) -> str:
    peer = netns(thing.peer_namespace)
    made = (
        f"{_in(thing.namespace)} link add {thing.device} address {thing.mac} mtu {thing.mtu}"
        f" type veth peer name {thing.peer_device} address {thing.peer_mac} mtu {thing.mtu}"
        f" netns {peer}"
    )
    return "\n".join(
        (
            made,
            f"{_in(thing.namespace)} link set {thing.device} up",
            f"ip -n {peer} link set {thing.peer_device} up",
        )
    )


def _make_vxlan(thing: Vxlan) -> str:
    return (
        f"{_in(thing.namespace)} link add {thing.device} address {thing.mac} mtu {thing.mtu}"
        f" type vxlan id {thing.vni} local {thing.local} dstport {thing.port} nolearning\n"
        f"{_in(thing.namespace)} link set {thing.device} up"
    )


def _remove_link(thing: Veth | Vxlan) -> str:
    return f"{_in(thing.namespace)} link del {thing.device}"


def _address(thing: Address, verb: str) -> str:
    nodad = " nodad" if ":" in thing.address and verb == "add" else ""
    return f"{_in(thing.namespace)} addr {verb} {thing.address} dev {thing.device}{nodad}"


def _neighbour(thing: Neighbour, verb: str) -> str:
    more = f" lladdr {thing.mac} nud permanent" if verb == "add" else ""
    return f"{_in(thing.namespace)} neigh {verb} {thing.address} dev {thing.device}{more}"


def _forward(thing: Forward, verb: str) -> str:
    # Not "append": a remote for all others would come beside, not instead.
    name = netns(thing.namespace)
    kind = " permanent" if verb == "add" else ""
    return f"bridge -n {name} fdb {verb} {thing.mac} dev {thing.device} dst {thing.remote}{kind}"


def _route(thing: Route, verb: str) -> str:
    version = " -6" if ":" in thing.to else ""
    words = [f"{_in(thing.namespace)}{version} route {verb}"]
    if thing.kind is not RouteKind.UNICAST:
        words.append(thing.kind.value)
    words.append("default" if thing.to in ("0.0.0.0/0", "::/0") else thing.to)
    words += [f"via {thing.via}"] if thing.via else []
    words += [f"dev {thing.device}"] if thing.device else []
    words += ["onlink"] if thing.via else []
    words += [f"src {thing.source}"] if thing.source else []
    words += [f"mtu {'lock ' if thing.locked else ''}{thing.mtu}"] if thing.mtu else []
    words += [f"table {thing.table}"] if thing.table else []
    return " ".join(words)


def _lookup(thing: Lookup, verb: str) -> str:
    version = " -6" if thing.version == 6 else ""
    mark = f" fwmark {thing.mark:#x}" if thing.mark else ""
    where = f"priority {thing.priority}{mark} lookup {thing.table}"
    return f"{_in(thing.namespace)}{version} rule {verb} {where}"


def _sysctl(thing: Sysctl) -> str:
    name = netns(thing.namespace)
    return f"ip netns exec {name} sysctl -qw {thing.key}={shlex.quote(thing.value)}"


def _forget(step: ForgetFlows) -> str:
    """conntrack(8) filters by what is, not by what is not: a flow is kept by naming it."""
    name = netns(step.namespace)
    where = f" --orig-dst {step.address}" if step.address else ""
    kept = " ".join(socket_address(*one) for one in sorted(step.wanted)) or "none"
    return (
        f"ip netns exec {name} conntrack -D -p udp{where} --orig-port-dst {step.port}"
        f"  # but for replies from {kept}"
    )


_MAKE: dict[type, Callable[[Any], str]] = {
    Sandbox: _make_sandbox,
    Sysctl: _sysctl,
    Veth: _make_veth,
    Vxlan: _make_vxlan,
    Address: lambda thing: _address(thing, "add"),
    Neighbour: lambda thing: _neighbour(thing, "add"),
    Forward: lambda thing: _forward(thing, "add"),
    Route: lambda thing: _route(thing, "add"),
    Lookup: lambda thing: _lookup(thing, "add"),
}
_REMOVE: dict[type, Callable[[Any], str]] = {
    Sandbox: lambda thing: f"ip netns del {netns(thing.namespace)}",
    Sysctl: lambda thing: f"# {thing.key} stays as it is in {netns(thing.namespace)}",
    Veth: _remove_link,
    Vxlan: _remove_link,
    Address: lambda thing: _address(thing, "del"),
    Neighbour: lambda thing: _neighbour(thing, "del"),
    Forward: lambda thing: _forward(thing, "del"),
    Route: lambda thing: _route(thing, "del"),
    Lookup: lambda thing: _lookup(thing, "del"),
}
