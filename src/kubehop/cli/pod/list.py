"""`kubehop pod list`: the pods of this host."""

from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from kubehop.cli.output import emit, output_option
from kubehop.cli.pod.common import source_option, this_host
from kubehop.sandbox.values import Sandbox, Tried, Unknown

if TYPE_CHECKING:
    from kubehop.render.pods import Row


@click.command("list")
@click.option("-n", "--namespace", metavar="NAME", help="Of this namespace alone.")
@click.option("-A", "--all-namespaces", is_flag=True, help="Of all; the default.")
@source_option
@output_option("wide", "json", "yaml", "name")
def command(
    namespace: str | None, all_namespaces: bool, source: str | None, output: str | None
) -> int:
    """The pods of this host: sandboxes with the PID of the process that holds each one's network
    namespace, addresses, and the host's end of their interfaces. A pod is shown by the sandbox
    that is ready, else by its newest; -o wide and json show all.

    `?` is what is not known: the lines below the table say what would tell.

    \b
    Examples:
      kubehop pod list
      kubehop pod list -n kube-system -o wide
      kubehop pod list --source proc              without asking any runtime
    """
    from kubehop.render.pods import reference

    if all_namespaces and namespace:
        raise click.UsageError("either -n or -A")
    host = this_host(source)
    try:
        wanted = list(host.sandboxes(output != "name", namespace))
    finally:
        host.close()
    if output not in ("wide", "json", "yaml"):
        wanted = _one_of_each_pod(wanted)
    if output == "name":
        for each in wanted:
            click.echo(reference(each))
        return 0
    rows = _rows(wanted)
    if output in ("json", "yaml"):
        from kubehop.render.pod_json import pod_list

        emit(pod_list([(row.sandbox, row.interfaces) for row in rows], host.tried), output)
    else:
        _print(rows, host.tried, output == "wide", namespace)
    return 0


def _print(rows: "list[Row]", tried: tuple[Tried, ...], wide: bool, namespace: str | None) -> None:
    from kubehop.render.pods import list_lines

    for line in list_lines(rows, tried, wide):
        click.echo(line)
    if not rows:
        where = f" in namespace {namespace}" if namespace else ""
        click.echo(f"no pods on this host{where}", err=True)


def _one_of_each_pod(sandboxes: list[Sandbox]) -> list[Sandbox]:
    from kubehop.sandbox.find import pod_of, rank

    best: dict[tuple[str, ...], Sandbox] = {}
    for each in sandboxes:
        known = best.setdefault(pod_of(each), each)
        if rank(each) > rank(known):
            best[pod_of(each)] = each
    return list(best.values())


def _rows(sandboxes: list[Sandbox]) -> "list[Row]":
    """With the host's ends of their interfaces, and the inodes of their namespaces."""
    from kubehop.render.pods import Row
    from kubehop.sandbox.ends import host_ends

    asked = tuple(each for each in sandboxes if each.ready is not False)
    ends = dict(zip(asked, host_ends(asked), strict=True))
    rows = []
    for each in sandboxes:
        end = ends.get(each)
        if end:
            rows.append(Row(replace(each, inode=end.inode), end.interfaces))
        elif each in ends:
            rows.append(Row(replace(each, unknown=(*each.unknown, _CLOSED))))
        else:
            rows.append(Row(each))
    return rows


_CLOSED = Unknown(
    "host interface",
    "the network namespace may not be opened, or has gone",
    "root, or CAP_SYS_ADMIN and CAP_SYS_PTRACE",
)
