"""Corefiles that CoreDNS refuses: ours refuses them too, in the same words."""

import re
import subprocess
import time
from collections.abc import Iterator

import pytest

from kubehop.dns.corefile import parse
from kubehop.model.errors import InputError
from tests.dns.corefile.test_errors import ERRORS
from tests.real.coredns_build import coredns
from tests.real.corefiles import COREFILES
from tests.real.mutants import mutated
from tests.real.network import Network

ALIVE_SECONDS = 20.0
"""CoreDNS that has not given up by then has taken its Corefile."""
MUTANTS = 100

NEWER = ("zonal", "multicluster")
"""What is known of a CoreDNS newer than the pinned one."""
OTHER_WORDS = (
    "couldn't parse the selector string",  # what client-go expected where
    "could not compile template",  # as Go's text/template says it
    "is not supported as a destination protocol",  # with the port that was added
    "File to import not found",  # whole paths
    "Glob pattern may only",
    ": invalid port",  # as Go says it
    "plugin/log: ",
    "plugin/transfer: ",  # twice
)
"""Messages of which only the beginning is the same, or that there is one."""


@pytest.fixture(scope="module")
def api_url(network: Network) -> Iterator[str]:
    with network.api([]) as api:
        yield api.url


def real_of(network: Network, text: str) -> str:
    """What CoreDNS says of a Corefile that it refuses, "" if it starts."""
    (network.folder / "Corefile").write_text(text)
    log = network.folder / "refused.log"
    script = f"cd {network.folder} && exec {coredns()} -conf Corefile"
    command = network.inside.command("sh", "-c", script)
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        end = time.monotonic() + ALIVE_SECONDS
        while process.poll() is None and time.monotonic() < end:
            if "\nCoreDNS-" in log.read_text():
                return ""
            time.sleep(0.005)
        if process.returncode is None:
            return ""
        said = log.read_text()
        if "\nCoreDNS-" in said:  # it took the Corefile, and ended since: by loop's check
            return ""
        return said.partition("undefined\n")[2].strip()  # the first line is of Go's
    finally:
        process.kill()
        process.wait()


def ours_of(text: str) -> str:
    """The same of ours, without the line where CoreDNS does not say it."""
    try:
        parse(text, files={"/etc/resolv.conf": "", "/etc/hosts": ""})
    except InputError as error:
        return re.sub(r"^Corefile:\d+: ", "", str(error))
    return ""


def _differ(real: str, ours: str) -> bool:
    if "in-cluster configuration" in real:
        # The text is in order, but here is no cluster.
        real = ""
    if any(words in real and words in ours for words in OTHER_WORDS):
        return False
    return real.strip() != ours.strip()


@pytest.mark.parametrize("text", [t for t, _ in ERRORS if not any(new in t for new in NEWER)])
def test_same_error(network: Network, text: str) -> None:
    real, ours = real_of(network, text), ours_of(text)
    assert real
    assert not _differ(real, ours), f"real {real!r}, ours {ours!r}"


def test_same_verdict_on_mutants(network: Network, api_url: str) -> None:
    texts = [text.replace("    loop\n", "") for text in COREFILES.values()]
    texts = [text.replace("{api}", api_url).replace("{upstream}", "127.0.0.10") for text in texts]
    found, refused = [], 0
    for seed in range(MUTANTS):
        text = mutated(texts[seed % len(texts)], seed)
        real, ours = real_of(network, text), ours_of(text)
        refused += bool(real)
        if _differ(real, ours):
            found.append(f"{seed}: real {real!r}, ours {ours!r}")
    assert found == []
    assert MUTANTS / 4 < refused < MUTANTS
