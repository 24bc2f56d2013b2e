"""The text half of Nomic Embed v1.5, on transformers' own NomicBert. Knows no vision.

Source: github.com/nomic-ai/contrastors at 613ddfd3 and the card of nomic-embed-text-v1.5.
Imports torch: import this module inside functions only.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from transformers.models.nomic_bert.configuration_nomic_bert import NomicBertConfig
from transformers.models.nomic_bert.modeling_nomic_bert import NomicBertModel

from rag.embed.catalogue import NOMIC
from rag.embed.runtime import load_pretrained
from rag.embed.tensors import refuse_other_tensors
from rag.embed.text_tower import Recipe, TextTower
from rag.embed.tokens import load_tokenizer
from rag.errors import EmbedError

if TYPE_CHECKING:
    from torch import nn

    from rag.embed.checkpoints import CheckpointFiles
    from rag.embed.tensors import Shape
    from rag.embed.turns import Turns

# The native class has no switch for these and would silently compute something else.
FIXED = {
    "activation_function": "swiglu",
    "causal": False,
    "mlp_fc1_bias": False,
    "mlp_fc2_bias": False,
    "parallel_block": False,
    "prenorm": False,
    "qkv_proj_bias": False,
    "rotary_emb_fraction": 1.0,
    "rotary_emb_interleaved": False,
    "rotary_scaling_factor": None,
    "use_rms_norm": False,
}
# 256 tokens, one chunk of usual length, take up to 1.8 s on one thread of a busy machine, and
# a batch of four saves nothing (facts/nomic.md, 6). So a batch is as small as it can be.
MAX_BATCH_TOKENS = 256


def load_nomic_text(
    files: CheckpointFiles, *, turns: Turns, batch_size: int, dim: int
) -> TextTower:
    """The text lane from its three files; `dim` may be shorter than the model's own.

    Raises:
        EmbedError: The config asks for what is not built, or the files are not whole.
    """
    tokenizer = load_tokenizer(files.folder / "tokenizer.json", cap=NOMIC.text_cap)
    model = load_encoder(files)
    if tokenizer.get_vocab_size() > model.config.vocab_size:  # type: ignore[union-attr,operator]
        message = f"tokenizer.json in {files.folder} belongs to another model. Fetch it again."
        raise EmbedError(message)
    recipe = Recipe(
        dim=dim,
        text_cap=NOMIC.text_cap,
        query_prefix=NOMIC.query_prefix,
        document_prefix=NOMIC.document_prefix,
        has_layer_norm=True,
        max_batch_tokens=MAX_BATCH_TOKENS,
    )
    return TextTower(
        model=model, tokenizer=tokenizer, recipe=recipe, turns=turns, batch_size=batch_size
    )


def load_encoder(files: CheckpointFiles) -> nn.Module:
    """The encoder alone: token ids to `last_hidden_state`.

    Raises:
        EmbedError: As for `load_nomic_text`.
    """
    config = to_native_config(files.config)
    if "hidden_size" not in files.config:
        refuse_other_tensors(files.folder, published_shapes(config))
    return load_pretrained(partial(NomicBertModel.from_pretrained, config=config), files.folder)


def to_native_config(published: dict[str, Any]) -> NomicBertConfig:
    """The published config keys in the names that transformers 5.24 reads.

    AutoConfig would ignore n_embd and the like without a word and use defaults.

    Raises:
        EmbedError: A key is missing, or asks for what the native class cannot do.
    """
    for key, value in FIXED.items():
        if published.get(key, value) != value:
            message = (
                f"config.json says {key}={published[key]!r}, which Folio does not compute. "
                "Use nomic-embed-text-v1.5 itself."
            )
            raise EmbedError(message)
    try:
        # A later upload may come in native names; then they are taken as they are.
        has_native_names = "hidden_size" in published
        return NomicBertConfig(**published) if has_native_names else _map_config(published)
    except KeyError as error:
        message = f"config.json lacks {error.args[0]}. Fetch the file again."
        raise EmbedError(message) from error
    except Exception as error:  # transformers checks types with exceptions of its own
        message = f"config.json is not usable ({error}). Fetch the file again."
        raise EmbedError(message) from error


def _map_config(published: dict[str, Any]) -> NomicBertConfig:
    rope = {"rope_type": "default", "rope_theta": float(published["rotary_emb_base"])}
    return NomicBertConfig(
        vocab_size=published["vocab_size"],
        type_vocab_size=published["type_vocab_size"],
        hidden_size=published["n_embd"],
        num_hidden_layers=published["n_layer"],
        num_attention_heads=published["n_head"],
        intermediate_size=int(published["n_inner"]),
        layer_norm_eps=published["layer_norm_epsilon"],
        max_position_embeddings=published["n_positions"],
        hidden_act="silu",
        # Published as 0.0; nothing is dropped in eval mode anyway.
        attention_probs_dropout_prob=published.get("attn_pdrop", 0.0),
        hidden_dropout_prob=published.get("resid_pdrop", 0.0),
        rope_parameters=rope,
    )


def published_shapes(config: NomicBertConfig) -> dict[str, Shape]:
    """Name and shape of every tensor in the published layout: 4 + 9 a layer.

    Compared before loading, because transformers would report a fault by its own names.
    """
    dim, inner = config.hidden_size, config.intermediate_size
    shapes: dict[str, Shape] = {
        "embeddings.word_embeddings.weight": (config.vocab_size, dim),
        "embeddings.token_type_embeddings.weight": (config.type_vocab_size, dim),
        "emb_ln.weight": (dim,),
        "emb_ln.bias": (dim,),
    }
    layer: dict[str, Shape] = {
        "attn.Wqkv.weight": (3 * dim, dim),
        "attn.out_proj.weight": (dim, dim),
        "mlp.fc11.weight": (inner, dim),
        "mlp.fc12.weight": (inner, dim),
        "mlp.fc2.weight": (dim, inner),
        **{f"norm{n}.{part}": (dim,) for n in (1, 2) for part in ("weight", "bias")},
    }
    for place in range(config.num_hidden_layers):
        shapes |= {f"encoder.layers.{place}.{name}": shape for name, shape in layer.items()}
    return shapes
