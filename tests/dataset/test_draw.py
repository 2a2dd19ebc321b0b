"""Drawing a shard: passes, redraws, the journal, and the threads that write."""

import errno
import threading

import pytest
from PIL import Image

from rldf.dataset.image_file import encode_image
from rldf.dataset.manifest import ProgressLog, count_kept
from rldf.dataset.plan import make_plan, retry_seed
from rldf.dataset.render import ImageWriter, ShardRenderer
from tests.dataset.clones import Speckled, plan_config, renderer

PLAN = make_plan(plan_config())
INDICES = range(12)


class Picky:
    """Turns images down by their seed."""

    def __init__(self, reasons):
        self.reasons = reasons

    def __call__(self, images, planned):
        return [self.reasons(image, what) for image, what in zip(images, planned, strict=True)]


def run(path, who, tell=lambda found: None, store=None):
    store = {} if store is None else store

    def put(planned, data):
        store[planned.name] = data

    with ImageWriter(lambda image, planned: encode_image(image, "png", b""), put) as writer:
        drawing = ShardRenderer(
            plan=PLAN,
            indices=INDICES,
            journal=ProgressLog(path),
            renderer=who,
            writer=writer,
            report=tell,
        )
        return drawing.rows(), store


def first_attempts(generator):
    """Map each seed that was drawn to its image of the plan and its attempt."""
    known = {
        retry_seed(PLAN.image(i).seed, attempt): (i, attempt)
        for i in INDICES
        for attempt in range(8)
    }
    return [[known[seed] for _, seed in batch] for batch in generator.asked]


def test_every_image_is_drawn_once_in_order_and_written(tmp_path):
    who = renderer(batch_size=5)
    rows, store = run(tmp_path / "journal", who)
    assert [row.index for row in rows] == list(INDICES)
    assert set(store) == {PLAN.image(i).name for i in INDICES}
    assert [len(batch) for batch in who.generator.asked] == [5, 5, 2]
    assert {row.attempt for row in rows} == {0}
    assert [row.seed for row in rows] == [PLAN.image(i).seed for i in INDICES]
    assert [row.sentence for row in rows] == [PLAN.image(i).sentence for i in INDICES]


def test_what_is_turned_down_is_drawn_with_the_next_seeds_of_its_chain(tmp_path):
    seen = []

    def reasons(image, what):
        seen.append(what.index)
        return "black" if what.index in (1, 7) and seen.count(what.index) < 3 else ""

    who = renderer(filter=Picky(reasons))
    rows, store = run(tmp_path / "journal", who)
    assert [rows[i].attempt for i in (0, 1, 7)] == [0, 2, 2]
    assert rows[1].rejected == ("black", "black")
    assert rows[1].seed == retry_seed(PLAN.image(1).seed, 2) != PLAN.image(1).seed
    assert first_attempts(who.generator)[3:] == [[(1, 1), (7, 1)], [(1, 2), (7, 2)]]
    assert len(store) == 12


def test_what_never_comes_out_is_left_out_and_said_so(tmp_path):
    who = renderer(filter=Picky(lambda image, what: "flagged" * (what.index == 4)), attempts=3)
    rows, store = run(tmp_path / "journal", who)
    assert (rows[4].sha256, rows[4].bytes, rows[4].attempt) == (None, 0, 2)
    assert rows[4].rejected == ("flagged",) * 3
    assert rows[4].name not in store


def test_an_image_whose_class_is_not_seen_is_kept_after_the_last_attempt(tmp_path):
    who = renderer(filter=Picky(lambda image, what: "unseen" * (what.index == 4)), attempts=3)
    rows, store = run(tmp_path / "journal", who)
    assert rows[4].rejected == ("unseen",) * 3
    assert rows[4].attempt == 2
    assert rows[4].name in store
    image = who.generator.draw(PLAN.image(4).sentence, retry_seed(PLAN.image(4).seed, 2))
    assert store[rows[4].name] == encode_image(image, "png", b"")


class Crash(BaseException):
    pass


@pytest.mark.parametrize("crash_at", range(1, 7))
def test_a_shard_that_is_taken_up_again_is_drawn_in_the_same_batches(tmp_path, crash_at):
    picky = Picky(
        lambda image, what: "black" if what.index % 5 == 1 and image.getpixel((0, 0))[0] % 3 else ""
    )
    whole = renderer(filter=picky)
    rows, store = run(tmp_path / "whole", whole)
    told = []

    def crash(found):
        told.append(found)
        if len(told) == crash_at:
            raise Crash

    half, kept = renderer(filter=picky), {}
    try:
        run(tmp_path / "half", half, crash, kept)
    except Crash:
        with (tmp_path / "half").open("ab") as file:
            file.write(b'{"batch":[{"index"')  # and a line was torn
        before = len((tmp_path / "half").read_bytes().split(b"\n")) - 1
        assert before == crash_at
        assert count_kept(tmp_path / "half") <= len(kept)
    rest = renderer(filter=picky)
    again, kept = run(tmp_path / "half", rest, store=kept)
    assert (again, kept) == (rows, store)
    assert rest.generator.asked == whole.generator.asked[crash_at:]


def test_a_damaged_journal_costs_what_follows_the_damage_alone(tmp_path):
    path = tmp_path / "journal"
    rows, _ = run(path, renderer())
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"garbage\n" + lines[2])
    who = renderer()
    assert run(path, who)[0] == rows
    assert [len(batch) for batch in who.generator.asked] == [4, 4]


def test_the_generator_does_not_wait_for_files(tmp_path):
    """Two batches may be unwritten while a third is drawn; a fourth waits."""
    gate, drawn = threading.Event(), []

    class Watched(Speckled):
        def generate(self, sentences, seeds):
            drawn.append(len(sentences))
            if len(drawn) == 3:
                gate.set()
            return super().generate(sentences, seeds)

    def put(planned, data):
        assert gate.wait(20), "the third batch was not drawn before the first was written"

    with ImageWriter(lambda image, planned: b"x", put) as writer:
        who = renderer(Watched(), batch_size=3)
        ShardRenderer(
            plan=PLAN, indices=INDICES, journal=ProgressLog(None), renderer=who, writer=writer
        ).rows()
    assert drawn == [3, 3, 3, 3]


def test_an_error_in_a_thread_ends_the_drawing(tmp_path):
    def put(planned, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    with (
        pytest.raises(OSError, match="No space left"),
        ImageWriter(lambda image, planned: b"x", put) as writer,
    ):
        who = renderer(batch_size=2)
        journal = ProgressLog(tmp_path / "journal")
        ShardRenderer(
            plan=PLAN, indices=INDICES, journal=journal, renderer=who, writer=writer
        ).rows()
    assert len(who.generator.asked) <= 4
    assert not (tmp_path / "journal").exists()


def test_other_errors_of_a_generator_pass(tmp_path):
    class Broken(Speckled):
        def generate(self, sentences, seeds):
            raise RuntimeError("oh")

    with pytest.raises(RuntimeError, match="oh"):
        run(tmp_path / "journal", renderer(Broken()))


def test_batches_do_not_change_images(tmp_path):
    one, eight = (run(tmp_path / str(n), renderer(batch_size=n)) for n in (1, 8))
    assert one == eight


def test_a_blank_image_is_drawn_again(tmp_path):
    class Failing(Speckled):
        def draw(self, sentence, seed):
            if seed == PLAN.image(3).seed:
                return Image.new("RGB", (16, 16))
            if seed == PLAN.image(5).seed:
                return Image.new("RGB", (16, 16), (90, 120, 200))
            return super().draw(sentence, seed)

    rows, _ = run(tmp_path / "journal", renderer(Failing()))
    assert rows[3].rejected == ("black",)
    assert rows[5].rejected == ("constant",)
    assert sum(row.attempt for row in rows) == 2
