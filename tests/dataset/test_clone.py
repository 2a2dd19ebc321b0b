"""Making a clone: going on, several processes, parts, refusals, and a disk that is full."""

import errno
import os
import shutil
import threading
from collections import Counter

import pytest

from rldf.dataset import formats
from rldf.dataset.build import CloneProgress, status
from rldf.dataset.layout import agree_on_generator, check_models, open_folder
from rldf.dataset.reader import open_clone
from rldf.dataset.sharding import ShardSlice
from rldf.errors import RldfError, RunError
from tests.dataset.clones import (
    SPLITS,
    Speckled,
    begin,
    clone,
    contents,
    draw,
    plan_config,
    renderer,
)


class Crash(BaseException):
    pass


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return contents(clone(tmp_path_factory.mktemp("whole") / "a").root)


def crash_after(n):
    told = []

    def tell(found):
        told.append(found)
        if len(told) == n:
            raise Crash

    return tell


@pytest.mark.parametrize("batches", [1, 4, 6, 11])
def test_a_clone_goes_on_where_it_stopped_and_ends_up_the_same(tmp_path, whole, batches):
    who = renderer()
    with pytest.raises(Crash):
        draw(begin(tmp_path / "a"), who, report=crash_after(batches))
    rest = renderer()
    made = draw(begin(tmp_path / "a"), rest)
    assert contents(tmp_path / "a") == whole
    assert rest.generator.n_drawn == made.images
    assert 45 <= who.generator.n_drawn + rest.generator.n_drawn <= 45 + 3 * 4


def test_a_clone_that_is_killed_after_every_batch_ends_up_the_same(tmp_path, whole):
    crashes = 0
    while True:
        try:
            draw(begin(tmp_path / "a"), report=crash_after(1))
            break
        except Crash:
            crashes += 1
    assert crashes == 12  # shards of 16, 16 and 13 images, in batches of 4
    assert contents(tmp_path / "a") == whole


def test_nothing_is_drawn_or_written_for_a_clone_that_is_done(tmp_path, whole):
    folder = clone(tmp_path / "a")
    before = {path: path.stat().st_mtime_ns for path in folder.root.rglob("*") if path.is_file()}
    who = renderer()
    made = draw(begin(tmp_path / "a"), who)
    assert (made.images, made.counts["images"], who.generator.asked) == (0, 45, [])
    after = {path: path.stat().st_mtime_ns for path in folder.root.rglob("*") if path.is_file()}
    assert {path for path in after if after[path] != before.get(path)} <= {
        folder.work("locks") / "finish",
        folder.work("locks") / "setup",
    }


def test_several_workers_draw_one_clone_together(tmp_path, whole):
    """Threads stand for processes: locks are by open file, so they hold between threads too."""
    folder = begin(tmp_path / "a")
    workers = [renderer() for _ in range(3)]
    made = []
    threads = [
        threading.Thread(target=lambda who=who: made.append(draw(folder, who))) for who in workers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert contents(tmp_path / "a") == whole
    assert sum(one.images for one in made) == 45
    assert [one.counts["images"] for one in made] == [45, 45, 45]


def test_parts_are_drawn_apart_and_the_last_one_finishes(tmp_path, whole):
    folder = begin(tmp_path / "a")
    made = [draw(folder, part=ShardSlice(number, 3)) for number in (2, 0, 1)]
    assert [one.images for one in made] == [13, 16, 16]
    assert [one.shards_left for one in made] == [2, 1, 0]
    assert [one.counts is None for one in made] == [True, True, False]
    assert contents(tmp_path / "a") == whole


def test_a_slow_worker_is_waited_for_and_a_dead_one_replaced(tmp_path, whole):
    folder = begin(tmp_path / "a")
    held, go = threading.Event(), threading.Event()

    class Slow(Speckled):
        def generate(self, sentences, seeds):
            held.set()
            assert go.wait(60)
            raise Crash

    def die():
        with pytest.raises(Crash):
            draw(folder, renderer(Slow()))

    dying = threading.Thread(target=die)
    dying.start()
    assert held.wait(60)
    other, made = renderer(), []
    living = threading.Thread(target=lambda: made.append(draw(folder, other)))
    living.start()
    while len(folder.undone()) > 1:
        living.join(0.01)
    living.join(0.5)
    assert living.is_alive(), "it did not wait for the shard that is still held"
    go.set()
    dying.join(60)
    living.join(60)
    assert made[0].images == 45
    assert contents(tmp_path / "a") == whole


def test_another_configuration_is_refused_and_the_difference_shown(tmp_path):
    folder = clone(tmp_path / "a")
    before = contents(folder.root)
    with pytest.raises(RunError, match=r"another configuration \(seed: 0 there, 1 here\)"):
        begin(tmp_path / "a", plan_config(seed=1))
    with pytest.raises(RunError, match='format: "imagefolder" there, "parquet" here'):
        begin(tmp_path / "a", format="parquet")
    with pytest.raises(RunError, match=r"splits.train: 10 there, 11 here"):
        begin(tmp_path / "a", plan_config(splits=SPLITS | {"train": 11}))
    assert contents(folder.root) == before


@pytest.mark.parametrize("name", ["thesis.tex", "train"])
def test_a_folder_that_holds_something_else_is_refused_and_left_alone(tmp_path, name):
    (tmp_path / "a" / name).mkdir(parents=True)
    with pytest.raises(RunError, match=name):
        begin(tmp_path / "a")
    assert [path.name for path in (tmp_path / "a").iterdir()] == [name]
    with pytest.raises(RunError, match="is a file"):
        (tmp_path / "b").write_text("b")
        begin(tmp_path / "b")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused(tmp_path):
    (tmp_path / "a").mkdir(mode=0o500)
    with pytest.raises(RunError, match=r"cannot write to .*a: Permission denied; name another"):
        begin(tmp_path / "a")


def test_a_place_that_cannot_be_made_is_refused(tmp_path, monkeypatch):
    def refuse(self, *args, **options):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    with pytest.raises(RunError, match="Read-only file system; name another with --out"):
        begin(tmp_path / "a")


@pytest.mark.parametrize("fatal", (1, 16, 44))
def test_a_full_disk_is_one_error_and_the_clone_goes_on_afterwards(
    tmp_path, whole, monkeypatch, fatal
):
    written = Counter()
    write = formats.write_bytes

    def fill(path, data):
        written["files"] += 1
        if written["files"] >= fatal:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, data)

    with monkeypatch.context() as patched:
        patched.setattr(formats, "write_bytes", fill)
        with pytest.raises(RldfError, match="No space left on device: free some space"):
            draw(begin(tmp_path / "a"))
    draw(begin(tmp_path / "a"))
    assert contents(tmp_path / "a") == whole


def test_a_full_disk_at_the_end_is_one_error_too(tmp_path, whole, monkeypatch):
    def fill(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("rldf.dataset.finalize.write_sheets", fill)
        with pytest.raises(RldfError, match="free some space"):
            draw(begin(tmp_path / "a"))
    draw(begin(tmp_path / "a"))
    assert contents(tmp_path / "a") == whole


def test_a_damaged_record_is_told(tmp_path):
    folder = clone(tmp_path / "a")
    with pytest.raises(RunError, match="holds no clone"):
        open_folder(tmp_path / "b")
    for damaged in ("", "{", '{"plan": 3}'):
        (folder.root / "clone.json").write_text(damaged)
        with pytest.raises(RunError, match=r"clone.json is damaged"):
            open_clone(folder.root)


def test_a_manifest_cannot_name_a_file_elsewhere(tmp_path):
    folder = clone(tmp_path / "a")
    path = folder.manifest(0)
    text = path.read_text()
    name = folder.rows(0)[0].name
    path.write_text(text.replace(name, "../../etc/passwd"))
    with pytest.raises(RunError, match=r"damaged .*: type 'rldf clone verify"):
        folder.rows(0)
    path.write_text("".join(text.splitlines(keepends=True)[1:]))
    with pytest.raises(RunError, match="does not list images 0 to 15"):
        folder.rows(0)


def test_every_process_must_load_the_same_generator(tmp_path):
    folder = begin(tmp_path / "a")
    agree_on_generator(folder, {"generator": "diffusion", "dtype": "float16"})
    agree_on_generator(folder, {"generator": "diffusion", "dtype": "float16"})
    with pytest.raises(RunError, match='dtype: "float16" there, "float32" here'):
        agree_on_generator(folder, {"generator": "diffusion", "dtype": "float32"})


def test_progress_counts_what_any_process_wrote(tmp_path):
    folder = begin(tmp_path / "a")
    progress = CloneProgress(folder)
    assert progress.count() == 0
    with pytest.raises(Crash):
        draw(folder, report=crash_after(6))
    assert progress.count() == 24
    told = status(folder)
    assert (told["status"], told["drawn"], told["shards_done"]) == ("interrupted", 24, 1)
    draw(folder)
    assert progress.count() == 45
    assert status(folder)["status"] == "done"
    assert status(folder)["splits"] == {"train": 30, "val": 9, "test": 6}


def test_a_file_of_the_users_is_not_taken_for_the_card(tmp_path):
    folder = begin(tmp_path / "a")
    (folder.root / "README.md").write_text("mine")
    assert draw(folder).counts["images"] == 45
    assert (folder.root / "README.md").read_text() == "mine"


def test_a_copy_that_lost_its_hidden_folder_is_drawn_anew(tmp_path, whole):
    folder = clone(tmp_path / "a")
    shutil.rmtree(folder.root / ".rldf")
    assert (status(folder)["status"], status(folder)["drawn"]) == ("interrupted", 0)
    assert draw(begin(tmp_path / "a")).images == 45
    assert contents(tmp_path / "a") == whole


def test_a_damaged_word_about_the_generator_is_told(tmp_path):
    folder = begin(tmp_path / "a")
    for damaged in ("", "[1]", "\xff"):
        folder.generator.write_bytes(damaged.encode("latin-1"))
        with pytest.raises(RunError, match=r"generator.json is damaged"):
            agree_on_generator(folder, {"generator": "speckled"})


def test_models_that_did_not_draw_a_clone_are_refused(tmp_path):
    folder = begin(tmp_path / "a")
    drew = folder.record.plan.models
    check_models(folder, drew)
    with pytest.raises(RunError, match=r'other models \(models.name: "drawn" there, "x" here\)'):
        check_models(folder, drew | {"name": "x"})
