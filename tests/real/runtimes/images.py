"""Container images of our own, built from a few lines of C and the machine's busybox.

An archive is that of the OCI image specification: blobs by digest, a manifest, an index.
"""

import gzip
import hashlib
import io
import json
import platform
import re
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.real.needs import program

_HERE = Path(__file__).parent
_OCI = "application/vnd.oci.image"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}

Files = Mapping[str, bytes | str]
"""Path -> content of an executable, or the target of a symbolic link; "" makes a folder."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image: one layer with `files`, started with `command`."""

    name: str
    files: Files
    command: tuple[str, ...]


def compiled(folder: Path, name: str) -> bytes:
    """The static program of NAME.c."""
    target = folder / name
    source = str(_HERE / f"{name}.c")
    command = [program("gcc", "gcc"), "-Os", "-static", "-s", "-o", str(target), source]
    subprocess.run(command, check=True)
    return target.read_bytes()


def busybox() -> dict[str, bytes | str]:
    """The machine's busybox with the libraries that it loads, and its applets by name."""
    path = program("busybox", "busybox")
    said = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
    libraries = re.findall(r"(?:^|=>)\s*(/\S+)", said, re.MULTILINE)
    files: dict[str, bytes | str] = {each: Path(each).read_bytes() for each in libraries}
    files["/bin/busybox"] = Path(path).read_bytes()
    for applet in ("sh", "sleep", "cat", "ls", "id", "mkfifo", "ln", "rm", "mkdir"):
        files[f"/bin/{applet}"] = "busybox"
    return files | {"/tmp": "", "/etc/passwd": b"root:x:0:0:root:/:/bin/sh\n"}


def layer(files: Files) -> bytes:
    """A layer: the tar archive of `files`."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.mode = 0o755
            if isinstance(content, bytes):
                entry.size = len(content)
            else:
                entry.type = tarfile.SYMTYPE if content else tarfile.DIRTYPE
                entry.linkname = content
            archive.addfile(entry, io.BytesIO(content) if isinstance(content, bytes) else None)
    return made.getvalue()


def archive(images: Iterable[Image]) -> bytes:
    """The OCI archive of some images, for `ctr images import`."""
    blobs: dict[str, bytes] = {}
    manifests = [_manifest(image, blobs) for image in images]
    index = {"schemaVersion": 2, "manifests": manifests}
    files = {f"blobs/sha256/{digest}": blob for digest, blob in blobs.items()}
    files["oci-layout"] = b'{"imageLayoutVersion":"1.0.0"}'
    files["index.json"] = json.dumps(index).encode()
    return layer(files)


def _manifest(image: Image, blobs: dict[str, bytes]) -> dict[str, object]:
    plain = layer(image.files)
    packed = gzip.compress(plain, 1, mtime=0)
    config = {
        "architecture": _ARCHITECTURES[platform.machine()],
        "os": "linux",
        "config": {"Entrypoint": image.command, "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [_digest(plain)]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_OCI}.manifest.v1+json",
        "config": _blob(json.dumps(config).encode(), f"{_OCI}.config.v1+json", blobs),
        "layers": [_blob(packed, f"{_OCI}.layer.v1.tar+gzip", blobs)],
    }
    described = _blob(json.dumps(manifest).encode(), f"{_OCI}.manifest.v1+json", blobs)
    return described | {"annotations": {"io.containerd.image.name": image.name}}


def _blob(content: bytes, kind: str, blobs: dict[str, bytes]) -> dict[str, object]:
    digest = _digest(content)
    blobs[digest.removeprefix("sha256:")] = content
    return {"mediaType": kind, "digest": digest, "size": len(content)}


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()
