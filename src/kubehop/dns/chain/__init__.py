"""A query through a Corefile: server block, plugins in CoreDNS's order, reply.

What must be asked outside is yielded as a value, and the time is passed in. Must never ask
anybody, read a clock, or compose answers of the cluster: `kubehop.dns.zone` does that.
"""

from kubehop.dns.chain.serving import Serving, own_addresses
from kubehop.dns.chain.values import Answering, Asked, Upstream

__all__ = ["Answering", "Asked", "Serving", "Upstream", "own_addresses"]
