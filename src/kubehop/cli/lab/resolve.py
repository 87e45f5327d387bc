"""`kubehop lab resolve`: a lookup predicted and observed."""

import click

from kubehop.cli.common import emit, output_option, style
from kubehop.cli.lab.common import end_progress, name_option, namespace_option, show_progress


@click.command("resolve")
@click.argument("host", metavar="NAME")
@click.option(
    "--from", "origin", required=True, metavar="pod/POD[.NS]|node/NODE", help="Who looks it up."
)
@output_option("json", "yaml")
@namespace_option
@name_option
def command(host: str, origin: str, output: str | None, namespace: str, name: str) -> int:
    """Predict how a program's lookup of NAME goes, then really look it up, in the lab: which
    queries came to cluster DNS, to which of its pods, and what the program got.

    The program asks through this machine's C library, glibc or musl. With faults in the lab the
    prediction is that of the cluster without them, so the two differ where the fault is.

    Exit code: 0 prediction and lookup agree, 1 they differ, 2 could not tell.

    \b
    Examples:
      kubehop lab resolve whoami --from pod/busybox
      kubehop lab resolve example.com --from pod/busybox -o json
    """
    from kubehop.lab.supervisor.client import ask

    words = {"host": host, "from": origin, "namespace": namespace}
    try:
        answer = ask(name, "resolve", show_progress, **words)
    finally:
        end_progress()
    if output:
        emit(answer, output)
    else:
        from kubehop.render.lookup_comparison_text import lookup_comparison_text

        click.echo(lookup_comparison_text(answer, style(None)), nl=False)
    return 0 if answer["agrees"] else 1
