"""What can be known of a pod's sandbox and its network; pure values.

`None` is "not known" wherever it stands, and an `Unknown` says why and what would tell.
"""

from msgspec import Struct

from kubehop.model.errors import KubehopError

SHORT = 13
"""Digits of an id that people are shown, as crictl prints it."""


class Unknown(Struct, frozen=True):
    """Something that could not be found out: `what`, `why`, and what it `needs` to be known."""

    what: str
    why: str
    needs: str = ""


class Container(Struct, frozen=True):
    """A container of a pod; the sandbox's own (pause) is none.

    `id` is whole: 64 hexadecimal digits with every runtime of today. `names` are those that a
    runtime knows it by besides (docker). `pid` is of its first process, as this process sees it;
    None if it runs none, or that is not known. `running` is None if that is not known.
    """

    id: str
    name: str = ""
    pid: int | None = None
    running: bool | None = None
    attempt: int = 0
    names: tuple[str, ...] = ()


class Sandbox(Struct, frozen=True):
    """One sandbox of a pod, as far as its source knows it.

    `id` is the runtime's ("" if not known). `attempt` counts the sandboxes of one pod: of those
    that are ready the highest counts. `created` is in nanoseconds since 1970, 0 if not known.
    `pid` is of the process that holds the namespaces (pause), as this process sees it; None where
    there is none (CRI-O) or it is not known. `netns_path` is a path at which the runtime says that
    the network namespace is, in the runtime's mount namespace. `inode` is the network namespace's.
    `host_network` is None if not known. `addresses` are the pod's as the source says; those of
    the node for a pod in the host's network are not among them. `runtime` is "containerd 1.6.20",
    `handler` the runtime handler: "runc", "runsc" (gVisor), "kata". `names` are docker's.
    `static`: the uid is a static pod's hash. `source` is the name of the source that tells this.
    """

    id: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    attempt: int = 0
    ready: bool | None = None
    created: int = 0
    pid: int | None = None
    netns_path: str = ""
    inode: int | None = None
    host_network: bool | None = None
    addresses: tuple[str, ...] = ()
    runtime: str = ""
    handler: str = ""
    static: bool = False
    names: tuple[str, ...] = ()
    containers: tuple[Container, ...] = ()
    source: str = ""
    unknown: tuple[Unknown, ...] = ()


class Tried(Struct, frozen=True):
    """A source and what came of it: `found` sandboxes, or None and why there is nothing.

    `needs` is the privilege that would make it answer, "" if none would (no such socket).
    """

    source: str
    found: int | None
    why: str = ""
    needs: str = ""


NONE_THERE = "none is there"
"""The `why` of a Tried for a kind of source of which this host has none."""


class SourceError(KubehopError):
    """A source that cannot be asked; `needs` is the privilege that is missing, or ""."""

    def __init__(self, why: str, needs: str = "") -> None:
        super().__init__(why)
        self.why, self.needs = why, needs


class InterfaceAddress(Struct, frozen=True):
    """An address of an interface, with the words of ip(8).

    `scope` is `global`, `link`, `host`, `site` or a number. `flags` are ip's words in its order:
    `secondary`, `tentative`, `deprecated`, `dynamic`, `noprefixroute`, ... `prefix` is the length.
    `valid_seconds` and `preferred_seconds` are None for ever; `peer`, `broadcast` "" if none.
    `metric` is of the route that comes with it, None for the kernel's usual one.
    """

    address: str
    prefix: int | None
    scope: str = "global"
    flags: tuple[str, ...] = ()
    label: str = ""
    peer: str = ""
    broadcast: str = ""
    valid_seconds: int | None = None
    preferred_seconds: int | None = None
    metric: int | None = None


class Interface(Struct, frozen=True):
    """A network interface; None and () are what the way of looking did not tell.

    `flags` are ip's: `BROADCAST`, `MULTICAST`, `UP`, `LOWER_UP`. `link` is the interface index of
    its parent or peer (IFLA_LINK, the 41 of `eth0@if41`), `link_namespace` the id by which the
    namespace of it is known here (IFLA_LINK_NETNSID); None for one in the same namespace.
    `kind` is IFLA_INFO_KIND: `veth`, `macvlan`, `netkit`, `vlan`, `bridge`, ... "" for a device.
    """

    name: str
    index: int | None = None
    kind: str = ""
    flags: tuple[str, ...] = ()
    mtu: int | None = None
    qdisc: str = ""
    state: str = ""
    group: str = ""
    queue_length: int | None = None
    link_type: str = ""
    mac: str = ""
    broadcast: str = ""
    link: int | None = None
    link_namespace: int | None = None
    master: int | None = None
    addresses: tuple[InterfaceAddress, ...] = ()
    permanent_mac: str = ""
    other_names: tuple[str, ...] = ()


class NextHop(Struct, frozen=True):
    """One of several ways of a route. A gateway may be of the other family than the route."""

    gateway: str = ""
    device: str = ""
    weight: int = 1
    flags: tuple[str, ...] = ()


class Route(Struct, frozen=True):
    """A route with the words of ip(8): `destination` is `default`, an address or a CIDR.

    `kind` is `unicast`, `blackhole`, `unreachable`, ...; `family` 4 or 6; `table` a name or number.
    `metrics` are ip's words and values (`mtu`, `1400`), `preference` is RFC 4191's, "" with IPv4;
    `error` is the kernel's number for a route that refuses, as unsigned as ip prints it.
    """

    family: int
    destination: str
    device: str = ""
    gateway: str = ""
    source: str = ""
    metric: int | None = None
    scope: str = ""
    protocol: str = ""
    kind: str = "unicast"
    table: str = "main"
    flags: tuple[str, ...] = ()
    nexthops: tuple[NextHop, ...] = ()
    metrics: tuple[tuple[str, str], ...] = ()
    nexthop_id: int | None = None
    service_type: int = 0
    from_source: str = ""
    preference: str = ""
    expires_seconds: int | None = None
    error: int = 0


class Listening(Struct, frozen=True):
    """A socket that waits for others: `protocol` is `tcp` or `udp`; `*` is no address of ss'.

    `address` is `0.0.0.0`, `::`, or the one it is bound to; `both_families` is True for a socket
    of IPv6 that takes IPv4 too, None if not known. `program` and `pid` are whose it is, if known.
    """

    protocol: str
    address: str
    port: int
    both_families: bool | None = None
    inode: int = 0
    program: str = ""
    pid: int | None = None


class Peer(Struct, frozen=True):
    """The other end of an interface, in this host's network namespace.

    Where a host is itself a container of this one (kind), `container` is that container's id, and
    the end is in its namespace.

    `verified`: indices point at each other and both namespace ids are the other's. Else `why` says
    which of these could not be seen.
    """

    interface: int
    name: str
    index: int
    verified: bool
    why: str = ""
    container: str = ""


class Network(Struct, frozen=True):
    """What is in a network namespace; `how` says how it was looked at, for people."""

    inode: int | None
    interfaces: tuple[Interface, ...] = ()
    routes: tuple[Route, ...] = ()
    listening: tuple[Listening, ...] = ()
    peers: tuple[Peer, ...] = ()
    how: str = ""
    unknown: tuple[Unknown, ...] = ()


class Files(Struct, frozen=True):
    """Files as a container sees them; None if not known, "" for one that is not there."""

    resolv_conf: str | None = None
    hosts: str | None = None
    hostname: str | None = None
    unknown: tuple[Unknown, ...] = ()
