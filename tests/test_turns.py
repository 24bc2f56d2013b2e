"""Questions go first, also in the middle of a batch. Real threads, a real model."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image

from rag.embed.catalogue import NOMIC_TEXT, NOMIC_VISION
from rag.embed.checkpoints import find_checkpoint
from rag.embed.load import FAMILIES
from rag.embed.minilm import MiniLmFamily
from rag.embed.nomic_text import load_nomic_text
from rag.embed.picture_tower import load_nomic_vision
from rag.embed.turns import Turns, hurried
from rag.settings import EmbedSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rag.embed.lanes import Array

CPU = torch.device("cpu")
WAIT_S = 30


class LoggedTurns(Turns):
    """Turns that note whose came to its end, in order.

    Before the second layer of the first batch they wait until a question has come.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = 0
        self.in_batch = threading.Event()
        self.log: list[str] = []

    @contextmanager
    def take(self, *, question: bool) -> Iterator[None]:
        with super().take(question=question):
            yield
            self.log.append("question" if question else "document")

    def give_way(self) -> None:
        if self._holder is not None and not self._holder.question:
            self.layers += 1
            if self.layers == 2:
                self.in_batch.set()
                wait_until(lambda: self._questions_waiting > 0)
        super().give_way()


def wait_until(is_true: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(WAIT_S * 1000):
        if is_true():
            return
        pause.wait(0.001)
    raise AssertionError("it never came")


def ask_during(
    turns: LoggedTurns, document: Callable[[], object], ask: Callable[[], object]
) -> None:
    """Run the document work in a thread of its own and ask while its first batch is under way."""

    worker = threading.Thread(target=document)
    worker.start()
    assert turns.in_batch.wait(WAIT_S)
    ask()
    worker.join(WAIT_S)
    assert not worker.is_alive()


def test_a_question_is_served_before_the_batch_of_nomic_texts_it_meets_ends(shared: Path) -> None:
    folder = shared / "fixtures" / "nomic_text_tiny"
    files, turns = find_checkpoint(NOMIC_TEXT, name="nomic", model_dir=folder), LoggedTurns()
    lane = load_nomic_text(files, turns=turns, batch_size=8, dim=32, device=CPU)
    asked: list[Array] = []

    ask_during(
        turns,
        lambda: lane.embed_documents(["revenue growth"]),
        lambda: asked.append(lane.embed_queries(["revenue"])),
    )

    assert turns.log == ["question", "document"]
    np.testing.assert_array_equal(asked[0], lane.embed_queries(["revenue"]))


def test_a_question_is_served_before_the_batch_of_the_built_in_embedder_ends() -> None:
    turns = LoggedTurns()
    lane = MiniLmFamily().load(EmbedSettings(), ("text",), turns).text
    assert lane is not None

    ask_during(turns, lambda: lane.embed_documents(["a"]), lambda: lane.embed_queries(["b"]))

    assert turns.log == ["question", "document"]


def test_a_question_is_served_before_the_picture_it_meets_ends(shared: Path) -> None:
    texts = find_checkpoint(
        NOMIC_TEXT, name="nomic", model_dir=shared / "fixtures" / "nomic_text_tiny"
    )
    vision = find_checkpoint(
        NOMIC_VISION, name="nomic", model_dir=shared / "fixtures" / "nomic_vision_tiny"
    )
    turns = LoggedTurns()
    lane = load_nomic_text(texts, turns=turns, batch_size=8, dim=32, device=CPU)
    tower = load_nomic_vision(vision, turns=turns, batch_size=8, device=CPU)

    ask_during(
        turns,
        lambda: tower.embed_images([Image.new("RGB", (40, 30), "red")] * 4),
        lambda: lane.embed_queries(["b"]),
    )

    assert turns.log == ["question", "document"]


def test_a_batch_that_gave_way_ends_with_the_vectors_it_would_have_had(shared: Path) -> None:
    folder = shared / "fixtures" / "nomic_text_tiny"
    files, turns = find_checkpoint(NOMIC_TEXT, name="nomic", model_dir=folder), LoggedTurns()
    lane = load_nomic_text(files, turns=turns, batch_size=8, dim=32, device=CPU)
    undisturbed = load_nomic_text(files, turns=Turns(), batch_size=8, dim=32, device=CPU)
    documents = ["revenue growth", "a " * 300]
    made: list[Array] = []

    ask_during(
        turns,
        lambda: made.append(lane.embed_documents(documents)),
        lambda: lane.embed_queries(["a question that is longer than both"]),
    )

    np.testing.assert_array_equal(made[0], undisturbed.embed_documents(documents))


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("gemma", "embeddinggemma2_tiny"),
        ("clip", "clip_tiny"),
        ("siglip2", "siglip2_tiny/naflex"),
        ("siglip2", "siglip2_tiny/fixres"),
    ],
)
def test_models_of_transformers_give_way_too(shared: Path, name: str, folder: str) -> None:
    turns = LoggedTurns()
    settings = EmbedSettings(model=name, model_dir=shared / "fixtures" / folder)
    lane = FAMILIES[name].load(settings, ("image",), turns).pictures
    assert lane is not None

    ask_during(
        turns,
        lambda: lane.embed_images([Image.new("RGB", (40, 30), "red")]),
        lambda: lane.embed_queries(["b"]),
    )

    assert turns.log == ["question", "document"]


def test_a_question_gives_way_to_no_other(turns: Turns) -> None:
    served: list[str] = []

    def ask() -> None:
        with turns.take(question=True):
            served.append("second")

    with turns.take(question=True):
        other = threading.Thread(target=ask)
        other.start()
        wait_until(lambda: turns._questions_waiting == 1)
        turns.give_way()
        served.append("first")
    other.join(WAIT_S)

    assert served == ["first", "second"]


def test_what_a_person_waits_for_does_not_give_way_either(turns: Turns) -> None:
    served: list[str] = []

    def ask() -> None:
        with turns.take(question=True):
            served.append("second")

    with hurried(), turns.take(question=False):
        other = threading.Thread(target=ask)
        other.start()
        wait_until(lambda: turns._questions_waiting == 1)
        turns.give_way()
        served.append("first")
    other.join(WAIT_S)

    assert served == ["first", "second"]


def test_giving_way_without_a_turn_does_nothing(turns: Turns) -> None:
    turns.give_way()

    with turns.take(question=False):
        turns.give_way()


def test_an_error_after_giving_way_frees_the_model(turns: Turns) -> None:
    def ask() -> None:
        with turns.take(question=True):
            pass

    def fail() -> None:
        other = threading.Thread(target=ask)
        with turns.take(question=False):
            other.start()
            wait_until(lambda: turns._questions_waiting == 1)
            turns.give_way()
            other.join(WAIT_S)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    with turns.take(question=False):
        pass


def test_one_that_is_interrupted_while_it_waits_frees_nobody_elses_turn(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = turns.take(question=True)

    def be_interrupted(_: object) -> None:
        monkeypatch.undo()
        turns._questions_waiting = 0
        question.__enter__()
        raise KeyboardInterrupt

    def give_way() -> None:
        with turns.take(question=False):
            turns._questions_waiting = 1
            monkeypatch.setattr(turns, "_wait", be_interrupted)
            turns.give_way()

    with pytest.raises(KeyboardInterrupt):
        give_way()

    assert turns._holder is not None
    question.__exit__(None, None, None)
    assert turns._holder is None


@pytest.fixture
def turns() -> Turns:
    return Turns()
