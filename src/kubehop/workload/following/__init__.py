"""Controllers of a cluster that lives: what changes when people change objects, and what stays.

`kubehop.workload.complete` makes a cluster once; run again it may move everything. Here each
change gives the next cluster, in which only what has to be different is. Pure and deterministic:
must never know a clock, chance or a real cluster.
"""

from kubehop.workload.following.describe import described
from kubehop.workload.following.operations import applied, conditioned, deleted, scaled, start
from kubehop.workload.following.state import Following

__all__ = ["Following", "applied", "conditioned", "deleted", "described", "scaled", "start"]
