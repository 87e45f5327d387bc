"""Looking at a pod's network through one of its containers, with what the image has."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from kubehop.model.errors import ClusterError
from kubehop.remote import image, sysfs
from kubehop.remote.image import Parts
from kubehop.remote.pods import Pod
from kubehop.remote.requests import Remote, core
from kubehop.remote.rights import MissingRightsError, Need, missing
from kubehop.remote.websocket import DEFAULT, ExecLimits, Executed, RefusedUpgradeError, execute
from kubehop.sandbox.proc.netfiles import device_names

MOST_CONTAINERS = 4
_NOT_STARTED = frozenset({126, 127})
"""Some runtimes give these where others say that they cannot start it."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was read and in which container; nothing, and `why`, if no image has anything."""

    parts: Parts
    container: str = ""
    whole: bool = True
    how: str = ""
    why: tuple[str, ...] = ()


def exec_needs(namespace: str) -> tuple[Need, ...]:
    """A WebSocket is a GET: servers before 1.35 ask for `get`, those since for `create`."""
    return (Need("create", "pods/exec", namespace), Need("get", "pods/exec", namespace))


def look(
    remote: Remote,
    pod: Pod,
    container: str,
    mark: Callable[[], str],
    limits: ExecLimits = DEFAULT,
) -> Looked:
    """By exec in `container`, or in the running ones in order until one can tell.

    `mark` makes words that no file contains. Raises MissingRightsError if neither verb on
    pods/exec is there or the server refuses, ClusterError if the connection fails.
    """
    lacking = missing(remote, exec_needs(pod.metadata.namespace))
    purpose = f"run a program in pod {pod.title}"
    if len(lacking) == len(exec_needs("")):
        raise MissingRightsError(purpose, lacking)
    reasons: list[str] = []
    for name in _containers(pod, container):
        runner = _Runner(remote, pod, name, limits)
        try:
            looked = _one(runner, mark())
        except RefusedUpgradeError as error:
            if error.status == 403 and lacking:
                raise MissingRightsError(purpose, lacking) from error
            raise
        if looked.parts:
            return looked
        reasons += [f"container {name}: {why}" for why in looked.why]
    return Looked({}, why=tuple(reasons) or ("no container of it runs",))


def _containers(pod: Pod, container: str) -> Sequence[str]:
    return (container,) if container else pod.running[:MOST_CONTAINERS]


class _Runner:
    """Runs programs in one container."""

    def __init__(self, remote: Remote, pod: Pod, container: str, limits: ExecLimits) -> None:
        self._remote, self._pod, self.container, self._limits = remote, pod, container, limits

    def __call__(self, *command: str) -> Executed:
        query = [
            *(("command", word) for word in command),
            ("container", self.container),
            ("stdout", "true"),
            ("stderr", "true"),
        ]
        where = core(self._pod.metadata.namespace, "pods", self._pod.metadata.name, "exec")
        done = execute(self._remote.access, f"{where}?{_encoded(query)}", self._limits)
        if done.late:
            raise ClusterError(f"{command[0]} in container {self.container}: {done.why}")
        return done


def _encoded(query: Sequence[tuple[str, str]]) -> str:
    from urllib.parse import urlencode

    return urlencode(query)


def _one(run: _Runner, mark: str) -> Looked:
    """1. One shell for all; 2. `ip` by itself; 3. `cat`, file by file; /sys in one."""
    done = run(*image.by_shell(mark))
    parts, whole = image.parts_of(done.stdout, mark)
    if parts:
        return Looked(parts, run.container, whole and not done.cut, _how(parts, run.container))
    reasons = [f"sh: {_why(done)}"]
    found: Parts = {}
    for name, each in _by_program(run):
        if each.code == 0:
            found[name] = each.stdout
        else:
            reasons.append(f"{name}: {_why(each)}")
    if not any(name.startswith("ip ") for name in found) and (told := _by_sysfs(run, found)):
        found[sysfs.FOLDER] = told
    return Looked(found, run.container, how=_how(found, run.container), why=tuple(reasons))


def _by_sysfs(run: _Runner, found: Parts) -> bytes:
    """By one `cat`, where there is one."""
    names = device_names(found.get("/proc/net/dev", b""))
    if not names:
        return b""
    return sysfs.lines(names, run("cat", *sysfs.paths(names)).stdout)


def _by_program(run: _Runner) -> Iterator[tuple[str, Executed]]:
    for command in (image.ADDRESSES_JSON, *image.ROUTES_JSON):
        done = run(*command)
        yield " ".join(command), done
        if done.code != 0:
            break
    if _started(done) and done.code != 0:
        yield " ".join(image.ADDRESSES_TEXT), run(*image.ADDRESSES_TEXT)
    for file in image.FILES:
        done = run("cat", file)
        yield (file if _started(done) else "cat"), done
        if not _started(done):
            return


def _started(done: Executed) -> bool:
    return done.code is not None and done.code not in _NOT_STARTED


def _why(done: Executed) -> str:
    said = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
    return said or done.why or f"exit code {done.code}"


def _how(parts: Parts, container: str) -> str:
    other = "ip and " * any(name.startswith("ip ") for name in parts)
    by = f"{other}/proc{' and /sys' * (sysfs.FOLDER in parts)}"
    return f"by {by} in container {container}, through the API"
