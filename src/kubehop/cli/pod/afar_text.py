"""What was seen of a pod through the API, as text and as JSON."""

from collections.abc import Iterator
from typing import Any

from kubehop.model.errors import printable
from kubehop.remote import seen
from kubehop.remote.look import Looked
from kubehop.remote.pods import Pod, sandbox_of

SOURCE = "Kubernetes API"
_HINTS = (
    "its image has nothing to look with, or it may not be run: --debug adds an ephemeral container",
    "on the pod's node, `kubehop pod ip` needs nothing in the image; so does `kubehop pod collect`",
)


def lines(pod: Pod, looked: Looked) -> Iterator[str]:
    """The pod's status, then its network, then its files."""
    yield f"pod {printable(pod.title)}"
    for label, value in _facts(pod):
        yield f"  {label:<13} {printable(value)}"
    for container in pod.status.container_statuses or ():
        yield f"  {'container':<13} {printable(f'{container.name} {container.container_id}')}"
    if not looked.parts:
        yield "network: not looked at"
        yield from (f"  {printable(why)}" for why in (*looked.why, *_HINTS))
        return
    from kubehop.render.pod_network import network_lines

    yield printable(f"network, {looked.how}")
    yield from (f"  {line}" for line in network_lines(seen.network(*_told(looked))))
    yield from _file_lines(looked)


def _facts(pod: Pod) -> tuple[tuple[str, str], ...]:
    return (
        ("status", pod.status.phase or "unknown"),
        ("addresses", ", ".join(pod.addresses) or "none"),
        ("node", f"{pod.spec.node_name or 'none'} {pod.status.host_ip}".rstrip()),
        ("host network", "yes: the addresses are the node's" if pod.spec.host_network else "no"),
    )


def _file_lines(looked: Looked) -> Iterator[str]:
    files = seen.files(looked.parts)
    for name, content in (("resolv.conf", files.resolv_conf), ("hosts", files.hosts)):
        if content is None:
            yield f"{name}: not known"
            continue
        yield f"{name}:"
        yield from (f"  {printable(line.expandtabs())}" for line in content.splitlines())


def _told(looked: Looked) -> tuple[dict[str, bytes], bool, str]:
    return looked.parts, looked.whole, looked.how


def json_value(pod: Pod, looked: Looked) -> dict[str, Any]:
    """A value of kind PodNetwork (docs/json.md)."""
    from kubehop.render.pod_json import pod_network

    network = seen.network(*_told(looked)) if looked.parts else None
    files = seen.files(looked.parts) if looked.parts else None
    return {
        **pod_network(sandbox_of(pod, SOURCE), network, files),
        "node": pod.spec.node_name or None,
        "hostAddress": pod.status.host_ip or None,
        "notLooked": list(looked.why),
    }
