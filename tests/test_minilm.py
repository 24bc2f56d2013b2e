"""The built-in embedder, with its real weights: known vectors, relations, refusals."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

from rag.embed.lanes import TextLane
from rag.embed.load import identity_of, load_embedder
from rag.embed.minilm import load_encoder, minilm_folder, verify_weights
from rag.embed.packed import pack
from rag.embed.runtime import refuse_without_gain
from rag.embed.text_tower import Recipe, TextTower
from rag.embed.tokens import load_tokenizer
from rag.embed.turns import Turns
from rag.errors import ConfigError, EmbedError
from rag.settings import EmbedSettings
from tests.conftest import ROOT

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
from tests.conftest import ROOT
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


def corpus_chunks(shared: Path, count: int) -> list[str]:
    """Real chunks of the measuring corpus, in the order in which they arrive."""
    from ingest.child import parse_in_child
    from ingest.chunk import chunk_parts
    from ingest.detect import detect_media_type
    from ingest.parts import ParsedPage
    from rag.settings import IngestSettings

    texts: list[str] = []
    for path in sorted((shared / "corpus" / "html").glob("*.html")):
        media_type = detect_media_type(path.read_bytes(), path.name)
        events = parse_in_child(path, media_type, name=path.name, limits=IngestSettings())
        pages = (event for event in events if isinstance(event, ParsedPage))
        texts += [draft.search_text for draft in chunk_parts(pages, title=path.stem)]
        if len(texts) >= count:
            return texts[:count]
    raise AssertionError("the corpus has become smaller")


def lane_in(precision: Literal["fp32", "bf16"]) -> TextLane:
    """The lane without the check that it gains something on this computer."""
    cpu = torch.device("cpu")
    folder = minilm_folder()
    return TextTower(
        model=load_encoder(precision, device=cpu),
        tokenizer=load_tokenizer(folder / "tokenizer.json", cap=256),
        recipe=Recipe(
            dim=384,
            text_cap=256,
            query_prefix="",
            document_prefix="",
            has_layer_norm=False,
            max_batch_tokens=1024,
        ),
        turns=Turns(),
        batch_size=8,
        device=cpu,
    )


@pytest.mark.soak
def test_bf16_keeps_the_vectors_of_real_chunks(shared: Path) -> None:
    texts = corpus_chunks(shared, 80)

    cosines = (lane_in("fp32").embed_documents(texts) * lane_in("bf16").embed_documents(texts)).sum(
        1
    )

    assert cosines.min() > 0.999
    assert cosines.min() < 0.9999999  # it was computed in another precision


def test_states_are_those_of_the_class_in_transformers() -> None:
    from transformers.models.bert.modeling_bert import BertModel

    chance = np.random.default_rng(5)
    rows = [chance.integers(1000, 30_000, length).tolist() for length in (1, 9, 256, 512)]
    native = BertModel.from_pretrained(minilm_folder(), add_pooling_layer=False).eval()
    own = load_encoder("fp32", device=torch.device("cpu"))

    with torch.inference_mode():
        states = own(pack(rows), lambda: None)
        expected = [native(input_ids=torch.tensor([row])).last_hidden_state[0] for row in rows]

    np.testing.assert_allclose(states.numpy(), torch.cat(expected).numpy(), atol=1e-4)


def test_the_precision_is_part_of_the_identity() -> None:
    exact, reduced = (identity_of(EmbedSettings(precision=each)) for each in ("fp32", "bf16"))

    assert "|torch-fp32|" in exact
    assert "|torch-bf16|" in reduced


def test_int8_is_refused() -> None:
    with pytest.raises(ConfigError, match="minilm computes in fp32 or bf16, not in int8"):
        load_embedder(EmbedSettings(precision="int8"))


def test_a_precision_without_a_gain_is_refused_in_one_sentence() -> None:
    pause = threading.Event()

    with pytest.raises(ConfigError, match="gains nothing from bf16"):
        refuse_without_gain(exact=lambda: None, reduced=lambda: pause.wait(0.01))
    refuse_without_gain(exact=lambda: pause.wait(0.01), reduced=lambda: None)


def test_loading_it_imports_neither_transformers_nor_its_models() -> None:
    program = """
import sys
from rag.embed import load_embedder
from rag.settings import EmbedSettings
from tests.conftest import ROOT
load_embedder(EmbedSettings())
assert "transformers" not in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parent.parent,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_loading_leaves_the_compiler_of_torch_alone() -> None:
    code = (
        "import sys; from rag.embed.load import load_embedder; from rag.settings import"
        " EmbedSettings; load_embedder(EmbedSettings(model='minilm'));"
        " sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
