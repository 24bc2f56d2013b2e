"""Embedders: lanes, families and the built-in tokenizer. torch and transformers only here."""

from rag.embed.lanes import Array, Embedder, PictureLane, TextLane
from rag.embed.load import identity_of, load_embedder

__all__ = ["Array", "Embedder", "PictureLane", "TextLane", "identity_of", "load_embedder"]
