"""The Jobs of `kubehop pod collect`: made, waited for, and removed whatever happens."""

import secrets
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import click

from kubehop.model.errors import UsageError, printable
from kubehop.remote.manifest import Settings, job, setup
from kubehop.remote.pods import is_name

if TYPE_CHECKING:
    from kubehop.remote.collect import Run
    from kubehop.remote.requests import Remote

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def settings_of(options: dict[str, Any]) -> Settings:
    """What the options say of the Jobs. Raises UsageError."""
    if not is_name(options["namespace"]):
        raise UsageError(f"{options['namespace']!r} is no name of a namespace")
    socket = options["cri_socket"] or ""
    if socket and not socket.startswith("/"):
        raise UsageError(f"--cri-socket {socket}: an absolute path on the nodes")
    return Settings(
        run=secrets.token_hex(4),
        namespace=options["namespace"],
        image=options["image"],
        service_account=options["service_account"],
        seconds=options["timeout"],
        cri_socket=socket,
    )


def print_manifest(options: dict[str, Any]) -> int:
    """YAML of all that would be there. The cluster is asked only which nodes it has."""
    settings = settings_of(options)
    names = _given(options)
    if names is None:
        with _remote(options) as remote:
            names = _nodes(remote, options)
    documents = (*setup(settings.namespace), *(job(node, settings) for node in names))
    click.echo(as_yaml(documents), nl=False)
    return 0


def as_yaml(documents: Iterable[Any]) -> str:
    """One after the other, without the `&id001` that yaml makes of what is in there twice."""
    import json

    import yaml

    apart = [json.loads(json.dumps(each)) for each in documents]
    return yaml.safe_dump_all(apart, sort_keys=False)


def collect(options: dict[str, Any]) -> int:
    """JSON lines on standard output; 1 if a node failed."""
    from kubehop.remote.collect import Run, collect_needs
    from kubehop.remote.rights import require

    settings = settings_of(options)
    with _remote(options) as remote:
        needs = collect_needs(settings.namespace)
        require(remote, "collect by Jobs", needs)
        nodes = _nodes(remote, options)
        click.echo(f"run {settings.run}: {len(nodes)} Jobs in {settings.namespace}", err=True)
        with _Signals() as signals:
            run = Run(remote, settings, signals.shield)
            try:
                try:
                    return _stream(run, nodes)
                finally:
                    signals.ended = True  # from here on no signal comes between
            finally:
                _remove(run, settings)


def _stream(run: "Run", nodes: tuple[str, ...]) -> int:
    from kubehop.remote.collect import Failure

    failed = 0
    for found in run.lines(nodes, _progress()):
        if isinstance(found, Failure):
            failed += 1
            click.echo(printable(f"node {found.node}: {found.why}"), err=True)
            click.echo(_failure(found.node, found.why))
        else:
            click.echo(found.text)
    return 1 if failed else 0


def _failure(node: str, why: str) -> str:
    import json

    from kubehop.render.json_common import API_VERSION

    return json.dumps(
        {"apiVersion": API_VERSION, "kind": "CollectFailure", "node": node, "why": why}
    )


def _progress() -> Any:
    """Rewrites a line on a terminal; elsewhere nobody watches."""
    terminal = sys.stderr.isatty() and not sys.stdout.isatty()

    def show(done: int, all: int) -> None:
        if terminal:
            sys.stderr.write(f"\r\x1b[K{done} of {all} nodes collected")
            sys.stderr.flush()

    return show


def _remove(run: "Run", settings: Settings) -> None:
    left = run.remove()
    if left:
        click.echo(
            f"not removed: Jobs {', '.join(left)} in namespace {settings.namespace}; they end "
            f"after {settings.seconds} s and go {settings.kept_seconds} s later, or now by: "
            f"kubectl delete jobs -n {settings.namespace} -l kubehop/run={settings.run}",
            err=True,
        )


class _Signals:
    """The first of SIGINT, SIGTERM and SIGHUP interrupts, and none once `ended` is set.

    One that comes while a Job is being made waits for the answer: without it nobody knows whether
    there is a Job. A second one does not wait.
    """

    def __init__(self) -> None:
        self.ended = self._shielded = self._waiting = self._came = False

    def __enter__(self) -> "_Signals":
        self._before = {number: signal.signal(number, self._handle) for number in _ENDING}
        return self

    def __exit__(self, *_: object) -> None:
        """Whoever was interrupted is about to end, and is not interrupted again."""
        if not self._came:
            for number, handler in self._before.items():
                signal.signal(number, handler)

    def _handle(self, number: int, frame: object) -> None:
        self._came = True
        if self.ended:
            return
        if self._shielded and not self._waiting:
            self._waiting = True
            return
        self.ended = True
        raise KeyboardInterrupt

    @contextmanager
    def shield(self) -> Iterator[None]:
        """Around a request that makes something."""
        self._shielded = True
        try:
            yield
        finally:
            self._shielded = False
        if self._waiting:
            self.ended = True
            raise KeyboardInterrupt


@contextmanager
def _remote(options: dict[str, Any]) -> Iterator["Remote"]:
    from kubehop.live import access
    from kubehop.remote.requests import Remote

    way = access.connect(context=options["context"], kubeconfig_file=options["kubeconfig"])
    with closing(way):
        yield Remote(way)


def _given(options: dict[str, Any]) -> tuple[str, ...] | None:
    """The names behind --nodes; None for all or for a selector. Raises UsageError."""
    if options["nodes"] in (None, "all"):
        return None
    names = tuple(name.strip() for name in options["nodes"].split(",") if name.strip())
    if not names:
        raise UsageError("--nodes names no node")
    for name in names:
        if not is_name(name):
            raise UsageError(f"{name!r} is no name of a node")
    return names


def _nodes(remote: "Remote", options: dict[str, Any]) -> tuple[str, ...]:
    from kubehop.remote import nodes

    given = _given(options)
    if given is not None:
        return nodes.named(remote, given)
    return nodes.selected(remote, options["selector"] or "")
