"""The pods that tests look at: one of every sort that a node has.

Their names end in the host's token, as others may run the same tests on this machine.
"""

from tests.real.runtimes.containerd import PLANTED
from tests.real.runtimes.host import Host
from tests.real.runtimes.kubelet import App, Wanted

SECRET = "a secret of the host\n"
"""Content of FOLDER/secret, which what a container plants points at."""

_SLEEP = ("sleep", "1000000")
_LISTEN = (
    *("tcp", "0.0.0.0", "8080", "tcp", "::", "9090", "tcp6only", "::", "8080"),
    *("tcp", "127.0.0.1", "7070", "tcp", "::1", "7071", "tcp6only", "::1", "7072"),
    *("udp", "0.0.0.0", "5353", "udp", "::", "5354", "udp6only", "::", "5353"),
    *("udp", "127.0.0.1", "5300", "udp", "::1", "5301", "tcp", "::ffff:127.0.0.1", "7073"),
)
"""Both protocols on every address, on one family's, on both, and on one address."""

_LONG = "net1234567890ab"
"""As long as a name may be: IFNAMSIZ less the NUL."""
_NETWORK = (
    f"link add {_LONG} type veth peer name {_LONG[:-1]}c",
    f"link set {_LONG[:-1]}c up",
    f"link set {_LONG} up mtu 9000 txqueuelen 7 address 02:00:00:00:00:01",
    f"addr add 192.0.2.1/24 broadcast + dev {_LONG} label {_LONG[:13]}:1",
    f"addr add 192.0.2.2/24 dev {_LONG}",
    f"addr add 198.51.100.1 peer 198.51.100.2/32 dev {_LONG} noprefixroute",
    f"addr add 2001:db8::1/64 dev {_LONG} nodad preferred_lft 0",
    f"addr add 2001:db8::2/64 dev {_LONG} nodad valid_lft 90000 preferred_lft 80000",
    f"addr add 203.0.113.1/32 dev {_LONG} scope link",
    "link add vxlan.calico type vxlan id 4096 dstport 4789",
    "link set vxlan.calico up",
    "link add link eth0 name macvlan0 type macvlan mode bridge",
    "link set macvlan0 up allmulticast on",
    "addr add 10.9.0.1/16 dev macvlan0",
    "link add br0 type bridge",
    "link add inner0 type veth peer name inner1",
    "link set inner0 master br0 up",
    "link add ghost type ifb",
    "tuntap add tap0 mode tap",
    "route add 10.50.0.0/16 via 192.0.2.9 metric 50 src 192.0.2.2",
    "route add blackhole 10.60.0.0/16",
    "route add unreachable 2001:db8:dead::/48",
    "route add 10.70.0.0/16 nexthop via 192.0.2.7 weight 2 nexthop via 192.0.2.8",
    f"route add 10.80.0.0/16 dev {_LONG} scope link mtu 1400",
    f"route add 2001:db8:1::/48 via 2001:db8::9 dev {_LONG} metric 77",
    f"route add 2001:db8:2::/48 nexthop via 2001:db8::7 dev {_LONG} nexthop via 2001:db8::8 dev"
    f" {_LONG}",
    f"route add 10.90.0.0/16 via inet6 fe80::1 dev {_LONG}",
    f"route add 10.55.0.0/16 dev {_LONG} table 100",
)


def wanted_pods(host: Host) -> dict[str, Wanted]:
    """The pods of a host, by what tests call them."""
    token, shop, bank = host.token, f"shop-{host.token}", f"bank-{host.token}"
    app, helper = App("app", ("/listen", *_LISTEN)), App("helper", _SLEEP)
    once = App("once", ("sh", "-c", "exit 3"), exits=True)
    twin = App("twin", _SLEEP)
    hash_of_file = f"{int.from_bytes(token.encode()):032x}"[-32:]
    return {
        "web": Wanted(f"web-{token}", shop, (app, helper)),
        "many": Wanted(f"many-{token}", shop, (helper,), network=_NETWORK),
        "node": Wanted(f"node-{token}", shop, (helper,), host_network=True),
        "again": Wanted(f"again-{token}", shop, (helper,), restarted=True, qos="besteffort"),
        "once": Wanted(f"once-{token}", shop, (once, helper)),
        "twin": Wanted(f"twin-{token}", shop, (twin,)),
        "other twin": Wanted(f"twin-{token}", bank, (twin,), qos="guaranteed"),
        "planted": Wanted(f"planted-{token}", shop, _planted(host)),
        "static": Wanted(f"static-{token}", shop, (helper,), static=True, uid=hash_of_file),
    }


def wanted_of_docker() -> dict[str, Wanted]:
    """The pods of a host with docker; one as the cluster names that a Deployment made."""
    app, sidecar = App("app", ("/bin/sleep", "1000000")), App("sidecar", ("/bin/sleep", "1000000"))
    return {
        "ubuntu": Wanted("ubuntu1-85fc988485-qnwzq", "default", (app, sidecar)),
        "node": Wanted("node", "kube-system", (app,), host_network=True),
    }


def _planted(host: Host) -> tuple[App, ...]:
    """Containers whose files lead out, or are none: made while they run, as an attacker would.

    In the image resolv.conf and hosts are links already, so the runtime has mounted its own files
    elsewhere, and the links can be replaced.
    """
    secret = host.folder / "secret"
    secret.write_text(SECRET)
    up = "../" * 20
    lead_out = f"ln -s {secret} resolv.conf; ln -s {up}{str(secret)[1:]} hosts"
    no_files = "mkfifo resolv.conf; mkdir hosts"
    script = "cd /etc; rm -f resolv.conf hosts; {}; exec " + " ".join(_SLEEP)
    return tuple(
        App(name, ("sh", "-c", script.format(planting)), PLANTED)
        for name, planting in (("links", lead_out), ("traps", no_files))
    )
