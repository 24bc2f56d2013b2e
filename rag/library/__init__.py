"""The truth: documents, runs and items in SQLite. Vectors are derived from it."""

from __future__ import annotations

from rag.library.chats import Chat, ChatTable, Place
from rag.library.choices import ChoiceTable
from rag.library.coverage import CoverageTable, SeenItem
from rag.library.database import Database
from rag.library.documents import DocumentTable
from rag.library.hidden import HiddenTable
from rag.library.indexes import IndexRow, IndexTable
from rag.library.items import FoundItem, ItemTable, Labelled
from rag.library.pages import Block, Page, PageTable
from rag.library.pictures import PictureTable
from rag.library.replacements import Replacement, ReplacementTable
from rag.library.rereads import RereadTable

__all__ = [
    "Block",
    "Chat",
    "ChatTable",
    "CoverageTable",
    "Database",
    "DocumentTable",
    "FoundItem",
    "HiddenTable",
    "IndexRow",
    "IndexTable",
    "ItemTable",
    "Labelled",
    "Library",
    "Page",
    "PageTable",
    "PictureTable",
    "Place",
    "Replacement",
    "ReplacementTable",
    "RereadTable",
    "SeenItem",
]


class Library:
    """The tables of one data folder over one connection."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.documents = DocumentTable(database)
        self.items = ItemTable(database)
        self.pages = PageTable(database)
        self.indexes = IndexTable(database)
        self.choices = ChoiceTable(database)
        self.chats = ChatTable(database)
        self.pictures = PictureTable(database)
        self.hidden = HiddenTable(database)
        self.rereads = RereadTable(database)
        self.replacements = ReplacementTable(database)
        self.coverage = CoverageTable(database)

    def close(self) -> None:
        """Close the file."""
        self.database.close()
