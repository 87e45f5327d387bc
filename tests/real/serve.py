"""Serve a cluster where it is started: `python -m tests.real.serve FOLDER ADDRESS:PORT [OWN...]`.

FOLDER has `objects.json` and `Corefile`; every query goes to `queries.jsonl` there when it is
answered. Prints a line when it listens.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from kubehop.dns.message import Question
from kubehop.dnsserver import Listen, Logged, Server
from tests.real.asking import Ask, exchange
from tests.real.nameserver import Seen
from tests.real.namespace import Namespace
from tests.real.ours import serving
from tests.real.selecting import Json

ROOT = Path(__file__).parents[2]
_MARK = "end-of-log.invalid."


def main(folder: Path, place: str, *own: str) -> None:
    objects = json.loads((folder / "objects.json").read_text())
    chain = serving(objects, (folder / "Corefile").read_text(), own)
    with (folder / "queries.jsonl").open("w", buffering=1) as log:

        def note(logged: Logged) -> None:
            question = logged.question
            line = question.name, question.type, logged.client, logged.transport
            log.write(json.dumps(line) + "\n")

        server = Server(chain, [replace(Listen.parse(place), serves=53)], log=note)
        print("ready", flush=True)
        server.run()


@dataclass
class OurServer:
    """Our server in another process."""

    inside: Namespace
    folder: Path
    address: tuple[str, int]
    read: int = 0

    def taken(self) -> list[Seen]:
        """The queries since the last time; one of our own says that the log is complete."""
        exchange(Ask(_MARK, "A"), self.address, self.inside)
        end = time.monotonic() + 5
        while not any(_MARK in line for line in self._fresh()):
            assert time.monotonic() < end, "the query log stays behind"
            time.sleep(0.005)
        fresh = self._fresh()
        self.read += len(fresh)
        return [entry for entry in map(self._seen, fresh) if entry.question.name != _MARK]

    def _fresh(self) -> list[str]:
        return (self.folder / "queries.jsonl").read_text().splitlines()[self.read :]

    def _seen(self, line: str) -> Seen:
        name, kind, client, transport = json.loads(line)
        return Seen(Question(name, kind), self.address[0], client, transport, 0.0)


@contextmanager
def served(
    objects: Iterable[Json],
    corefile: str,
    inside: Namespace,
    folder: Path,
    address: tuple[str, int],
    own: tuple[str, ...] = (),
) -> Iterator[OurServer]:
    """Our server inside a namespace until the body ends."""
    (folder / "objects.json").write_text(json.dumps([*objects]))
    (folder / "Corefile").write_text(corefile)
    place = "{}:{}".format(*address)
    command = inside.lasting(sys.executable, "-m", "tests.real.serve", str(folder), place, *own)
    path = os.pathsep.join((str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])))
    environment = os.environ | {"PYTHONPATH": path}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout
        try:
            assert process.stdout.readline() == b"ready\n"
            yield OurServer(inside, folder, address)
        finally:
            process.kill()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
