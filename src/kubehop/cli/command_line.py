"""A command line: find the command, and turn errors into one line and exit 2."""

import os
import sys
from contextlib import suppress
from typing import Any

import click

from kubehop.cli.lazy import Commands, lazy_group
from kubehop.cli.main import EXIT_INTERRUPTED
from kubehop.model.errors import KubehopError, printable

COMMANDS: Commands = {
    "trace": ("kubehop.cli.trace", "Follow a packet: every possible fate, hop by hop."),
    "service": ("kubehop.cli.service", "Who answers for a Service, from every node; try changes."),
    "resolve": ("kubehop.cli.resolve", "Predict a lookup: every query, its answer and why."),
    "nslookup": ("kubehop.cli.nslookup", "Really ask a name server; prints like nslookup."),
    "pod": ("kubehop.cli.pod", "A pod's network from its host: addresses, routes, files, inside."),
    "lab": ("kubehop.cli.lab", "A cluster's network with real packets, on this machine."),
    "dns": ("kubehop.cli.dns", "Serve the cluster's names as its CoreDNS would."),
    "snapshot": ("kubehop.cli.snapshot", "Save the network's objects, without secrets, to share."),
    "demo": ("kubehop.cli.demo", "The example cluster: Cluster against Local, explained."),
}
EXIT_PROBLEM = 2


@click.group(
    cls=lazy_group(COMMANDS),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="kubehop", prog_name="kubehop")
def cli() -> None:
    """Where does this packet go in my Kubernetes cluster, which address does the other side
    see, and why does it not arrive?

    Input is the current kubectl context, or files with -f: manifests, `kubectl get -o yaml`,
    a `kubectl cluster-info dump`, a kubehop snapshot. Nothing is changed, but where a command's
    help says so (`pod ip --debug`, `pod collect`).

    \b
    Examples:
      kubehop service web                          who answers, from every node
      kubehop service web --set externalTrafficPolicy=Local
      kubehop trace external svc/web:80 -f manifests/
      kubehop trace pod/client node/node-2:30080 -o json
      kubehop resolve example.com --from pod/client     each query of a lookup, and why
      kubehop lab up                               the same with real packets, on this machine
    """


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; problems go to standard error."""
    try:
        result: Any = cli.main(arguments, prog_name="kubehop", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where it can be said that it fails
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return EXIT_PROBLEM
    except KubehopError as error:
        click.echo(f"error: {error}", err=True)
        return EXIT_PROBLEM
    except (KeyboardInterrupt, click.exceptions.Abort):
        click.echo("interrupted", err=True)
        return EXIT_INTERRUPTED
    except (BrokenPipeError, SystemExit):  # click makes an exit of it where it sees it first
        _leave_stdout()  # the reader (head, less) has had enough
        return 0
    except OSError as error:
        _leave_stdout()
        click.echo(f"error: {printable(str(error.strerror or error))}", err=True)
        return EXIT_PROBLEM


def _leave_stdout() -> None:
    """Keep Python from trying again at exit what could not be written."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
