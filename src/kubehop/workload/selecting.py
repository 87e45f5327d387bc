"""Pods by label, so that thousands of selectors need not look at every pod."""

from collections.abc import Iterable, Mapping, Sequence

from kubehop.model.pod import Pod
from kubehop.model.service import Service

Pair = tuple[str, str, str]
"""Namespace, label and value."""


class PodIndex:
    """The pods that carry a label that one of the Services selects by."""

    def __init__(self, pods: Iterable[Pod], services: Iterable[Service]) -> None:
        self._pods: dict[Pair, list[Pod]] = {
            pair: [] for service in services for pair in _pairs(service)
        }
        for pod in pods:
            namespace = pod.namespace
            for label, value in pod.labels.items():
                bucket = self._pods.get((namespace, label, value))
                if bucket is not None:
                    bucket.append(pod)

    def candidates(self, service: Service) -> Sequence[Pod]:
        """All pods that the Service may select, in order: those with its rarest label."""
        return min((self._pods[pair] for pair in _pairs(service)), key=len, default=())


def _pairs(service: Service) -> list[Pair]:
    selector: Mapping[str, str] = service.spec.selector or {}
    return [(service.namespace, label, value) for label, value in selector.items()]
