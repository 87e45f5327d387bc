import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubehop.live import access
from kubehop.live.limits import Limits
from kubehop.remote.requests import Remote
from tests.live.api_server import Json, serving
from tests.live.conftest import Write, certificates, home, write
from tests.remote import api

__all__ = ["certificates", "home", "write"]
FAST = Limits(connect_seconds=2, read_seconds=5, backoff_seconds=0.001)
Image = Callable[..., Path]


@pytest.fixture
def cluster() -> Iterator[api.Remote]:
    with serving(api.Remote(), kind=api.ApiHandler) as served:
        assert isinstance(served, api.Remote)
        yield served


@pytest.fixture
def remote(cluster: api.Remote, write: Write) -> Iterator[Remote]:
    write(cluster, {"token": "abc"})
    way = access.connect()
    yield Remote(way, FAST, sleep=lambda _: None)
    way.close()


@pytest.fixture
def image(tmp_path: Path) -> Image:
    """Makes a folder that has these programs and no others: what a container's PATH leads to."""

    def made(name: str, *programs: str) -> Path:
        folder = tmp_path / "images" / name
        folder.mkdir(parents=True)
        for program in programs:
            found = shutil.which(program)
            if found is None:
                pytest.skip(f"skipped: needs {program}")
            (folder / program).symlink_to(Path(found).resolve())
        return folder

    return made


def pod(name: str = "web", place: str = "shop", *containers: str, **more: Any) -> Json:
    names = containers or ("app",)
    return {
        "metadata": {"name": name, "namespace": place, "uid": "u-1", **more.pop("metadata", {})},
        "spec": {
            "nodeName": "node-1",
            "containers": [{"name": each} for each in names],
            **more.pop("spec", {}),
        },
        "status": {
            "phase": "Running",
            "hostIP": "192.0.2.11",
            "podIP": "10.42.0.8",
            "podIPs": [{"ip": "10.42.0.8"}, {"ip": "fd00:10:42::8"}],
            "containerStatuses": [
                {
                    "name": each,
                    "containerID": f"containerd://{'ab' * 32}",
                    "restartCount": 1,
                    "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
                }
                for each in names
            ],
            **more.pop("status", {}),
        },
        **more,
    }
