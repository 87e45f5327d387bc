"""What the cluster's names stand for: CoreDNS's kubernetes plugin over a Cluster's objects.

Objects come in once and then change by change; a lookup costs the same in a large cluster.
Must never ask anybody: a name outside the zone is handed back to whoever asked.

It answers where CoreDNS 1.13 does not: the PTR of an endpoint whose slice names no Service (a
name with an empty label, which cannot be sent), a transfer of a zone whose nameserver a selector
hides (it never ends), or has two addresses (a panic). And it takes CoreDNS to have run all the
time: a pod that is listed while it ends is known (`ZoneData.of`).
"""

from kubehop.dns.zone.answer import KubernetesZone
from kubehop.dns.zone.data import KINDS, Touched, ZoneData
from kubehop.dns.zone.explain import Why, explain
from kubehop.dns.zone.outcome import NODATA, Chase, Found, Outcome, Without
from kubehop.dns.zone.touched import names, owner_of
from kubehop.dns.zone.transfer import transfer

__all__ = [
    "KINDS",
    "NODATA",
    "Chase",
    "Found",
    "KubernetesZone",
    "Outcome",
    "Touched",
    "Why",
    "Without",
    "ZoneData",
    "explain",
    "names",
    "owner_of",
    "transfer",
]
