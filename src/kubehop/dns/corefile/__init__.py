"""CoreDNS's configuration: text to values, and its errors in CoreDNS's words.

What it refers to (files, variables) is passed in. Must never say how a query is answered:
that is `kubehop.dns.chain`.
"""

from kubehop.dns.corefile.cluster import KUBEADM, cluster_domain, corefile_of, corefile_text
from kubehop.dns.corefile.parse import parse
from kubehop.dns.corefile.values import Corefile, Key, Plugin, ServerBlock

__all__ = [
    "KUBEADM",
    "Corefile",
    "Key",
    "Plugin",
    "ServerBlock",
    "cluster_domain",
    "corefile_of",
    "corefile_text",
    "parse",
]
