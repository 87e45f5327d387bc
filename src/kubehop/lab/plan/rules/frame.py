"""The tables of a node: fixed rules, the same on every node of every cluster.

They look everything up in flat maps, one per question, so that a packet costs a few lookups and
a change a few elements (reference: kube-proxy, section 7, for the hooks and priorities).

For the first packet of a connection, in prerouting and output:
`services`   the frontend's value becomes the mark: by address, else by node port
`service`    bits of the mark decide what is masqueraded and which set applies
`pick-N`     one of N: the index goes into the connection's mark
`translate`  set and index are the key of the endpoint
In postrouting `sources` masquerades what is marked, connections of an endpoint to itself, and
pods that leave the pod network. What was not translated meets `guard` before it is delivered.

nft 1.0.6: a chain's last rule needs a newline before `}`; `numgen` cannot be part of a
concatenation that is looked up in a map of marks, hence the index in the connection's mark;
`dnat` to an address with port wants `meta l4proto` matched in the same rule.
"""

from kubehop.lab.plan.rules.marks import LOCAL, MASQUERADE, SET, SHORT_CIRCUIT, UNLESS_POD
from kubehop.model.addresses import Family

WORDS = {
    Family.IPV4: {"ip": "ip", "addr": "ipv4_addr", "loopback": "127.0.0.0/8"},
    Family.IPV6: {"ip": "ip6", "addr": "ipv6_addr", "loopback": "::1"},
}
TABLE = "kubehop"
PICKS = 16
"""Sets of up to so many endpoints find their chain in the frame."""


PORT = "meta l4proto . th dport"
TRANSPORT = "meta l4proto { tcp, udp, sctp }"


def at(wanted: Family) -> str:
    """Where a packet is addressed to: the key of frontends."""
    return f"{WORDS[wanted]['ip']} daddr . {PORT}"


def name_of(wanted: Family, name: str) -> str:
    """The key of a map, set or chain in a Ruleset: `ip kubehop frontends`."""
    return f"{WORDS[wanted]['ip']} {TABLE} {name}"


def node_frame() -> str:
    """The text that declares both tables of a node."""
    return "".join(_frame(wanted) for wanted in Family)


def pick_rule(size: int) -> str:
    """The rule of the chain `pick-N`."""
    return f"ct mark set numgen random mod {size} goto translate"


def _frame(wanted: Family) -> str:
    picks = "".join(f"\tchain pick-{n} {{\n\t\t{pick_rule(n)}\n\t}}\n" for n in range(1, PICKS + 1))
    words = WORDS[wanted] | {
        "table": TABLE,
        "picks": picks,
        "at": at(wanted),
        "port": PORT,
        "transport": TRANSPORT,
        "masquerade": f"meta mark set meta mark | {MASQUERADE:#x}",
        "MASQUERADE": f"{MASQUERADE:#x}",
        "UNLESS_POD": f"{UNLESS_POD:#x}",
        "SHORT_CIRCUIT": f"{SHORT_CIRCUIT:#x}",
        "SET": f"{SET:#x}",
        "CLUSTER": f"{0xFFFFFFFF & ~LOCAL:#x}",
    }
    return _NODE.format_map(words)


_NODE = """table {ip} {table} {{
	set pods {{
		type {addr}
		flags interval
	}}
	set unmasqueraded {{
		type {addr}
		flags interval
	}}
	set own {{
		type {addr}
		flags interval
	}}
	set nodeport-ips {{
		type {addr}
		flags interval
	}}
	set inside {{
		type {addr}
		flags interval
	}}
	set service-cidrs {{
		type {addr}
		flags interval
	}}
	set local-pods {{
		type {addr}
	}}
	set cluster-ips {{
		type {addr}
	}}
	set hairpins {{
		type {addr} . {addr}
	}}
	set hostport-hairpins {{
		type {addr} . {addr}
	}}
	set firewalled {{
		type {addr} . inet_proto . inet_service
	}}
	set admitted {{
		type {addr} . inet_proto . inet_service . {addr}
		flags interval
	}}
	map frontends {{
		type {addr} . inet_proto . inet_service : mark
	}}
	map nodeports {{
		type inet_proto . inet_service : mark
	}}
	map hostports {{
		type {addr} . inet_proto . inet_service : {addr} . inet_service
	}}
	map loopback-hostports {{
		type inet_proto . inet_service : {addr} . inet_service
	}}
	map sets {{
		type mark : verdict
	}}
	map endpoints {{
		type mark . mark : {addr} . inet_service
	}}
	map no-endpoints {{
		type {addr} . inet_proto . inet_service : verdict
	}}
	map no-endpoint-ports {{
		type inet_proto . inet_service : verdict
	}}
	chain rejecting {{
		reject
	}}
	chain translate {{
		{transport} dnat {ip} to meta mark & {SET} . ct mark map @endpoints
	}}
{picks}	chain short-circuit {{
		{ip} saddr @pods meta mark set meta mark & {CLUSTER} return
		{ip} saddr @own meta mark set meta mark & {CLUSTER} | {MASQUERADE}
	}}
	chain service {{
		meta mark & {SHORT_CIRCUIT} != 0 jump short-circuit
		meta mark & {UNLESS_POD} != 0 {ip} saddr != @unmasqueraded {masquerade}
		meta mark & {SET} vmap @sets
	}}
	chain services {{
		meta mark set {at} map @frontends goto service
		{ip} daddr @nodeport-ips meta mark set {port} map @nodeports goto service
		{transport} dnat {ip} to {at} map @hostports
		{ip} daddr {loopback} {transport} dnat {ip} to {port} map @loopback-hostports
	}}
	chain firewall {{
		{at} @firewalled {at} . {ip} saddr != @admitted drop
	}}
	chain guard {{
		ct status dnat return
		{at} vmap @no-endpoints
		{ip} daddr @nodeport-ips {port} vmap @no-endpoint-ports
		{ip} daddr @cluster-ips goto rejecting
		{ip} daddr @service-cidrs drop
	}}
	chain sources {{
		meta mark & {MASQUERADE} != 0 meta mark set 0 masquerade fully-random
		ct status dnat {ip} saddr . {ip} daddr @hairpins masquerade fully-random
		ct status dnat {ip} saddr . {ip} daddr @hostport-hairpins masquerade fully-random
		ct status dnat {ip} saddr {loopback} oifname != "lo" masquerade fully-random
		{ip} saddr @local-pods {ip} daddr != @inside masquerade fully-random
	}}
	chain firewall-prerouting {{
		type filter hook prerouting priority -110; policy accept;
		ct state new jump firewall
	}}
	chain firewall-output {{
		type filter hook output priority -110; policy accept;
		ct state new jump firewall
	}}
	chain nat-prerouting {{
		type nat hook prerouting priority -100; policy accept;
		jump services
	}}
	chain nat-output {{
		type nat hook output priority -100; policy accept;
		jump services
	}}
	chain nat-postrouting {{
		type nat hook postrouting priority 100; policy accept;
		jump sources
	}}
	chain filter-input {{
		type filter hook input priority 0; policy accept;
		ct state new jump guard
	}}
	chain filter-forward {{
		type filter hook forward priority 0; policy accept;
		ct state new jump guard
	}}
	chain filter-output {{
		type filter hook output priority 0; policy accept;
		ct state new jump guard
	}}
}}
"""
