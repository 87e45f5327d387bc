"""What every JSON answer has: its version, exact numbers, and what it rests on."""

from fractions import Fraction
from typing import Any

import msgspec

from kubehop.model.cluster import Cluster

API_VERSION = "kubehop/v1"
Json = dict[str, Any]


def dumps(value: object) -> str:
    """Indented JSON, with a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


def fraction(value: Fraction | None) -> str | None:
    """`1/2`, `1`, or null."""
    return None if value is None else str(value)


def basis(cluster: Cluster, assumptions: tuple[str, ...] = ()) -> Json:
    """What the answer rests on besides the objects."""
    return {
        "assumptions": [*cluster.assumptions, *assumptions],
        "unknown": list(cluster.unknown),
    }
