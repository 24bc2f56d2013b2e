"""Embedders: lanes, families and the built-in tokenizer. torch and transformers only here."""

from rag.embed.lanes import Array, Embedder, PictureLane, TextLane

__all__ = ["Array", "Embedder", "PictureLane", "TextLane"]
