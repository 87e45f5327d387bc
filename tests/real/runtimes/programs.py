"""Which containerd runs on a host: that of the machine (Debian's), or another one in a folder."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.real.needs import lacks, program

FOLDER = "KUBEHOP_CONTAINERD"
"""Names a folder of programs for all tests, in place of the machine's."""

_VERSION_2 = """version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{image}"
  # Lowering a score needs CAP_SYS_RESOURCE, which root in a container has not.
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "/etc/cni/net.d"
"""
_VERSION_3 = """version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "{image}"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["{plugins}"]
    conf_dir = "/etc/cni/net.d"
"""
"""containerd 2 has another name for it: docs/cri/config.md."""


@dataclass(frozen=True, slots=True)
class Programs:
    """containerd and its shim (and runc, if it is there) in a folder; None: the machine's."""

    folder: Path | None = None

    @classmethod
    def wanted(cls) -> "Programs":
        """Those that whoever runs the tests has named."""
        named = os.environ.get(FOLDER)
        return cls(Path(named).resolve() if named else None)

    @property
    def path(self) -> str:
        """For the variable PATH: a shim and runc are looked for there as well."""
        return os.pathsep.join(filter(None, (str(self.folder or ""), os.environ.get("PATH", ""))))

    @property
    def containerd(self) -> str:
        found = shutil.which("containerd", path=self.path)
        return found or program("containerd", "containerd")

    def version(self) -> tuple[int, ...]:
        """As `containerd --version` says."""
        said = subprocess.run(
            [self.containerd, "--version"], capture_output=True, text=True, check=False
        )
        found = re.search(r" v?(\d+)\.(\d+)\.(\d+)", said.stdout)
        return tuple(map(int, found.groups())) if found else lacks("containerd that has a version")

    def user_namespaces(self) -> bool:
        """Whether it makes pods with a user namespace of their own: containerd 2 with runc 1.2.

        `runc features` says so; the kernel has to mount by mapped ids, too (since 5.19).
        """
        if self.version() < (2,):
            return False
        return bool(self._runc("mountExtensions", "idmap"))

    def filters_system_calls(self) -> bool:
        """Whether its runc was built with libseccomp."""
        return bool(self._runc("seccomp"))

    def _runc(self, *feature: str) -> object:
        """Whether `runc features` has one enabled; one that does not know the command has none."""
        runc = shutil.which("runc", path=self.path) or program("runc", "runc")
        said = subprocess.run([runc, "features"], capture_output=True, text=True, check=False)
        found = json.loads(said.stdout or "{}").get("linux", {})
        for name in feature:
            found = found.get(name, {})
        return found.get("enabled")

    def config(self, image: str, plugins: str) -> str:
        """The configuration file, with an image for sandboxes and the folder of CNI plugins."""
        text = _VERSION_3 if self.version() >= (2,) else _VERSION_2
        return text.format(image=image, plugins=plugins)


MACHINES = Programs()
