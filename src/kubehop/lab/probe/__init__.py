"""Packets sent for real, and what came of them, compared with what was predicted.

`prober` opens connections inside a lab's namespaces and watches the fabric; `expect`, `tally`
and `compare` are pure. It never builds or changes a lab, and an answer that it does not
understand is an error, never a result.
"""

from kubehop.lab.probe.prober import Prober
from kubehop.lab.probe.values import Fabric, Link, Observed, Probe, fabric_links

__all__ = ["Fabric", "Link", "Observed", "Probe", "Prober", "fabric_links"]
