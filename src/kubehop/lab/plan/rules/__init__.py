"""nftables rules of a lab: Services on nodes, the load balancer in the fabric. Pure text.

They do in the kernel what `service` and `trace` predict, because they are compiled from the
same decisions. Never a rule per Service or endpoint (but for session affinity), and never text
of a manifest: names become numbers, addresses are validated where they are read.
"""

from kubehop.lab.plan.rules.balancer import balancer_mark, balancer_ruleset
from kubehop.lab.plan.rules.flows import flows_to_forget
from kubehop.lab.plan.rules.nodes import node_rulesets
from kubehop.lab.plan.rules.text import change_text, change_texts, load_text, load_texts

__all__ = [
    "balancer_mark",
    "balancer_ruleset",
    "change_text",
    "change_texts",
    "flows_to_forget",
    "load_text",
    "load_texts",
    "node_rulesets",
]
