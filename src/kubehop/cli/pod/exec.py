"""`kubehop pod exec`: a program of this host, in a pod's network."""

import click

from kubehop.cli.pod.common import chosen, pod_options


class Exec(click.Command):
    """What is behind `--` is the program's; without one, all that is behind NAME."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.allow_interspersed_args = "--" in args
        return super().parse_args(ctx, args)


@click.command("exec", cls=Exec)
@click.argument("name")
@click.argument("arguments", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- CMD...")
@click.option(
    "--files",
    "--dns",
    "with_files",
    is_flag=True,
    help="Show it the pod's resolv.conf, hosts and hostname, too.",
)
@pod_options
def command(
    name: str,
    arguments: tuple[str, ...],
    with_files: bool,
    namespace: str | None,
    container: str | None,
    source: str | None,
) -> int:
    """Run a program of this host in the network of a pod: nothing is needed in the image.
    Terminal, input and signals are the program's own, and the exit code is its exit code; 127 if
    there is no such program, 126 if it cannot be run, 2 for a problem of kubehop's.

    \b
    Examples:
      kubehop pod exec cart -n shop -- ss -tlnp
      kubehop pod exec shop/cart --files -- curl -v http://web/
      kubehop pod exec 10.42.0.8 -- ip route get 10.43.0.1
    """
    from kubehop.cli.pod.inside import files_of, opened
    from kubehop.sandbox.enter import run_in_network

    pod = chosen(name, namespace, container, source)
    files = files_of(pod) if with_files else None
    return run_in_network(opened(pod), arguments, files)
