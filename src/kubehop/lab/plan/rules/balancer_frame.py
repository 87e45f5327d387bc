"""The tables of the fabric: the load balancer, and the 1:1 translation of nodes' ExternalIPs.

A balanced packet is not touched: its mark makes the fabric route it to one node, the
connection's mark remembers which. A proxying load balancer (ipMode Proxy) has a connection of
its own: to a node port, from its own address.
"""

from kubehop.lab.plan.addressing import OUTSIDE_DEVICE
from kubehop.lab.plan.rules.frame import PICKS, TABLE, TRANSPORT, WORDS, at
from kubehop.model.addresses import Family

CHOSEN = 0x8000_0000
"""In a connection's mark: the rest is the mark of a node."""
PROXY = 0x2000_0000
"""In the value of a listener: a proxying one."""
POOL = 0x4000_0000
"""In the number of a pool, which is never the mark of a node."""

_UNREACHABLE = {
    Family.IPV4: "icmp type host-unreachable",
    Family.IPV6: "icmpv6 type addr-unreachable",
}


def balancer_frame() -> str:
    """The text that declares both tables of the fabric."""
    return "".join(_frame(wanted) for wanted in Family)


def pick_rules(size: int) -> dict[str, str]:
    """The chains that choose one of `size`, and the rule of each."""
    return {
        f"pick-{size}": f"ct mark set numgen random mod {size} goto send",
        f"proxy-pick-{size}": f"ct mark set numgen random mod {size} goto proxy",
    }


def _frame(wanted: Family) -> str:
    picks = "".join(
        f"\tchain {name} {{\n\t\t{rule}\n\t}}\n"
        for size in range(1, PICKS + 1)
        for name, rule in pick_rules(size).items()
    )
    words = WORDS[wanted] | {
        "table": TABLE,
        "picks": picks,
        "at": at(wanted),
        "transport": TRANSPORT,
        "unreachable": _UNREACHABLE[wanted],
        "outside": OUTSIDE_DEVICE,
        "CHOSEN": f"{CHOSEN:#x}",
        "NODE": f"{0xFFFFFFFF & ~CHOSEN:#x}",
        "PROXY": f"{PROXY:#x}",
    }
    return _FABRIC.format_map(words)


_FABRIC = """table {ip} {table} {{
	map listeners {{
		type {addr} . inet_proto . inet_service : mark
	}}
	map pools {{
		type mark : verdict
	}}
	map proxy-pools {{
		type mark : verdict
	}}
	map members {{
		type mark . mark : mark
	}}
	map targets {{
		type mark . mark : {addr} . inet_service
	}}
	map proxied {{
		type {addr} . inet_proto . inet_service : mark
	}}
	set proxies {{
		type {addr}
	}}
	set addresses {{
		type {addr}
	}}
	map externals {{
		type {addr} : {addr}
	}}
	chain send {{
		ct mark set meta mark . ct mark map @members
		meta mark set ct mark & {NODE} accept
	}}
	chain proxy {{
		{transport} dnat {ip} to meta mark . ct mark map @targets
	}}
{picks}	chain balanced {{
		meta mark & {PROXY} != 0 meta mark set 0 accept
		meta mark vmap @pools
		drop
	}}
	chain to-proxy {{
		meta mark vmap @proxy-pools
		drop
	}}
	chain mangle-prerouting {{
		type filter hook prerouting priority -150; policy accept;
		ct direction original ct mark & {CHOSEN} != 0 meta mark set ct mark & {NODE} accept
		ct state new meta mark set {at} map @listeners goto balanced
		ct state new {ip} daddr @addresses reject with {unreachable}
	}}
	chain nat-prerouting {{
		type nat hook prerouting priority -100; policy accept;
		meta mark set {at} map @proxied goto to-proxy
		iifname "{outside}" dnat {ip} to {ip} daddr map @externals
	}}
	chain filter-forward {{
		type filter hook forward priority 0; policy accept;
		ct state new {ip} daddr @proxies reject with {unreachable}
	}}
	chain nat-postrouting {{
		type nat hook postrouting priority 100; policy accept;
		ct status dnat ct original {ip} daddr @proxies snat {ip} to ct original {ip} daddr
	}}
}}
"""
