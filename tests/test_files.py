"""What `-f` takes: files, directories, standard input, gzip; and what it refuses."""

import gzip
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kubehop import files
from kubehop.files import read_paths
from kubehop.model.errors import InputError
from kubehop.model.pod import Pod
from kubehop.source.read import read
from tests.shared_files import shared


def refusal(*paths: str | Path) -> str:
    with pytest.raises(InputError) as error:
        list(read_paths([str(path) for path in paths]))
    assert str(error.value).isprintable()
    return str(error.value)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.yaml", "a.yml", "sub/c.json", "sub/d.yaml.gz", "notes.txt", "x.yaml.bak"):
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(b"zipped") if name.endswith(".gz") else name.encode())
    for name in (".git/e.yaml", ".hidden.yaml", "sub/..data/f.yaml"):
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"hidden")
    return tmp_path / "tree"


def test_a_file_is_called_what_the_user_called_it(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree)
    assert list(read_paths(["./b.yaml", "notes.txt"])) == [
        ("./b.yaml", b"b.yaml"),
        ("notes.txt", b"notes.txt"),
    ]


def test_a_directory(tree: Path) -> None:
    assert list(read_paths([str(tree)])) == [
        (f"{tree}/a.yml", b"a.yml"),
        (f"{tree}/b.yaml", b"b.yaml"),
        (f"{tree}/sub/c.json", b"sub/c.json"),
        (f"{tree}/sub/d.yaml.gz", b"zipped"),
    ]


def test_links_in_a_directory(tree: Path, tmp_path: Path) -> None:
    """A ConfigMap's volume has links into a hidden directory; nothing leads out of it."""
    outside = tmp_path / "outside.yaml"
    outside.write_text("outside")
    (tree / "inside.yaml").symlink_to("sub/..data/f.yaml")
    (tree / "outside.yaml").symlink_to(outside)
    (tree / "missing.yaml").symlink_to("nothing")
    (tree / "itself.yaml").symlink_to("itself.yaml")
    (tree / "loop").symlink_to(".")
    (tree / "away").symlink_to(tmp_path)
    found = dict(read_paths([str(tree)]))
    assert sorted(Path(name).name for name in found) == [
        "a.yml",
        "b.yaml",
        "c.json",
        "d.yaml.gz",
        "inside.yaml",
    ]
    assert found[f"{tree}/inside.yaml"] == b"hidden"


def test_a_link_that_the_user_names_is_followed(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tree)
    assert len(list(read_paths([str(tmp_path / "link")]))) == 4


def standard_input(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    standard_input(monkeypatch, gzip.compress(b"a: 1"))
    assert list(read_paths(["-"])) == [("-", b"a: 1")]
    assert refusal("-", "-") == "-: standard input can be read only once"


def test_a_pipe(tmp_path: Path) -> None:
    """As `-f <(kustomize build)` gives one."""
    reading, writing = os.pipe()
    os.write(writing, b"piped")
    os.close(writing)
    try:
        assert list(read_paths([f"/dev/fd/{reading}"])) == [(f"/dev/fd/{reading}", b"piped")]
    finally:
        os.close(reading)


def test_files_are_read_only_when_their_turn_comes(tree: Path) -> None:
    contents = read_paths([str(tree / "b.yaml"), str(tree / "nothing.yaml")])
    assert next(contents)[1] == b"b.yaml"
    with pytest.raises(InputError):
        next(contents)


def test_what_cannot_be_read(tree: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing.yaml"
    assert refusal(missing) == f"{missing}: cannot be read: No such file or directory"
    (tmp_path / "empty").mkdir()
    assert refusal(tmp_path / "empty") == (
        f"{tmp_path}/empty: no .yaml, .yml, .json file in this directory"
    )
    assert refusal("a\0b").startswith("a\\x00b: cannot be read: ")
    assert "cannot be read" in refusal(tree / "b.yaml" / "x")
    assert "cannot be read" in refusal("x" * 5000)


def test_a_directory_that_may_not_be_listed(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    assert refusal(tree) == f"{tree}: cannot be read: Permission denied"


def test_gzip_is_known_by_its_content(tmp_path: Path) -> None:
    zipped, plain = tmp_path / "zipped.yaml", tmp_path / "plain.gz"
    zipped.write_bytes(gzip.compress(b"a") + gzip.compress(b"b"))
    plain.write_bytes(b"c")
    assert [data for _, data in read_paths([str(zipped), str(plain)])] == [b"ab", b"c"]


PACKED = gzip.compress(bytes(range(256)) * 40)

BROKEN: list[tuple[bytes, str]] = [
    (PACKED[:-1], "gzip is cut off"),
    (PACKED[:40], "gzip is cut off"),
    (PACKED[:5], "gzip is cut off"),
    (b"\x1f\x8b", "gzip is cut off"),
    (PACKED[:60] + b"\xff" * 20 + PACKED[80:], "broken gzip: "),
    (PACKED[:-8] + b"\0\0\0\0" + PACKED[-4:], "broken gzip: CRC check failed"),
    (PACKED + b"junk", "broken gzip: "),
]


@pytest.mark.parametrize(("data", "message"), BROKEN)
def test_broken_gzip(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(data)
    assert refusal(path).startswith(f"{path}: {message}")


def test_gzip_bombs(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(files.SMALL + (8 << 20))))
    assert refusal(path) == f"{path}: unpacks to more than 64 MiB"


def test_what_is_packed_well_but_not_absurdly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "SMALL", 1)
    path = tmp_path / "dump.json.gz"
    path.write_bytes(gzip.compress(shared("data/minikube/pods_list.yaml").read_bytes() * 50))
    (read_one,) = read_paths([str(path)])
    assert len(read_one[1]) > 2_000_000


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_real_files(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    data = shared("data/minikube/pods_list.yaml").read_bytes()
    (tmp_path / "pods.yaml").write_bytes(pack(data))
    assert len(read(read_paths([str(tmp_path)])).of(Pod)) == 11
