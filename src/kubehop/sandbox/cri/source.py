"""A runtime that serves CRI, as a source of sandboxes."""

from collections.abc import Sequence

from kubehop.sandbox.cri import mapping
from kubehop.sandbox.cri import messages as cri
from kubehop.sandbox.cri.endpoints import path_of
from kubehop.sandbox.cri.grpc import Channel
from kubehop.sandbox.cri.protobuf import WireError, decode, encode
from kubehop.sandbox.cri.status import Code, GrpcError
from kubehop.sandbox.values import Sandbox, SourceError

_VERSIONS = ("v1", "v1alpha2")
"""v1alpha2 is what containerd before 1.6 and CRI-O before 1.23 speak; the messages are the same."""
_ALL = encode(cri.EMPTY, cri.Empty())
_NOT_SERVED = "serves no CRI: with containerd, its plugin may be disabled, as docker's packages do"
_NOT_ASKED = (Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.UNIMPLEMENTED)
"""Ends of a call that say nothing about a sandbox."""

_Answers = list[bytes | GrpcError]


class CRI:
    """The runtime at `endpoint`, a path or a `unix://` URL; two round trips tell all.

    PIDs are the runtime's: true here only if this process shares its PID namespace and
    /proc/PID/cgroup names the sandbox's id. Containers have none (/proc knows them for less).
    """

    def __init__(self, endpoint: str) -> None:
        self.path, self._endpoint = path_of(endpoint), endpoint
        self._channel = Channel(self.path)
        self._version = ""

    @property
    def name(self) -> str:
        return f"CRI at {self.path or self._endpoint}"

    def sandboxes(self) -> tuple[Sandbox, ...]:
        """Of every state and attempt. Raises SourceError."""
        version, listed, containers = self._ask(
            [("Version", _ALL), ("ListPodSandbox", _ALL), ("ListContainers", _ALL)]
        )
        runtime = cri.Version() if isinstance(version, GrpcError) else decode(cri.VERSION, version)
        return mapping.sandboxes(
            runtime,
            decode(cri.POD_SANDBOXES, self._wanted(listed)),
            decode(cri.CONTAINERS, self._wanted(containers)),
            source=self.name,
        )

    def detailed(self, sandboxes: Sequence[Sandbox]) -> tuple[Sandbox, ...]:
        """With the verbose status of each, asked at once. Raises SourceError."""
        requests = [
            encode(cri.STATUS_REQUEST, cri.StatusRequest(one.id, True)) for one in sandboxes
        ]
        answers = self._ask([("PodSandboxStatus", request) for request in requests])
        self._somebody_answered(answers)
        return tuple(map(_with_status, sandboxes, answers))

    def close(self) -> None:
        self._channel.close()

    def _ask(self, calls: Sequence[tuple[str, bytes]]) -> _Answers:
        """The answers in the first version of CRI that the runtime knows."""
        if not self.path:
            raise SourceError(f"{self._endpoint}: no path of a unix socket")
        answers: _Answers = []
        for version in (self._version,) if self._version else _VERSIONS:
            service = f"/runtime.{version}.RuntimeService/"
            answers = self._channel.batch([(service + call, message) for call, message in calls])
            if not all(_unimplemented(answer) for answer in answers):
                self._version = version
                break
        return answers

    def _wanted(self, answer: bytes | GrpcError) -> bytes:
        if isinstance(answer, GrpcError):
            why = _NOT_SERVED if _unimplemented(answer) else str(answer)
            raise SourceError(f"{self.path}: {why}") from answer
        return answer

    def _somebody_answered(self, answers: _Answers) -> None:
        """One sandbox may have gone; that all calls failed on the way is the runtime's."""
        if answers and all(isinstance(a, GrpcError) and a.code in _NOT_ASKED for a in answers):
            self._wanted(answers[0])


def _unimplemented(answer: bytes | GrpcError) -> bool:
    return isinstance(answer, GrpcError) and answer.code is Code.UNIMPLEMENTED


def _with_status(sandbox: Sandbox, answer: bytes | GrpcError) -> Sandbox:
    if isinstance(answer, GrpcError):
        gone = answer.code is Code.NOT_FOUND
        return mapping.without(sandbox, "it has gone meanwhile" if gone else str(answer))
    try:
        return mapping.detailed(sandbox, decode(cri.SANDBOX_STATUS, answer))
    except WireError as error:
        return mapping.without(sandbox, str(error))
