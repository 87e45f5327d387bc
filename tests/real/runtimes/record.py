"""Records what a real containerd answers over CRI, for tests that need no runtime.

Usage: python -m tests.real.runtimes.record [FOLDER]... (root; FOLDER has containerd, its shim and,
for a pod with a user namespace of its own, runc 1.2 or newer; none: the machine's).

Writes tests/sandbox/cri/recorded/containerd-VERSION.json: `made` is what the kubelet made and saw,
then each answer in base64. The `info` of a status is taken out of it, to be read by people.
"""

import json
import os
import signal
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kubehop.sandbox.cri import messages as cri
from tests.real.runtimes.containerd import Containerd, containerd
from tests.real.runtimes.host import Host, wait_for
from tests.real.runtimes.kubelet import App, Pod, Wanted
from tests.real.runtimes.programs import MACHINES, Programs
from tests.real.runtimes.wire import inner, messages, number, text

_RECORDED = Path(__file__).parents[2] / "sandbox/cri/recorded"
_STATUS, _INFO = 1, 2
"""Fields of PodSandboxStatusResponse."""
_FIRST_ID = 524288


def record(programs: Programs) -> Path:
    """Ask the runtime of a host with a pod of every sort; the file that is written."""
    with (
        tempfile.TemporaryDirectory() as folder,
        containerd(Path(folder), lambda host: _wanted(host, programs), programs) as made,
    ):
        _kill_pause(made, made.pods["killed"])
        answers = dict(_answers(made))
    path = _RECORDED / f"containerd-{'.'.join(map(str, programs.version()))}.json"
    path.write_text(json.dumps(answers, indent=1) + "\n")
    return path


def _wanted(host: Host, programs: Programs) -> Mapping[str, Wanted]:
    app = App("app", ("sleep", "1000000"))
    once = App("once", ("sh", "-c", "exit 3"), exits=True)
    pods = {
        "usual": Wanted("web-0", "shop", (app, once)),
        "host network": Wanted("proxy", "kube-system", (app,), host_network=True, static=True),
        "restarted": Wanted("again", "shop", (app,), restarted=True),
        "killed": Wanted("killed", "shop", (app,)),
    }
    if programs.user_namespaces():
        pods["user namespace"] = Wanted("safe-0", "shop", (app,), first_id=_FIRST_ID)
    return pods


def _kill_pause(made: Containerd, pod: Pod) -> None:
    """As the kernel does where memory is short; the runtime hears of it a moment later."""
    os.kill(pod.pid, signal.SIGKILL)
    wait_for(lambda: _state(made, pod.sandbox) == cri.NOT_READY, made.host.said)


def _state(made: Containerd, sandbox: str) -> int:
    answer = made.kubelet.runtime.call("PodSandboxStatus", {1: sandbox})
    return number(inner(answer, _STATUS), 3)


def _answers(made: Containerd) -> Iterator[tuple[str, Any]]:
    runtime = made.kubelet.runtime
    yield "made", {what: _made(pod, what) for what, pod in made.pods.items()}
    for method in ("Version", "ListPodSandbox", "ListContainers"):
        yield method, b64encode(runtime.answer(method, {})).decode()
    ids = sorted(id for pod in made.pods.values() for id in (pod.sandbox, *pod.older))
    yield "PodSandboxStatus", {id: _status(made, id) for id in ids}


def _made(pod: Pod, what: str) -> dict[str, Any]:
    killed = what == "killed"
    return {
        "namespace": pod.namespace,
        "name": pod.name,
        "uid": pod.uid,
        "sandbox": pod.sandbox,
        "attempt": pod.attempt,
        "ready": not killed,
        "pid": None if killed else pod.pid,
        "addresses": pod.addresses,
        "hostNetwork": pod.wanted.host_network,
        "static": pod.wanted.static,
        "containers": {each.id: [each.name, bool(each.pid)] for each in pod.containers},
        "older": pod.older,
    }


def _status(made: Containerd, id: str) -> dict[str, Any]:
    answer = made.kubelet.runtime.call("PodSandboxStatus", {1: id, 2: True})
    (status,) = answer[_STATUS]
    assert isinstance(status, bytes)
    info = {text(each, 1): json.loads(text(each, 2)) for each in messages(answer, _INFO)}
    return {"status": b64encode(status).decode(), "info": info}


def main() -> None:
    named = [Programs(Path(folder).resolve()) for folder in sys.argv[1:]]
    for each in named or [MACHINES]:
        print(record(each))


if __name__ == "__main__":
    main()
