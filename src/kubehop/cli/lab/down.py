"""`kubehop lab down`: take a lab away."""

import click

from kubehop.cli.lab.common import name_option


@click.command("down")
@click.option("--all", "every", is_flag=True, help="Every lab of yours.")
@name_option
def command(every: bool, name: str) -> int:
    """Take a lab away. When the command returns, no namespace, process, mount or file is left.

    \b
    Examples:
      kubehop lab down
      kubehop lab down --all
    """
    from kubehop.lab.supervisor.client import down
    from kubehop.lab.supervisor.place import names

    for each in names() if every else [name]:
        down(each)
        click.echo(f"lab {each} is down")
    return 0
