"""Sockets around the plugin chain: the cluster's names over UDP and TCP, as CoreDNS serves them.

One thread and one selector. Static answers come from a table of octets, everything else from
`kubehop.dns.chain`, whose wishes for upstream queries are carried out here. Must never decide
what a name's answer is, wait for one client or upstream, or keep what grows without a bound.
"""

from kubehop.dnsserver.listen import Listen
from kubehop.dnsserver.log import Logged
from kubehop.dnsserver.server import Server

__all__ = ["Listen", "Logged", "Server"]
