"""Embedders: lanes, families and the built-in tokenizer. torch and transformers only here."""
