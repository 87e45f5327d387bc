import io
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubehop.follow import FileSource, Named, Pace, Source
from kubehop.live.watch import LiveSource
from kubehop.model.changes import EVERYTHING, Change, State, Update, between, key_of
from kubehop.model.cluster import Cluster
from kubehop.model.config import ConfigMap
from kubehop.model.errors import InputError, UsageError
from kubehop.model.node import Namespace
from kubehop.model.service import EndpointSlice, Service
from kubehop.source.read import read

QUICK = Pace(look=0.01, settle=0.005, patience=0.2, retry_limit=0.02)
PATIENCE = 5.0


def service(name: str, address: str = "10.43.0.7") -> str:
    return (
        "---\napiVersion: v1\nkind: Service\n"
        f"metadata: {{name: {name}}}\nspec: {{clusterIP: {address}}}\n"
    )


def corefile(text: str) -> str:
    return (
        "---\napiVersion: v1\nkind: ConfigMap\n"
        f"metadata: {{name: coredns, namespace: kube-system}}\ndata: {{Corefile: '{text}'}}\n"
    )


def cluster_of(named: Named) -> Cluster:
    inventory = read(named)
    if not any(inventory.objects.values()):
        raise UsageError("no object of a network")
    return Cluster(
        namespaces=inventory.of(Namespace),
        services=inventory.of(Service),
        slices=inventory.of(EndpointSlice),
        config_maps=inventory.of(ConfigMap),
    )


class Told:
    """What a source has told."""

    def __init__(self, state: State) -> None:
        self.services: dict[str, str] = {}
        self.corefile = state.corefile
        self.changes: list[Change] = []
        self.lines: list[str] = []
        self._take(between(Cluster(), state.cluster))

    def tell(self, update: Update) -> None:
        assert update.synced == EVERYTHING
        assert update.change or update.corefile != self.corefile
        self._take(update.change)
        self.corefile = update.corefile

    def _take(self, change: Change) -> None:
        self.changes.append(change)
        for _, _, name in change.gone:
            del self.services[name]
        for obj in change.put:
            assert isinstance(obj, Service)
            self.services[obj.name] = obj.spec.cluster_ip or ""

    def gone(self) -> set[str]:
        return {name for change in self.changes for _, _, name in change.gone}

    def wait(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, (self.services, self.lines)
            time.sleep(0.002)


@contextmanager
def following(*paths: Path | str, pace: Pace = QUICK) -> Iterator[Told]:
    lines: list[str] = []
    source = FileSource([str(path) for path in paths], cluster_of, lines.append, pace=pace)
    told, stop = Told(source.start()), threading.Event()
    told.lines = lines
    errors: list[Exception] = []

    def run() -> None:
        try:
            source.run(told.tell, stop)
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield told
    finally:
        stop.set()
        thread.join()
        source.close()
    assert errors == []


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "cluster.yaml"
    path.write_text(service("web") + service("db"))
    return path


def test_sources_have_one_form() -> None:
    sources: tuple[type[Source], ...] = (FileSource, LiveSource)  # mypy holds the signatures
    assert all(issubclass(each, Source) for each in sources)


def test_the_start(path: Path) -> None:
    state = FileSource([str(path)], cluster_of, print).start()
    assert [obj.name for obj in state.cluster.services] == ["db", "web"]
    assert state.synced == {"services", "endpointslices", "namespaces", "pods"}
    assert state.corefile is None


def test_what_cannot_be_read_at_the_start_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        FileSource([str(tmp_path / "absent")], cluster_of, print).start()
    with pytest.raises(InputError, match="only once"):
        FileSource(["-", "-"], cluster_of, print).start()


# Every way in which a file changes


def write_over(path: Path, text: str) -> None:
    path.write_text(text)


def rename_over(path: Path, text: str) -> None:
    other = path.with_suffix(".new")
    other.write_text(text)
    other.replace(path)


def remove_and_write(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text)


def move_away_and_write(path: Path, text: str) -> None:
    """As vim does with `backupcopy=no`."""
    path.rename(path.with_suffix(".yaml~"))
    path.write_text(text)


def same_size_and_time(path: Path, text: str) -> None:
    """As a tool does that keeps times, like `rsync --times` or `cp --preserve`."""
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


WAYS = [write_over, rename_over, remove_and_write, move_away_and_write, same_size_and_time]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("directory", [False, True], ids=["file", "directory"])
def test_a_changed_file_changes_what_changed(
    path: Path, way: Callable[[Path, str], None], directory: bool
) -> None:
    with following(path.parent if directory else path) as told:
        way(path, service("web", "10.43.0.8") + service("db"))
        told.wait(lambda: told.services["web"] == "10.43.0.8")
        assert [key_of(obj) for change in told.changes[1:] for obj in change.put] == [
            ("Service", "default", "web")
        ]
        assert told.gone() == set()
        assert told.lines == []


def test_the_corefile_alone_changes(path: Path) -> None:
    path.write_text(service("web") + corefile("one"))
    with following(path) as told:
        assert told.corefile == "one"
        path.write_text(service("web") + corefile("two"))
        told.wait(lambda: told.corefile == "two")
        assert told.changes[1:] == [Change()]


def test_nothing_is_told_when_only_the_time_changes(path: Path) -> None:
    with following(path) as told:
        os.utime(path)
        time.sleep(0.05)
        assert len(told.changes) == 1


def test_a_directory_gets_and_loses_files(tmp_path: Path, path: Path) -> None:
    deep = tmp_path / "deep" / "deeper"
    with following(tmp_path) as told:
        (tmp_path / "new.yaml").write_text(service("new"))
        told.wait(lambda: "new" in told.services)
        deep.mkdir(parents=True)
        (deep / "more.json").write_text(
            '{"apiVersion":"v1","kind":"Service","metadata":{"name":"more"}}'
        )
        told.wait(lambda: "more" in told.services)
        (tmp_path / "new.yaml").unlink()
        told.wait(lambda: "new" not in told.services)
        shutil.rmtree(tmp_path / "deep")
        told.wait(lambda: "more" not in told.services)
        (tmp_path / ".hidden.yaml").write_text(service("hidden"))
        (tmp_path / "notes.txt").write_text("hello")
        time.sleep(0.05)
        assert told.services == {"web": "10.43.0.7", "db": "10.43.0.7"}


@pytest.mark.parametrize("directory", [False, True], ids=["file", "directory"])
def test_a_mounted_config_map_is_swapped_by_a_link(tmp_path: Path, directory: bool) -> None:
    """As the kubelet's AtomicWriter does: FILE -> ..data/FILE, ..data -> ..TIME."""
    volume = tmp_path / "volume"

    def write(stamp: str, address: str) -> None:
        (volume / stamp).mkdir(parents=True)
        (volume / stamp / "web.yaml").write_text(service("web", address))
        (volume / "..data_tmp").symlink_to(stamp)
        (volume / "..data_tmp").rename(volume / "..data")

    write("..one", "10.43.0.7")
    (volume / "web.yaml").symlink_to("..data/web.yaml")
    with following(volume if directory else volume / "web.yaml") as told:
        write("..two", "10.43.0.8")
        shutil.rmtree(volume / "..one")
        told.wait(lambda: told.services["web"] == "10.43.0.8")
        assert told.gone() == set()
        assert told.lines == []


# What must not get through


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "cluster.yaml"),
        (service("web", "{}"), "Service default/web"),
        ("# nothing\n", "no object of a network"),
    ],
)
def test_what_cannot_be_read_changes_nothing(path: Path, text: str, words: str) -> None:
    with following(path) as told:
        path.write_text(text)
        told.wait(lambda: bool(told.lines))
        time.sleep(0.1)  # several more tries
        assert len(told.lines) == 1
        assert words in told.lines[0]
        assert told.services == {"web": "10.43.0.7", "db": "10.43.0.7"}
        path.write_text(service("web", "10.43.0.9"))
        told.wait(lambda: told.services == {"web": "10.43.0.9"})
        assert told.lines[1:] == [f"over: {told.lines[0]}"]


def test_a_file_that_is_away_keeps_its_answers(path: Path) -> None:
    with following(path) as told:
        path.unlink()
        told.wait(lambda: bool(told.lines))
        assert "No such file" in told.lines[0]
        assert set(told.services) == {"web", "db"}
        path.write_text(service("web"))
        told.wait(lambda: set(told.services) == {"web"})


def test_a_file_that_is_being_written_is_waited_for(tmp_path: Path, path: Path) -> None:
    """`kubectl get -o yaml > FILE`: emptied at once, filled a while later, piece by piece."""
    other = tmp_path / "other.yaml"
    other.write_text(service("other"))
    with following(tmp_path, pace=Pace(look=0.01, settle=0.03, patience=5)) as told:
        with path.open("w") as file:
            time.sleep(0.1)
            for name in ("web", "db", "new"):
                file.write(service(name))
                file.flush()
                time.sleep(0.01)
        told.wait(lambda: "new" in told.services)
        assert told.gone() == set()


def test_a_file_that_stays_empty_is_believed_at_last(tmp_path: Path, path: Path) -> None:
    (tmp_path / "other.yaml").write_text(service("other"))
    with following(tmp_path) as told:
        path.write_text("")
        told.wait(lambda: set(told.services) == {"other"})


def test_a_trouble_that_no_file_shows_is_tried_again(path: Path) -> None:
    """As with a file system that is away for a moment."""
    broken = threading.Event()

    def flaky(named: Named) -> Cluster:
        if broken.is_set():
            raise InputError("Input/output error", file=str(path))
        return cluster_of(named)

    lines: list[str] = []
    source = FileSource([str(path)], flaky, lines.append, pace=QUICK)
    told, stop = Told(source.start()), threading.Event()
    thread = threading.Thread(target=source.run, args=(told.tell, stop))
    thread.start()
    broken.set()
    path.write_text(service("new"))
    told.wait(lambda: bool(lines))
    broken.clear()
    told.wait(lambda: "new" in told.services)
    stop.set()
    thread.join()


# What can be read only once


def test_standard_input_is_read_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = SimpleNamespace(buffer=io.BytesIO(service("piped").encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    with following("-", path) as told:
        assert set(told.services) == {"web", "db", "piped"}
        path.write_text(service("new"))
        told.wait(lambda: set(told.services) == {"piped", "new"})


def test_a_pipe_is_read_once(path: Path) -> None:
    """`-f <(kubectl get ...)` of a shell."""
    readable, writable = os.pipe()
    os.write(writable, service("piped").encode())
    os.close(writable)
    try:
        with following(f"/dev/fd/{readable}", path) as told:
            path.write_text(service("new"))
            told.wait(lambda: set(told.services) == {"piped", "new"})
            assert told.lines == []
    finally:
        os.close(readable)


NAMES = st.sampled_from("abc")
EDITS = st.lists(
    st.tuples(NAMES, st.sampled_from([*WAYS[:4], None]), st.integers(1, 9)), min_size=1, max_size=8
)


@settings(max_examples=20)
@given(edits=EDITS)
def test_whatever_happens_to_files_the_end_is_what_they_say(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[str, object, int]]
) -> None:
    folder = tmp_path_factory.mktemp("edited")
    (folder / "always.yaml").write_text(service("always"))
    truth = {"always": "10.43.0.7"}
    with following(folder) as told:
        for name, way, number in edits:
            path = folder / f"{name}.yaml"
            if way is None:
                path.unlink(missing_ok=True)
                truth.pop(name, None)
            else:
                truth[name] = f"10.43.0.{number}"
                (way if path.exists() else write_over)(path, service(name, truth[name]))  # type: ignore[operator]
        told.wait(lambda: told.services == truth)
        assert "always" not in told.gone()
