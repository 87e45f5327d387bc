"""Sockets inside of a lab's namespaces, all served by one process.

What pods say, what kube-proxy says about health, cluster DNS and a resolver outside, and the
load balancer's health checks. Must never decide who listens where: the plan does; nor keep what
grows without a bound, or wait for one client.
"""

from kubehop.lab.servers.names import DNSServers
from kubehop.lab.servers.prober import HealthProber
from kubehop.lab.servers.servers import Servers

__all__ = ["DNSServers", "HealthProber", "Servers"]
