"""A query through a Corefile: server block, plugins in CoreDNS's order, reply.

What must be asked outside is yielded as a value, and the time is passed in. Must never ask
anybody, read a clock, or compose answers of the cluster: `kubehop.dns.zone` does that.
"""
