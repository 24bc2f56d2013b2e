"""From settings to an embedder, and the few vectors behind `folio embed`."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from rag.embed.batches import plan_batches
from rag.embed.catalogue import CATALOGUE, MINILM, NOMIC
from rag.embed.load import FAMILIES, identity_of, is_cached, load_embedder
from rag.embed.once import embed_for_cli
from rag.embed.turns import Turns
from rag.errors import ConfigError, CorruptFileError
from rag.settings import EmbedSettings

ROOT = Path(__file__).resolve().parent.parent


def nomic(folder: Path) -> EmbedSettings:
    return EmbedSettings(model="nomic", model_dir=folder)


def test_importing_and_asking_for_the_identity_loads_no_torch() -> None:
    program = (
        "import sys, rag, rag.embed, rag.embed.once, rag.embed.catalogue\n"
        "from rag.settings import EmbedSettings\n"
        "rag.embed.identity_of(EmbedSettings())\n"
        "print([name for name in ('torch', 'transformers', 'PIL') if name in sys.modules])"
    )

    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )

    assert printed.stdout.strip() == "[]"


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    for refuse in (load_embedder, identity_of, embed_for_cli):
        with pytest.raises(ConfigError, match=r"no embedder 'bert'.* minilm"):
            refuse(EmbedSettings(model="bert"))


def test_the_identity_known_before_loading_is_the_one_of_the_embedder(shared: Path) -> None:
    for settings in (EmbedSettings(), nomic(shared / "fixtures")):
        assert load_embedder(settings).identity == identity_of(settings)


def test_identities_of_two_embedders_differ_and_are_one_line(shared: Path) -> None:
    one, other = identity_of(EmbedSettings()), identity_of(nomic(shared / "fixtures"))

    assert one != other
    assert one.startswith("minilm|")
    assert other.startswith("nomic|")
    assert "\n" not in one + other


def test_batch_size_and_threads_do_not_change_the_identity() -> None:
    assert identity_of(EmbedSettings(batch_size=1, threads=2)) == identity_of(EmbedSettings())


def test_two_threads_may_load_at_once() -> None:
    loaded = []
    threads = [
        threading.Thread(target=lambda: loaded.append(load_embedder(EmbedSettings())))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    first, second = (each.text.embed_queries(["bread"]) for each in loaded)
    np.testing.assert_array_equal(first, second)


def test_the_catalogue_states_licence_dims_and_lanes() -> None:
    assert (MINILM.dims, MINILM.lanes, MINILM.joint) == (384, ("text",), False)
    assert (NOMIC.dims, NOMIC.lanes, NOMIC.joint) == (768, ("text", "image"), True)
    assert {facts.name for facts in CATALOGUE} == set(FAMILIES)


def test_what_is_on_this_machine_counts_as_cached(shared: Path, tmp_path: Path) -> None:
    assert is_cached(MINILM, EmbedSettings())
    assert is_cached(NOMIC, nomic(shared / "fixtures"))
    assert not is_cached(NOMIC, nomic(tmp_path))


def test_vectors_come_in_the_order_queries_texts_images(shared: Path) -> None:
    folder = shared / "fixtures"
    sample = folder / "nomic_vision_tiny" / "sample_300x200.png"

    result = embed_for_cli(
        nomic(folder), queries=["revenue"], texts=["revenue", "growth"], images=[sample]
    )

    forms = [(row.input, row.form) for row in result.vectors]
    assert forms == [
        ("revenue", "query"),
        ("revenue", "document"),
        ("growth", "document"),
        (str(sample), "image"),
    ]
    assert result.embedder == "nomic"
    assert result.identity == identity_of(nomic(folder))
    assert all(np.linalg.norm(row.vector) == pytest.approx(1, abs=1e-5) for row in result.vectors)
    assert result.vectors[0].vector != result.vectors[1].vector


def test_a_folder_with_one_half_serves_its_own_forms(shared: Path) -> None:
    vision, text = (shared / "fixtures" / f"nomic_{half}_tiny" for half in ("vision", "text"))
    sample = vision / "sample_300x200.png"

    pictures = embed_for_cli(nomic(vision), images=[sample])
    words = embed_for_cli(nomic(text), queries=["revenue"])

    assert [row.form for row in (*pictures.vectors, *words.vectors)] == ["image", "query"]
    with pytest.raises(ConfigError, match="holds only the picture half"):
        embed_for_cli(nomic(vision), queries=["revenue"])
    with pytest.raises(ConfigError, match="holds only the text half"):
        embed_for_cli(nomic(text), images=[sample])


def test_the_built_in_embedder_takes_texts_and_refuses_pictures(shared: Path) -> None:
    sample = shared / "fixtures" / "nomic_vision_tiny" / "sample_300x200.png"

    result = embed_for_cli(EmbedSettings(), queries=["bread"], texts=["bread"])

    assert result.vectors[0].vector == result.vectors[1].vector
    with pytest.raises(ConfigError, match="minilm embeds no pictures"):
        embed_for_cli(EmbedSettings(), images=[sample])


def test_a_picture_that_is_absent_or_damaged_is_refused(shared: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn.png"
    sample = shared / "fixtures" / "nomic_vision_tiny" / "sample_300x200.png"
    torn.write_bytes(sample.read_bytes()[:2000])

    with pytest.raises(ConfigError, match=r"absent\.png cannot be opened"):
        embed_for_cli(nomic(shared / "fixtures"), images=[tmp_path / "absent.png"])
    with pytest.raises(CorruptFileError):
        embed_for_cli(nomic(shared / "fixtures"), images=[torn])


def test_nothing_asked_gives_no_vectors() -> None:
    assert embed_for_cli(EmbedSettings()).vectors == ()


@pytest.mark.parametrize(
    ("lengths", "batches"),
    [
        ([], []),
        ([5, 9, 7], [[1, 2, 0]]),
        ([50, 10, 10, 10], [[0, 1], [2, 3]]),
        ([500, 3], [[0], [1]]),
        ([0, 0], [[0, 1]]),
    ],
    ids=["none", "longest first", "rows bound", "tokens bound", "empty texts"],
)
def test_batches_hold_neighbours_in_length(lengths: list[int], batches: list[list[int]]) -> None:
    max_rows = 2 if len(lengths) == 4 else 8

    assert plan_batches(lengths, max_rows=max_rows, max_tokens=100) == batches


def test_a_waiting_question_goes_before_waiting_documents() -> None:
    turns, served = Turns(), []
    inside, leave = threading.Event(), threading.Event()

    def use(name: str, *, question: bool) -> None:
        with turns.take(question=question):
            served.append(name)
            if name == "first":
                inside.set()
                assert leave.wait(timeout=30)

    threads = [threading.Thread(target=use, args=("first",), kwargs={"question": False})]
    threads[0].start()
    assert inside.wait(timeout=30)
    for name in ("document", "document", "question"):
        asks = name == "question"
        threads.append(threading.Thread(target=use, args=(name,), kwargs={"question": asks}))
        threads[-1].start()
    while not turns._questions_waiting:
        time.sleep(0.001)
    leave.set()
    for thread in threads:
        thread.join(timeout=30)

    assert served == ["first", "question", "document", "document"]


def test_a_failing_batch_gives_its_turn_back() -> None:
    turns = Turns()

    with pytest.raises(ZeroDivisionError), turns.take(question=False):
        raise ZeroDivisionError

    with turns.take(question=True):
        pass
