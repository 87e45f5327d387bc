"""The runtime's endpoint in the settings of the kubelet and of crictl.

Pure. One line is looked for: these files are flat where it stands, and YAML takes longer to import
than everything else here.
"""

import re
from collections.abc import Iterator, Sequence

_OPTION = "--container-runtime-endpoint"


def _setting(key: str) -> re.Pattern[str]:
    """`key: value` at the top of YAML, or in JSON."""
    before = r"""(?:^|^\s*"|[{,]\s*")"""
    return re.compile(rf"""{before}{key}"?[ \t]*:[ \t]*["']?([^\s"',#}}]+)""", re.MULTILINE)


_KUBELET = _setting("containerRuntimeEndpoint")
_CRICTL = _setting("runtime-endpoint")


def of_kubelet_config(text: str) -> Iterator[str]:
    """KubeletConfiguration, as YAML or JSON: `containerRuntimeEndpoint`."""
    yield from _KUBELET.findall(text)[:1]


def of_crictl(text: str) -> Iterator[str]:
    """/etc/crictl.yaml: `runtime-endpoint`."""
    yield from _CRICTL.findall(text)[:1]


def of_arguments_file(text: str) -> Iterator[str]:
    """Files with the kubelet's arguments: kubeadm-flags.env, microk8s' args/kubelet."""
    words = re.split(r"""[\s"']+""", re.sub(r"""=["']""", " ", text))
    yield from of_arguments(words)


def of_arguments(words: Sequence[str]) -> Iterator[str]:
    """`--container-runtime-endpoint` among the kubelet's or k3s' arguments; the last counts."""
    endpoint = ""
    for word, following in zip(words, (*words[1:], ""), strict=True):
        option, equals, value = word.partition("=")
        if option == _OPTION:
            endpoint = value if equals else following
    if endpoint:
        yield endpoint
