"""`kubehop pod collect --here`: every pod of this host as a line of JSON; what a Job runs."""

from typing import TYPE_CHECKING, Any

import click

from kubehop.cli.pod.common import this_host
from kubehop.model.errors import KubehopError
from kubehop.remote.stream import END
from kubehop.render.json_common import API_VERSION, Json
from kubehop.render.pod_json import plain, pod_network
from kubehop.sandbox.values import Network, Sandbox, Unknown

if TYPE_CHECKING:
    from kubehop.sandbox.network import Reader


def collect_here(node: str) -> int:
    """Print a line of kind PodNetwork for each pod and one of kind NodeCollected as the last."""
    from kubehop.sandbox.files import read_files
    from kubehop.sandbox.network import Reader

    host = this_host()
    try:
        sandboxes = host.sandboxes(detailed=True)
    finally:
        host.close()
    with Reader() as reader:
        for sandbox in sandboxes:
            files = read_files(sandbox, host.processes)
            _print({**pod_network(sandbox, _network(reader, sandbox), files), "node": node})
    _print(
        {
            "apiVersion": API_VERSION,
            "kind": END,
            "node": node,
            "pods": len(sandboxes),
            "tried": plain(host.tried),
        }
    )
    return 0


def _network(reader: "Reader", sandbox: Sandbox) -> Network:
    """From inside; else what /proc tells, and why it is not more. Never raises for one pod."""
    from contextlib import closing

    from kubehop.sandbox.namespace import GoneError, NotAllowedError, open_namespace

    try:
        with closing(open_namespace(sandbox)) as namespace:
            return reader.read(namespace)
    except NotAllowedError as error:
        return _from_proc(sandbox, Unknown("the network from inside", error.why, error.needs))
    except GoneError as error:
        return Network(None, unknown=(Unknown("network", str(error)),))
    except (KubehopError, OSError) as error:
        return _from_proc(sandbox, Unknown("the network from inside", str(error)))


def _from_proc(sandbox: Sandbox, why: Unknown) -> Network:
    from kubehop.sandbox.proc.network import network_from_proc

    for pid in (sandbox.pid, *(each.pid for each in sandbox.containers)):
        if pid is None:
            continue
        try:
            return network_from_proc(pid)
        except KubehopError:
            continue
    return Network(None, unknown=(why,))


def _print(value: Json) -> None:
    """One line: the encoder writes no newline, and what drives a terminal as escapes."""
    import json

    text: Any = json.dumps(value, separators=(",", ":"))
    click.echo(text)
