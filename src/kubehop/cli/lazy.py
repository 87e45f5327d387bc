"""Groups that import a command's module when it is called: help stays fast."""

import importlib

import click

Commands = dict[str, tuple[str, str]]
"""Command -> module that holds it as `command`, imported only when it runs; one-line help."""


def lazy_group(commands: Commands) -> type[click.Group]:
    """A class of groups with these commands, in this order."""

    class LazyGroup(click.Group):
        """Knows its commands by name; imports one at a time."""

        def list_commands(self, ctx: click.Context) -> list[str]:
            return list(commands)

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            if cmd_name not in commands:
                return None
            command: click.Command = importlib.import_module(commands[cmd_name][0]).command
            return command

        def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
            with formatter.section("Commands"):
                formatter.write_dl([(name, summary) for name, (_, summary) in commands.items()])

    return LazyGroup
