"""A lab in words and tables: what stands, and how to go on."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from kubehop.model.errors import printable
from kubehop.render.drawing import Style, bullets, draw, text

if TYPE_CHECKING:
    from rich.console import RenderableType

Raw = dict[str, Any]
LISTED = 20
"""Rows of a table; `-o wide` shows all."""

LOGGED = 5
"""Lines of the log; `-o wide` shows all."""


def built_text(found: Raw, style: Style, name: str) -> str:
    """What `up` says: numbers, addresses to know, what is not as in the input, what to do next."""
    pods = [pod for pod in found["pods"] if pod["pid"]]
    parts: list[RenderableType] = [
        text(f"lab {found['name']} is up", "bold green"),
        text(
            f"{_count(len(found['nodes']), 'node')}, {_count(len(pods), 'pod')},"
            f" {_count(len(found['services']), 'Service')}; supervised, real packets"
        ),
        "",
        *_addresses(found, style),
        *_notes(found),
        "",
        text("Go on with", "bold"),
    ]
    # Not drawn, which would break long ones in two.
    commands = _next(found, f" --name {name}" if name else "")
    return draw(*parts, style=style) + "".join(f"  {printable(line)}\n" for line in commands)


def status_text(found: Raw, style: Style) -> str:
    """What `status` says."""
    head = f"lab {found['name']}, up since {found['started']}"
    parts: list[RenderableType] = [
        text(head, "bold"),
        text("rootless" if found["rootless"] else "as root"),
        "",
        *_nodes(found, style),
        "",
        *_pods(found, style),
        "",
        *_services(found, style),
    ]
    parts += _titled("DNS", [_dns(server) for server in found["dns"]])
    parts += _titled("Faults", [_fault(fault) for fault in found["faults"]])
    parts += _notes(found)
    parts += _titled("Log", found["log"] if style.wide else found["log"][-LOGGED:])
    return draw(*parts, style=style)


def list_text(labs: Sequence[Raw], style: Style) -> str:
    """What `list` says: a line for each lab."""
    if not labs:
        return "no lab is up: `kubehop lab up` makes one\n"
    columns = ("started", "nodes", "pods", "services", "faults")
    rows = [
        (lab["name"], *(str(lab.get(column, "-")) for column in columns), lab.get("problem", ""))
        for lab in labs
    ]
    titles = ("NAME", "STARTED", "NODES", "PODS", "SERVICES", "FAULTS", "")
    return draw(*_table(titles, rows, Style(style.colour, wide=True)), style=style)


def _fault(fault: Raw) -> str:
    where = " ".join(f"--{key} {fault[key]}" for key in fault if key not in ("name", "symptom"))
    return f"{fault['name']} {where}".strip() + f": {fault['symptom']}"


def _dns(server: Raw) -> str:
    who = f"pod {server['pod']}" if server["pod"] else f"the resolver {server['namespace']}"
    return f"{who} at {', '.join(server['addresses'])}"


def _addresses(found: Raw, style: Style) -> "list[RenderableType]":
    return [*_nodes(found, style), "", *_services(found, style)]


def _nodes(found: Raw, style: Style) -> "list[RenderableType]":
    rows = (
        (
            node["name"],
            node["zone"] or "-",
            " ".join(node["addresses"]),
            str(node["pods"]),
            _pid(node),
        )
        for node in found["nodes"]
    )
    return _table(("NODE", "ZONE", "ADDRESSES", "PODS", "PID"), list(rows), style)


def _pods(found: Raw, style: Style) -> "list[RenderableType]":
    rows = (
        (
            pod["namespace"],
            pod["name"],
            _state(pod),
            " ".join(pod["addresses"]) or "-",
            pod["node"] or "-",
            _pid(pod),
        )
        for pod in found["pods"]
    )
    titles = ("NAMESPACE", "POD", "STATE", "ADDRESSES", "NODE", "PID")
    return _table(titles, list(rows), style)


def _state(pod: Raw) -> str:
    if pod["terminating"]:
        return "terminating"
    if pod["phase"] != "Running":
        return pod["phase"] or "-"
    return "ready" if pod["ready"] else "not ready"


def _services(found: Raw, style: Style) -> "list[RenderableType]":
    rows = (
        (
            service["namespace"],
            service["name"],
            service["type"],
            " ".join(service["clusterIPs"]) or "-",
            " ".join((*service["loadBalancer"], *service["externalIPs"])) or "-",
            " ".join(service["ports"]) or "-",
            str(service["readyEndpoints"]),
        )
        for service in found["services"]
    )
    titles = ("NAMESPACE", "SERVICE", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORTS", "READY")
    return _table(titles, list(rows), style)


def _pid(item: Raw) -> str:
    return str(item["pid"] or "-")


def _table(
    titles: Sequence[str], rows: list[tuple[str, ...]], style: Style
) -> "list[RenderableType]":
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    shown = rows if style.wide else rows[:LISTED]
    for cells in shown:
        table.add_row(*map(text, cells))
    hidden = len(rows) - len(shown)
    return [table, text(f"and {hidden} more (-o wide)", "dim")] if hidden else [table]


def _titled(title: str, items: Iterable[str]) -> "list[RenderableType]":
    found = bullets(title, tuple(items))
    return ["", *found] if found else []


def _notes(found: Raw) -> "list[RenderableType]":
    return [
        *_titled("Assumed, because the input does not say", found["assumptions"]),
        *_titled("Note", dict.fromkeys((*found["notes"], *found["problems"]))),
    ]


def _next(found: Raw, name: str) -> list[str]:
    """Commands that work in this very lab."""
    pod = _client(found["pods"])
    lines = []
    if pod:
        where = pod["name"] + ("" if pod["namespace"] == "default" else f" -n {pod['namespace']}")
        lines.append(f"kubehop lab exec {where}{name} -- nslookup kubernetes.default")
    service = next((s for s in found["services"] if s["loadBalancer"]), None)
    service = service or next((s for s in found["services"] if s["clusterIPs"]), None)
    if service and service["ports"]:
        port = service["ports"][0].split("/")[0].split(":")[0]
        source = f"pod/{pod['name']}.{pod['namespace']}" if pod else "node/" + _first_node(found)
        origin = "external" if service["loadBalancer"] else source
        target = f"svc/{service['name']}.{service['namespace']}:{port}"
        lines.append(f"kubehop lab trace {origin} {target}{name}")
    return [*lines, f"kubehop lab status{name}", f"kubehop lab down{name}"]


def _client(pods: Iterable[Raw]) -> Raw | None:
    """Whom to try things from: busybox, else a pod that is there to stay."""
    there = [pod for pod in pods if pod["pid"] and pod["ready"] and not pod["hostNetwork"]]
    return next((pod for pod in there if pod["name"] == "busybox"), there[0] if there else None)


def _first_node(found: Raw) -> str:
    return str(found["nodes"][0]["name"])


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
