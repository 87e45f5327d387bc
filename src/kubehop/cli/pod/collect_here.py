"""`kubehop pod collect --here`: every pod of this host as a line of JSON; what a Job runs."""

import click

from kubehop.cli.pod.common import this_host
from kubehop.remote.stream import END
from kubehop.render.json_common import API_VERSION, Json
from kubehop.render.pod_json import plain, pod_network


def collect_here(node: str) -> int:
    """Print a line of kind PodNetwork for each pod and one of kind NodeCollected as the last."""
    from kubehop.sandbox.files import read_files
    from kubehop.sandbox.look import look

    host = this_host()
    try:
        sandboxes = host.sandboxes(detailed=True)
    finally:
        host.close()
    for sandbox in sandboxes:
        network = look(sandbox, host.processes)
        files = read_files(sandbox, host.processes)
        _print({**pod_network(sandbox, network, files), "node": node})
    _print(
        {
            "apiVersion": API_VERSION,
            "kind": END,
            "node": node,
            "pods": len(sandboxes),
            "sources": plain(host.tried),
        }
    )
    return 0


def _print(value: Json) -> None:
    """One line: the encoder writes no newline, and what drives a terminal as escapes."""
    import json

    click.echo(json.dumps(value, separators=(",", ":")))
