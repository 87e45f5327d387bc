"""The demo: a lab, the field notes' questions in it, each predicted and observed."""

import base64
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from kubehop import example
from kubehop.cli.lab.common import told


@dataclass(frozen=True, slots=True)
class Step:
    """What is said, the command that a reader would type, and how to run it in lab NAME.

    `run` None runs the command itself.
    """

    said: str
    typed: str
    run: Callable[[str], None] | None = None


def tell(name: str, found: dict[str, Any], seconds: float) -> None:
    """Go through the steps in the lab of that name, which is up since `seconds`."""
    counts = ", ".join(f"{len(found[kind])} {kind}" for kind in ("nodes", "pods", "services"))
    click.echo(f"A lab stands after {seconds:.2f} s: {counts}, DNS and a load balancer.")
    click.echo(
        "Each question is answered twice: predicted from the objects, observed with packets.\n"
    )
    for step in STEPS:
        if step.said:
            click.echo(step.said + "\n")
        click.secho(f"  $ {step.typed}\n", bold=True)
        run = step.run or _typed(step.typed)
        run(name)
        click.echo()


def _typed(line: str) -> Callable[[str], None]:
    """The command of the line, in this process, for the lab that is meant."""

    def run(name: str) -> None:
        from kubehop.cli.lab import command

        words = line.split()[2:]
        command.main([*words, "--name", name], prog_name="kubehop lab", standalone_mode=False)

    return run


def with_policy_cluster() -> bytes:
    """The example as `sed s/Local/Cluster/` makes it."""
    lines = example.manifest().splitlines(keepends=True)
    return b"".join(line.replace(b"Local", b"Cluster", 1) for line in lines)


def _apply_changed(name: str) -> None:
    from kubehop.lab.supervisor.client import ask

    files = [("example.yaml", base64.b64encode(with_policy_cluster()).decode())]
    told(ask(name, "apply", files=files))


def _looked_up(name: str) -> None:
    """Our own nslookup in the pod, which prints what busybox 1.28 does: no tool is needed."""
    from kubehop.lab.kernel.run import run_inside
    from kubehop.lab.supervisor.client import ask

    pid = ask(name, "enter", where="busybox")["pid"]
    if sys.stdout is not None:
        sys.stdout.flush()
    child = os.fork()  # who goes in does not come back
    if not child:
        code = 1
        try:
            code = run_inside(pid, [sys.executable, "-m", "kubehop", *_NSLOOKUP])
        finally:
            os._exit(code)
    os.waitpid(child, 0)


_NSLOOKUP = ("nslookup", "kubernetes.default", "--style", "busybox-1.28")

STEPS = (
    Step(
        "A client outside asks the load balancer of example-service, whose pods are on node-1 and\n"
        "node-2. externalTrafficPolicy Local: no second hop, and the pods see the client.",
        "kubehop lab trace external svc/example-service:8765 -c 100",
    ),
    Step(
        "It asks the node port of node-0, which has no pod: silence. The load balancer knows that\n"
        "from the node's health check, and sends nothing there.",
        "kubehop lab trace external svc/example-service:8765 --via nodeport --node node-0 -c 3",
    ),
    Step(
        "With externalTrafficPolicy Cluster every node answers. The price: a second hop, and the\n"
        "client's address is lost.",
        "kubehop demo --manifest | sed s/Local/Cluster/ | kubehop lab apply -f -",
        _apply_changed,
    ),
    Step(
        "",
        "kubehop lab trace external svc/example-service:8765 --via nodeport --node node-0 -c 100",
    ),
    Step(
        "A pod asks a Service by its cluster IP: its address is kept, whoever answers.",
        "kubehop lab trace pod/busybox svc/whoami:80 -c 60",
    ),
    Step(
        "Names go through the same packets. `nslookup` in the pod, as busybox 1.28 prints it:",
        f"kubehop lab exec busybox -- kubehop {' '.join(_NSLOOKUP)}",
        _looked_up,
    ),
    Step(
        "And the name of a host outside? ndots:5 counts dots, not characters: `example.com` has\n"
        "one, so the whole search list comes first. The queries that reach the DNS pod:",
        "kubehop lab resolve example.com --from pod/busybox",
    ),
    Step(
        "Break something, and prediction and packets differ just there: node-0 loses its rules.",
        "kubehop lab fault add rules-gone --node node-0",
    ),
    Step("", "kubehop lab trace pod/busybox svc/whoami:80 -c 5"),
    Step("", "kubehop lab fault heal --all"),
)
