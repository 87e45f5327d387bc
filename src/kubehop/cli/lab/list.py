"""`kubehop lab list`: the labs that are up."""

import click


@click.command("list")
def command() -> int:
    """The names of the labs that are up, a line each.

    \b
    Example:
      kubehop lab list
    """
    from kubehop.lab.supervisor.place import names

    for name in names():
        click.echo(name)
    return 0
