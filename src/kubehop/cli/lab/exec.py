"""`kubehop lab exec`: a program of this machine, in a pod's network."""

import click

from kubehop.cli.lab.common import name_option, namespace_option


class _Exec(click.Command):
    """What is behind `--` is the program's; without one, all that is behind POD."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.allow_interspersed_args = "--" in args
        return super().parse_args(ctx, args)


@click.command("exec", cls=_Exec)
@click.argument("where", metavar="POD|node/NODE|outside|fabric")
@click.argument("arguments", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- CMD...")
@click.option("-c", "--container", default="", metavar="NAME", help="One of the pod's containers.")
@namespace_option
@name_option
def command(
    where: str, arguments: tuple[str, ...], container: str, namespace: str, name: str
) -> int:
    """Run a program of this machine in a pod of the lab: its network, resolv.conf, hosts and
    hostname; this machine's files otherwise. Terminal, input and signals are the program's own,
    and the exit code is its exit code.

    \b
    Examples:
      kubehop lab exec busybox -- nslookup kubernetes.default
      kubehop lab exec coredns -n kube-system -- ip addr
      kubehop lab exec node/node-0 -- nft list ruleset
      kubehop lab exec outside -- curl http://192.168.226.188:8765/
    """
    from kubehop.lab.kernel.run import run_inside
    from kubehop.lab.supervisor.client import ask

    found = ask(name, "enter", where=where, namespace=namespace, container=container)
    return run_inside(found["pid"], arguments, found["files"])
