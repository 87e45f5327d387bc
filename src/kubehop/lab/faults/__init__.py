"""Things that go wrong in a cluster's network, to put into a lab and to take out again.

A fault is a pure change of the cluster or of the plan, so healing is exact: the plan without it.
Must never touch a kernel, a socket or a lab that stands: `kubehop.lab.lab` does what it says.
"""

from kubehop.lab.faults.inject import Faulty, added, chosen, fault_named, faulty, healed
from kubehop.lab.faults.table import FAULTS
from kubehop.lab.faults.values import Fault, Injected, Parameter, Place

__all__ = [
    "FAULTS",
    "Fault",
    "Faulty",
    "Injected",
    "Parameter",
    "Place",
    "added",
    "chosen",
    "fault_named",
    "faulty",
    "healed",
]
