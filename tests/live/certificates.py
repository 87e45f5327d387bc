"""A certificate authority for the tests, with a server for 127.0.0.1 and a client "jane"."""

import base64
import subprocess
from dataclasses import dataclass
from pathlib import Path

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
_AUTHORITY = "[v]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
_SERVER = "[v]\nsubjectAltName=IP:127.0.0.1,DNS:kubernetes.default\n"
_CLIENT = "[v]\nextendedKeyUsage=clientAuth\n"


@dataclass(frozen=True)
class Certificates:
    folder: Path

    @property
    def authority(self) -> Path:
        return self.folder / "ca.crt"

    @property
    def authority_data(self) -> str:
        return base64.b64encode(self.authority.read_bytes()).decode()

    @property
    def server(self) -> Path:
        return self.folder / "server.crt"

    @property
    def server_key(self) -> Path:
        return self.folder / "server.key"

    @property
    def client(self) -> Path:
        return self.folder / "client.crt"

    @property
    def client_key(self) -> Path:
        return self.folder / "client.key"


def make(folder: Path) -> Certificates:
    """Needs openssl; all certificates are made in `folder`."""
    _authority(folder)
    _signed(folder, "server", "kube-apiserver", _SERVER)
    _signed(folder, "client", "jane", _CLIENT)
    return Certificates(folder)


def _authority(folder: Path) -> None:
    _config(folder, "ca", _AUTHORITY)
    _openssl(
        folder, "req", "-x509", *_KEY, "-subj", "/CN=test-ca", "-days", "2",
        "-config", "ca.cnf", "-extensions", "v", "-keyout", "ca.key", "-out", "ca.crt",
    )  # fmt: skip


def _signed(folder: Path, name: str, subject: str, extensions: str) -> None:
    _config(folder, name, extensions)
    _openssl(
        folder, "req", *_KEY, "-subj", f"/CN={subject}",
        "-config", f"{name}.cnf", "-keyout", f"{name}.key", "-out", f"{name}.csr",
    )  # fmt: skip
    _openssl(
        folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
        "-CAcreateserial", "-days", "2", "-extfile", f"{name}.cnf", "-extensions", "v",
        "-out", f"{name}.crt",
    )  # fmt: skip


def _config(folder: Path, name: str, extensions: str) -> None:
    text = f"[req]\ndistinguished_name=dn\n[dn]\n{extensions}"
    (folder / f"{name}.cnf").write_text(text)


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
