"""What a lab consists of: things that a kernel makes, rules, and servers.

Every thing carries the namespace that it lives in and is hashable, so that a change of the lab
is the difference of two sets (`kubehop.lab.plan.difference`).
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

FABRIC, OUTSIDE = "fabric", "outside"
"""The network between nodes, with the load balancer; and where clients and the Internet are."""


def node_namespace(name: str) -> str:
    """The lab's name for a node's network namespace."""
    return f"node/{name}"


def pod_namespace(namespace: str, name: str) -> str:
    """The lab's name for a pod's network namespace."""
    return f"pod/{namespace}/{name}"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A network, mount, UTS and IPC namespace, held by a pause process.

    `files` are mounted over the machine's own there: path -> text, of /etc/resolv.conf,
    /etc/hosts and /etc/nsswitch.conf.
    """

    namespace: str
    hostname: str
    files: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Veth:
    """A pair of interfaces, both up; the first end is the outer one (fabric, or a pod's host)."""

    namespace: str
    device: str
    mac: str
    peer_namespace: str
    peer_device: str
    peer_mac: str
    mtu: int = 1500


@dataclass(frozen=True, slots=True)
class Vxlan:
    """A VXLAN device, up, without learning; checksums of the outer packet as flannel has them."""

    namespace: str
    device: str
    mac: str
    local: str
    vni: int = 1
    port: int = 8472
    mtu: int = 1450


@dataclass(frozen=True, slots=True)
class Address:
    """An address with prefix length on a device; IPv6 without duplicate address detection."""

    namespace: str
    device: str
    address: str


class RouteKind(enum.StrEnum):
    """The kernel's route types that a lab uses."""

    UNICAST = "unicast"
    LOCAL = "local"
    UNREACHABLE = "unreachable"
    BLACKHOLE = "blackhole"


@dataclass(frozen=True, slots=True)
class Route:
    """A route: `to` is a CIDR ("0.0.0.0/0" and "::/0" are the defaults).

    With `via` it is `onlink`; `device` is "" where the kind needs none; `table` 0 is main. `mtu`
    counts for what is forwarded by IPv6 only if it is `locked`.
    """

    namespace: str
    to: str
    device: str = ""
    via: str = ""
    source: str = ""
    kind: RouteKind = RouteKind.UNICAST
    table: int = 0
    mtu: int = 0
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A permanent neighbour: no ARP, no neighbour discovery."""

    namespace: str
    device: str
    address: str
    mac: str


@dataclass(frozen=True, slots=True)
class Forward:
    """A permanent entry of a VXLAN's forwarding database: where the node with `mac` is."""

    namespace: str
    device: str
    mac: str
    remote: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """A rule of the routing policy: look in `table`, for packets with `mark` if not 0."""

    namespace: str
    version: int
    priority: int
    table: int
    mark: int = 0


@dataclass(frozen=True, slots=True)
class Sysctl:
    """A setting below /proc/sys of a network namespace, `net.ipv4.ip_forward` and the like."""

    namespace: str
    key: str
    value: str


Thing = Sandbox | Veth | Vxlan | Sysctl | Address | Neighbour | Forward | Route | Lookup
"""What a kernel makes; in this order, each kind needs only those before it."""


@dataclass(frozen=True, slots=True)
class Make:
    """A step: make this."""

    thing: Thing


@dataclass(frozen=True, slots=True)
class Remove:
    """A step: take this away. With a Sandbox goes everything that lives in it."""

    thing: Thing


NEXT_TRANSACTION = "# next transaction\n"
"""A line of an Nft's text that ends a transaction."""


@dataclass(frozen=True, slots=True)
class Nft:
    """A step: nftables transactions in a namespace, in nft's own language.

    Most are one. A transaction is one netlink message, whose length is limited for whoever is
    not root of the machine, so that much text comes in several, parted by NEXT_TRANSACTION.
    """

    namespace: str
    text: str

    @property
    def transactions(self) -> list[str]:
        """The texts that are applied whole or not at all, in order."""
        return self.text.split(NEXT_TRANSACTION)


@dataclass(frozen=True, slots=True)
class ForgetFlows:
    """A step: delete UDP conntrack entries (reference kube-proxy, section 6).

    Those to `address`:`port` ("": any address of the family of `wanted`, for node ports) whose
    replies would come from none of `wanted`, each as (address, port).
    """

    namespace: str
    address: str
    port: int
    wanted: frozenset[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A step: a Sandbox that stands gets these `files` in place; what runs in it keeps running."""

    sandbox: Sandbox


Step = Make | Remove | Nft | ForgetFlows | Rewrite


@dataclass(frozen=True, slots=True)
class Ruleset:
    """nftables of one namespace: fixed text, and elements of its maps and sets.

    `frame` declares tables, sets, maps, chains and rules that hold for any cluster. `elements`
    are, by "FAMILY TABLE NAME" of a map or set, its elements: key -> value, "" for a set's.
    `chains` are, by "FAMILY TABLE NAME", the rules of chains that come and go, `sets` the
    properties of sets that those rules write to: their elements are the kernel's own.
    """

    frame: str
    elements: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    chains: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sets: Mapping[str, str] = field(default_factory=dict)


class Hook(enum.StrEnum):
    """Where in a namespace a packet is met; netfilter's words."""

    PREROUTING = "prerouting"
    FORWARD = "forward"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Drop:
    """Packets that vanish without a word; `match` in nft's language."""

    namespace: str
    hook: Hook
    match: str


class Role(enum.StrEnum):
    """What a listening socket is for."""

    ECHO = "echo"
    """Says who it is and whom it sees: HTTP over TCP, one datagram over UDP."""
    HEALTH = "health"
    """A Service's health check node port: 200 with local endpoints, else 503."""
    PROXY_HEALTH = "proxy-health"
    """kube-proxy's own /healthz."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening socket. `address` "" is any; `pod` is "namespace/name", "" for none.

    `service` ("namespace/name") and `endpoints`, how many of its ready endpoints are on the
    node, are of role HEALTH.
    """

    namespace: str
    protocol: str
    address: str
    port: int
    role: Role = Role.ECHO
    pod: str = ""
    node: str = ""
    service: str = ""
    endpoints: int = 0


@dataclass(frozen=True, slots=True)
class Nameserver:
    """A DNS server in a namespace, over UDP and TCP.

    Of the cluster if `pod` ("namespace/name") is given, with the Corefile of the cluster and the
    `resolv_conf` that its forwarder reads; else outside, with the small public zone. `corefile`
    is the text of another Corefile, "" for the cluster's; `silent`: it takes every query and
    answers none.
    """

    namespace: str
    addresses: tuple[str, ...]
    port: int = 53
    pod: str = ""
    node: str = ""
    resolv_conf: str = ""
    corefile: str = ""
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole lab. `things` are in an order in which they can be made.

    `drops` are of faults. `notes` say, a line each, what of the cluster is not built and why, and
    what was assumed.
    """

    things: tuple[Thing, ...] = ()
    rulesets: Mapping[str, Ruleset] = field(default_factory=dict)
    listeners: tuple[Listener, ...] = ()
    nameservers: tuple[Nameserver, ...] = ()
    drops: frozenset[Drop] = frozenset()
    notes: tuple[str, ...] = ()
