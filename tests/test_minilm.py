"""The built-in embedder, with its real weights: known vectors, relations, refusals."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rag.embed.lanes import TextLane
from rag.embed.load import identity_of, load_embedder
from rag.embed.minilm import verify_weights
from rag.errors import ConfigError, EmbedError
from rag.settings import EmbedSettings

QUESTION = "How do I bake bread?"
RECIPE = "A recipe for baking a loaf of bread."
MARKET = "The stock market fell on Tuesday."


@pytest.fixture(scope="module")
def lane() -> TextLane:
    return load_embedder(EmbedSettings()).text


def test_known_question_gives_the_known_vector(lane: TextLane) -> None:
    (vector,) = lane.embed_queries([QUESTION])

    known = [0.04218567, 0.04322961, -0.0205657, -0.01826554, -0.09989192]
    np.testing.assert_allclose(vector[:5], known, atol=1e-3)


def test_a_paraphrase_is_nearer_than_another_topic(lane: TextLane) -> None:
    (question,) = lane.embed_queries([QUESTION])
    recipe, market = lane.embed_documents([RECIPE, MARKET])

    assert question @ recipe > 0.7
    assert question @ market < 0.2


def test_vectors_are_float32_of_unit_length(lane: TextLane) -> None:
    vectors = lane.embed_documents([QUESTION, RECIPE, MARKET])

    assert vectors.shape == (3, lane.dim) == (3, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_rows_keep_the_order_of_inputs_of_mixed_length(lane: TextLane) -> None:
    texts = [" ".join([f"word{n}"] * (1 + (n * 7) % 40)) for n in range(21)]

    together = lane.embed_documents(texts)

    alone = np.vstack([lane.embed_documents([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_no_texts_give_no_rows(lane: TextLane) -> None:
    assert lane.embed_documents([]).shape == (0, 384)
    assert lane.embed_queries([]).shape == (0, 384)


@pytest.mark.parametrize(
    "text", ["", " \n", "x" * 10_000, "word " * 10_000, "\ud800", "\0", "日本語 🍞", "[SEP] [PAD]"]
)
def test_odd_texts_still_give_a_unit_vector(lane: TextLane, text: str) -> None:
    (vector,) = lane.embed_documents([text])

    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_text_is_read_up_to_256_tokens_and_no_further(lane: TextLane) -> None:
    short, long, longer = lane.embed_documents(["a " * 200, "a " * 254, "a " * 254 + "bread " * 90])

    np.testing.assert_allclose(long, longer, atol=1e-5)
    assert np.abs(short - long).max() > 1e-4


def test_loading_opens_no_socket_and_writes_nothing_to_the_screen() -> None:
    program = """
import socket
def refuse(*args, **kwargs):
    raise AssertionError("a socket was opened")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
from rag.embed import identity_of, load_embedder
from rag.settings import EmbedSettings
assert load_embedder(EmbedSettings()).text.embed_queries(["bread"]).shape == (1, 384)
"""

    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parent.parent,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_other_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"not the weights")

    with pytest.raises(EmbedError, match="not the file this release of Folio was built for"):
        verify_weights(path)


def test_missing_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbedError, match="cannot be read"):
        verify_weights(tmp_path / "model.safetensors")


def test_a_model_folder_for_other_models_leaves_the_built_in_one_alone(tmp_path: Path) -> None:
    settings = EmbedSettings(model_dir=tmp_path)

    assert load_embedder(settings).identity == identity_of(EmbedSettings())


def test_its_vectors_cannot_be_cut() -> None:
    with pytest.raises(ConfigError, match="384 numbers and cannot be cut"):
        load_embedder(EmbedSettings(dims=128))
