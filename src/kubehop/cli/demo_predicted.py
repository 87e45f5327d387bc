"""The questions of the demo, each as the command that answers it and its answer."""

import click

from kubehop.dns.lookup.resolvers import RESOLVERS
from kubehop.dns.settings import DNSSettings
from kubehop.model.cluster import Cluster
from kubehop.render.change_text import change_text
from kubehop.render.drawing import Style
from kubehop.render.lookup_text import lookup_text
from kubehop.render.trace_text import trace_text
from kubehop.service.frontends import FrontendKind
from kubehop.service.spread import spreads
from kubehop.trace.lookups import Names
from kubehop.trace.questions import parse_origin
from kubehop.trace.walk import trace
from kubehop.workload.change import changed
from kubehop.workload.options import Options

CLUSTER = "externalTrafficPolicy=Cluster"
LOCAL = "externalTrafficPolicy=Local"


def tell(example: Cluster, style: Style) -> None:
    """Print the story: today Cluster, then Local; one packet under each; then a name."""
    local = example.service("default", "example-service")
    assert local is not None
    before = changed(example, local, (CLUSTER,), Options())
    service = before.service("default", "example-service")
    assert service is not None
    after = changed(before, service, (LOCAL,), Options())
    _say("Three nodes; example-service (8765 to 9376) has pods on two of them. It has")
    _say("externalTrafficPolicy Cluster. What would Local change, and for whom?\n")
    _command("service example-service --set externalTrafficPolicy=Local")
    now = after.service("default", "example-service")
    assert now is not None
    left, right = (before, spreads(before, service)), (after, spreads(after, now))
    click.echo(change_text(left, right, (LOCAL,), style))
    for title, cluster in (("policy Cluster", before), ("policy Local", after)):
        _say(f"A client outside asks the node port of node-1, {title}:\n")
        _command("trace external svc/example-service:8765 --via nodeport --node node-1")
        answer = trace(
            cluster,
            "external",
            "svc/example-service:8765",
            via=FrontendKind.NODE_PORT,
            node="node-1",
        )
        click.echo(trace_text(answer, cluster, style, basis=False))

    _names(example, style)


def _names(example: Cluster, style: Style) -> None:
    """The notes' question about names: how `example.com` is looked up in a pod, and why so."""
    names = Names(example, DNSSettings())
    start = parse_origin(example, "pod/busybox", "default")
    _say("And names? ndots:5 counts dots, not characters, so even a name of the Internet goes")
    _say("through the whole search list first. Each query, its answer and why:\n")
    _command("resolve example.com --from pod/busybox")
    found = names.lookup("example.com", start, RESOLVERS["glibc"])
    click.echo(lookup_text(found, example, style, basis=False))


def _say(text: str) -> None:
    click.echo(text)


def _command(arguments: str) -> None:
    click.secho(f"  $ kubehop {arguments}\n", bold=True)
