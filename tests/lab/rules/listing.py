"""What nft says that stands, in a form that can be compared."""

import json
import subprocess
from typing import Any

from kubehop.lab.kernel import Kernel
from tests.real.needs import program


def listed(kernel: Kernel, namespace: str) -> list[Any]:
    """The rules of a lab's namespace."""
    command = [program("nft", "nftables"), "-j", "list", "ruleset"]
    with kernel.inside(namespace):
        done = subprocess.run(command, capture_output=True, check=True)
    return comparable(done.stdout)


def comparable(said: bytes) -> list[Any]:
    """Without handles; sorted, for elements come in no order."""
    found = json.loads(said)["nftables"]
    return sorted((_plain(one) for one in found if "metainfo" not in one), key=json.dumps)


def _plain(one: Any) -> Any:
    if isinstance(one, dict):
        return {
            key: sorted(map(_plain, value), key=json.dumps) if key == "elem" else _plain(value)
            for key, value in one.items()
            if key != "handle"
        }
    return [_plain(part) for part in one] if isinstance(one, list) else one
