"""`kubehop pod`: a pod's network, seen from its host. One command a file."""

import click

from kubehop.cli.lazy import Commands, lazy_group

COMMANDS: Commands = {
    "list": ("kubehop.cli.pod.list", "The pods of this host, with PIDs and addresses."),
    "ip": ("kubehop.cli.pod.ip", "A pod's interfaces, routes, files, sockets; whose is X?"),
    "exec": ("kubehop.cli.pod.exec", "Run a program of this host in a pod's network."),
    "nslookup": ("kubehop.cli.pod.nslookup", "Look a name up from inside, as the pod would."),
    "connect": ("kubehop.cli.pod.connect", "Connect from inside: timings, and why it fails."),
    "capture": ("kubehop.cli.pod.capture", "A pod's packets, to a pcap file."),
    "collect": ("kubehop.cli.pod.collect", "`pod ip` of many nodes at once, by a Job."),
}


_THRESHOLD = 50_000
"""Objects until the collector looks: a short answer leaves it nothing to find, so why wait."""


@click.group("pod", cls=lazy_group(COMMANDS))
def command() -> None:
    """A pod's network, seen from the host that it runs on: needs nothing in the image.

    Asks container runtimes (CRI, docker), kubehop's labs and /proc, whatever it may; what only
    another privilege would tell is shown as unknown.

    \b
    Examples:
      kubehop pod list
      kubehop pod ip web-7d4b9c6f5-x2x7q
      kubehop pod ip 10.42.0.8                     whose address is it?
      kubehop pod exec shop/cart -- ss -tlnp       a program of this host, in the pod's network
    """
    import gc

    gc.set_threshold(_THRESHOLD)
