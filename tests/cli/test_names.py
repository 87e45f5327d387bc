"""Commands about names: what help and errors say, what scripts read."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from kubehop.cli.main import run
from kubehop.cli.query_log import QueryLog
from kubehop.dns.lookup.resolvers import RESOLVERS
from kubehop.dns.message import Question
from kubehop.dnsserver.log import Logged
from kubehop.render.nslookup import FORMS
from tests.cli.test_cli import EXAMPLE
from tests.workload.making import deployment, service

Shown = pytest.CaptureFixture[str]


def said(arguments: list[str], capsys: Shown) -> str:
    """The error of a command about the example cluster."""
    assert run([*arguments, "-f", EXAMPLE]) == 2
    return capsys.readouterr().err


def test_help_names_every_resolver_and_every_style(capsys: Shown) -> None:
    assert run(["resolve", "--help"]) == 0
    words = capsys.readouterr().out.replace(",", " ").split()
    assert set(RESOLVERS) <= set(words)
    assert run(["nslookup", "--help"]) == 0
    words = capsys.readouterr().out.replace(",", " ").replace(".\n", " ").split()
    assert set(FORMS) <= set(words)


def test_nslookup_has_no_option_that_it_would_ignore(capsys: Shown) -> None:
    assert run(["nslookup", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--host" not in shown
    assert "--outside" not in shown
    assert "-f goes with --from" in said(["nslookup", "whoami"], capsys)


def test_scripts_get_addresses_only(capsys: Shown) -> None:
    assert run(["resolve", "example.com.", "-o", "name", "-f", EXAMPLE]) == 0
    assert capsys.readouterr().out == ""
    known = ["--host", "example.com=192.0.2.7", "-o", "name", "-f", EXAMPLE]
    assert run(["resolve", "example.com.", *known]) == 0
    assert capsys.readouterr().out == "192.0.2.7\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (
            ["resolve", "x", "--host", "b\N{LATIN SMALL LETTER U WITH DIAERESIS}.com=1.2.3.4"],
            "xn--b-",
        ),
        (["resolve", "x", "--corefile", "/dev/zero"], "/dev/zero: larger than 8 MiB"),
        (["resolve", "x", "--corefile", ""], "'': cannot be read: No such file or directory"),
        (["dns", "serve", "--health", "127.0.0.1"], "--health: '127.0.0.1' is not ADDR:PORT"),
        (["dns", "serve", "--ready", "x:1"], "--ready: 'x:1' is not ADDR or ADDR:PORT"),
        (["dns", "serve", "--listen", "x"], "--listen: 'x' is not ADDR or ADDR:PORT"),
    ],
)
def test_errors_say_which_option(arguments: list[str], problem: str, capsys: Shown) -> None:
    assert problem in said(arguments, capsys)


@pytest.mark.parametrize("command", [["resolve", "x"], ["dns", "serve", "--listen", "127.0.0.1:0"]])
def test_errors_of_a_corefile_name_its_file(
    command: list[str], tmp_path: Path, capsys: Shown
) -> None:
    corefile = tmp_path / "my.corefile"
    corefile.write_text(".:53 {\n foo\n}\n")
    assert f"{corefile}:2 - Error" in said([*command, "--corefile", str(corefile)], capsys)


def test_no_query_is_explained_as_it_is(capsys: Shown) -> None:
    for name, why in (
        ("busybox", "the name is an address, or stands in /etc/hosts"),
        ("a..b", "this is no name that the resolver asks for"),
    ):
        run(["resolve", name, "--from", "pod/busybox", "-f", EXAMPLE])
        assert f"No query is sent: {why}." in capsys.readouterr().out


def test_what_is_printed_can_be_searched_for(capsys: Shown) -> None:
    run(["resolve", "whoami", "-f", EXAMPLE])
    shown = capsys.readouterr().out
    assert "[Service default/whoami]" in shown
    assert "\N{NO-BREAK SPACE}" not in shown


def test_wide_leaves_no_address_out(tmp_path: Path, capsys: Shown) -> None:
    manifest = tmp_path / "many.yaml"
    manifest.write_text(deployment("db", 9) + service("db", "clusterIP: None"))
    for output, expected in (([], False), (["-o", "wide"], True)):
        assert run(["resolve", "db", "-f", str(manifest), *output]) == 0
        assert ("more" not in capsys.readouterr().out) is expected


def test_a_trace_tells_how_to_see_the_whole_lookup(capsys: Shown) -> None:
    run(["trace", "pod/busybox", "whoami:80", "--resolver", "musl", "-f", EXAMPLE])
    hint = "(kubehop resolve whoami --from pod/default/busybox --resolver musl shows each query)"
    assert hint in capsys.readouterr().out


class Full(io.StringIO):
    """A pipe that nobody reads any more."""

    def write(self, _: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


def test_a_log_that_cannot_be_written_ends_and_is_said_once() -> None:
    told: list[str] = []
    log = QueryLog(Full(), told.append)
    entry = Logged(Question("whoami.", "A"), "127.0.0.1", 4000, "udp", 0, 50)
    log.write(entry)
    log.write(entry)
    assert told == ["the log ends: Broken pipe"]


def test_names_in_the_log_cannot_drive_the_terminal() -> None:
    out = io.StringIO()
    entry = Logged(Question("\x1b[31m.", "A"), "127.0.0.1", 4000, "udp", 3, 50)
    QueryLog(out, print).write(entry)
    assert out.getvalue() == "127.0.0.1:4000 udp A \\x1b[31m. 3 50\n"


@pytest.mark.parametrize(
    ("redirection", "code", "error"),
    [
        (">/dev/full", 2, "error: No space left on device"),
        (">&-", 0, ""),
        ("| head -c 1 >/dev/null", 0, ""),
    ],
)
@pytest.mark.parametrize("command", ["resolve whoami", "resolve whoami -o json", "demo"])
def test_no_traceback_where_nothing_can_be_printed(
    command: str, redirection: str, code: int, error: str
) -> None:
    files = "" if command == "demo" else f"-f {EXAMPLE}"
    line = f"set -o pipefail; {sys.executable} -m kubehop {command} {files} {redirection}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (code, error)
