"""`kubehop trace`: follow a packet."""

from typing import Any

import click

from kubehop.cli.common import (
    cluster_from,
    cluster_options,
    emit,
    namespace_of,
    output_option,
    style,
    warn_ignored,
)
from kubehop.cli.dns_options import dns_options, dns_settings
from kubehop.service.frontends import FrontendKind


@click.command("trace")
@click.argument("origin", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option(
    "--protocol",
    type=click.Choice(["tcp", "udp", "sctp"], case_sensitive=False),
    help="Default: tcp, or the only one that the Service port has.",
)
@click.option(
    "--via",
    type=click.Choice([kind.value for kind in FrontendKind]),
    help="Which address of a Service to use; by default the one that fits FROM.",
)
@click.option(
    "--node",
    default="",
    metavar="NAME",
    help="The node that a packet from outside arrives at, or whose node port is used.",
)
@click.option(
    "--resolver",
    default="glibc",
    show_default=True,
    metavar="NAME",
    help="What looks HOSTNAME up, as in `kubehop resolve`.",
)
@output_option("wide", "json", "yaml", "name")
@dns_options
@cluster_options
def command(
    origin: str,
    target: str,
    protocol: str | None,
    via: str | None,
    node: str,
    resolver: str,
    output: str | None,
    **options: Any,
) -> int:
    """Follow the first packet of a connection: every possible fate with its exact probability,
    each hop with its reason, and the address that the other side sees.

    \b
    FROM  pod/NAME[.NAMESPACE]   node/NAME   external[/IP]
    TO    svc/NAME[.NAMESPACE]:PORT   pod/NAME[.NAMESPACE]:PORT   node/NAME:PORT   IP:PORT
          HOSTNAME:PORT (looked up first, as a program at FROM would)

    Exit code: 0 every fate is delivered and answered, 1 some is not, 2 could not tell.

    \b
    Examples:
      kubehop trace pod/busybox svc/whoami:80
      kubehop trace external/203.0.113.9 svc/web:443 -f manifests/ --nodes 5
      kubehop trace external svc/web:80 --via nodeport --node node-2
      kubehop trace pod/busybox whoami.default:80 --resolver musl
      kubehop trace node/node-1 svc/kube-dns.kube-system:53 --protocol udp -o json
    """
    from kubehop.trace.by_name import trace_any
    from kubehop.trace.lookups import Names, resolver_named
    from kubehop.trace.values import Verdict

    settings = dns_settings(options)
    chosen = resolver_named(resolver)
    names = Names(cluster_from(options), settings)
    cluster = names.cluster
    answer = trace_any(
        names,
        origin,
        target,
        chosen,
        protocol=protocol.upper() if protocol else None,
        via=FrontendKind(via) if via else None,
        node=node,
        namespace=namespace_of(options),
    )
    if output in ("json", "yaml"):
        from kubehop.render.json_values import trace_json

        emit(trace_json(answer, cluster, names.assumptions), output)
    elif output == "name":
        from kubehop.render.json_values import names_of

        click.echo(names_of(answer), nl=False)
    else:
        from kubehop.render.trace_text import trace_text

        text = trace_text(answer, cluster, style(output), assumptions=names.assumptions)
        click.echo(text, nl=False)
        warn_ignored(dict(cluster.ignored))
    fine = all(f.verdict is Verdict.DELIVERED and f.reply_returns for f in answer.fates)
    return 0 if fine else 1
