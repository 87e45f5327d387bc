"""Packets that vanish: a table of its own in a namespace, beside the Service rules.

Faults need it. It is small and replaced whole, so what changes it needs no handles.
"""

from collections.abc import Iterable

from kubehop.lab.plan.values import Drop, Hook

TABLE = "kubehop-fault"
PRIORITY = -450
"""Before fragments are put together (-400) and before conntrack (-200): as on the wire."""


def drops_text(drops: Iterable[Drop]) -> str:
    """One transaction that makes the table hold these and no others; gone if there are none."""
    wanted = frozenset(drops)
    # Declared first, so that there is something to delete.
    lines = [f"table inet {TABLE}", f"delete table inet {TABLE}"]
    if wanted:
        chains = "".join(_chain(hook, wanted) for hook in Hook)
        lines.append(f"table inet {TABLE} {{\n{chains}}}")
    return "".join(f"{line}\n" for line in lines)


def _chain(hook: Hook, drops: frozenset[Drop]) -> str:
    rules = sorted(f"{drop.match} counter drop" for drop in drops if drop.hook is hook)
    if not rules:
        return ""
    base = f"type filter hook {hook} priority {PRIORITY}; policy accept;"
    body = "".join(f"    {line}\n" for line in (base, *rules))
    return f"  chain {hook} {{\n{body}  }}\n"
