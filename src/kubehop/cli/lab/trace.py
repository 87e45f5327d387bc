"""`kubehop lab trace`: predicted and observed."""

import click

from kubehop.cli.common import emit, output_option, style
from kubehop.cli.lab.common import end_progress, name_option, namespace_option, show_progress
from kubehop.service.frontends import FrontendKind


@click.command("trace")
@click.argument("origin", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("-c", "--count", default=20, show_default=True, metavar="N", help="Connections.")
@click.option(
    "--protocol",
    type=click.Choice(["tcp", "udp"], case_sensitive=False),
    help="Default: tcp, or the only one that the Service port has.",
)
@click.option(
    "--via",
    type=click.Choice([kind.value for kind in FrontendKind]),
    help="Which address of a Service to use; by default the one that fits FROM.",
)
@click.option("--node", default="", metavar="NAME", help="Whose node port, with --via nodeport.")
@output_option("json", "yaml")
@namespace_option
@name_option
def command(
    origin: str,
    target: str,
    count: int,
    protocol: str | None,
    via: str | None,
    node: str,
    output: str | None,
    namespace: str,
    name: str,
) -> int:
    """Predict what becomes of connections from FROM to TO, then really make them, in the lab:
    which endpoint answered, whom it saw, how many nodes were crossed.

    FROM and TO are as for `kubehop trace`. With faults in the lab the prediction is that of the
    cluster without them, so the two differ where the fault is.

    Exit code: 0 prediction and packets agree, 1 they differ, 2 could not tell.

    \b
    Examples:
      kubehop lab trace pod/busybox svc/whoami:80
      kubehop lab trace external svc/example-service:8765 -c 200
      kubehop lab trace external svc/example-service:8765 --via nodeport --node node-0
    """
    from kubehop.lab.supervisor.client import ask

    words = {"from": origin, "to": target, "count": count, "node": node, "namespace": namespace}
    words |= {"protocol": protocol.upper() if protocol else "", "via": via or ""}
    try:
        answer = ask(name, "trace", show_progress, **words)
    finally:
        end_progress()
    if output:
        emit(answer, output)
    else:
        from kubehop.render.comparison_text import comparison_text

        click.echo(comparison_text(answer, style(None)), nl=False)
    return 0 if answer["agrees"] else 1
