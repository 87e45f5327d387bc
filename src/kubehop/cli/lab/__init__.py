"""`kubehop lab`: a cluster's network with real packets. One command a file."""

import click

from kubehop.cli.lazy import Commands, lazy_group

COMMANDS: Commands = {
    "up": ("kubehop.cli.lab.up", "Build a lab: the notes' cluster, or one of yours with -f."),
    "status": ("kubehop.cli.lab.status", "What stands: nodes, pods with PIDs, Services, faults."),
    "exec": ("kubehop.cli.lab.exec", "Run a program of this machine in a pod's network."),
    "trace": ("kubehop.cli.lab.trace", "Predict, then really connect: do the two agree?"),
    "resolve": ("kubehop.cli.lab.resolve", "Predict a lookup, then really ask: do they agree?"),
    "apply": ("kubehop.cli.lab.apply", "Apply manifests; the lab follows."),
    "delete": ("kubehop.cli.lab.delete", "Delete objects; the lab follows."),
    "scale": ("kubehop.cli.lab.scale", "Change how many pods a workload has."),
    "set": ("kubehop.cli.lab.set", "Set a pod ready, not-ready or terminating."),
    "fault": ("kubehop.cli.lab.fault", "Break something, and put it right again."),
    "plan": ("kubehop.cli.lab.plan", "The kernel commands of a lab, without running them."),
    "snapshot": ("kubehop.cli.lab.snapshot", "Save the lab's cluster, for `kubehop trace -f`."),
    "list": ("kubehop.cli.lab.list", "The labs that are up."),
    "down": ("kubehop.cli.lab.down", "Take a lab away; nothing of it stays."),
}


@click.group("lab", cls=lazy_group(COMMANDS))
def command() -> None:
    """A cluster's network on this machine, with real packets: nodes, pods, Services, DNS, a load
    balancer and clients outside, from Linux namespaces, without root or a container runtime.

    \b
    Examples:
      kubehop lab up
      kubehop lab exec busybox -- nslookup kubernetes.default
      kubehop lab trace external svc/example-service:8765
      kubehop lab resolve whoami --from pod/busybox
      kubehop lab down
    """
