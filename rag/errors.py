"""Everything Folio refuses or fails at, as one tree. `str(error)` is fit for the user.

RagError
├── ConfigError                a setting or argument is wrong
│   └── IndexMismatchError     the index was made by another embedder
├── DocumentError              one file cannot be taken in
│   ├── UnsupportedFileError
│   ├── EncryptedFileError
│   ├── CorruptFileError
│   ├── EmptyFileError         nothing to read in it
│   └── FileTooLargeError
├── EmbedError                 a model cannot be loaded or run
│   ├── EmbedUnavailableError  the hosted model does not answer, or is too busy
│   └── HubError               the model hub does not answer or refuses
│       └── PullCancelledError somebody stopped a fetch
├── StoreError                 library or index
│   ├── LibraryInUseError      another process owns the data folder
│   ├── DiskReserveError       too little disk is left to write safely
│   ├── StoreUnavailableError  the Qdrant server does not answer
│   └── NotFoundError          no such document, item or file
└── LlmError                   the language model failed; `kind` says how
"""

from __future__ import annotations


class RagError(Exception):
    """Root of the tree. `retryable` says whether trying again can help; `kind` is for machines."""

    kind = "error"
    retryable = False


class ConfigError(RagError):
    """A setting or argument is wrong; nothing was done."""

    kind = "settings"


class IndexMismatchError(ConfigError):
    """The index holds vectors of another embedder than the one that is set."""

    kind = "index_mismatch"


class DocumentError(RagError):
    """One file cannot be taken in; the others go on."""

    kind = "document"

    def __init__(self, message: str = "", *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


class UnsupportedFileError(DocumentError):
    """Not a type that Folio reads, judged by its content."""

    kind = "unsupported"


class EncryptedFileError(DocumentError):
    """A password is needed."""

    kind = "encrypted"


class CorruptFileError(DocumentError):
    """The file is damaged beyond reading."""

    kind = "corrupt"


class EmptyFileError(DocumentError):
    """The file holds nothing to index."""

    kind = "empty"


class FileTooLargeError(DocumentError):
    """A limit (bytes, pages, time, memory) was passed; the message names it."""

    kind = "too_large"


class EmbedError(RagError):
    """A model cannot be loaded, or gave vectors that fail the self-check."""

    kind = "embed"


class EmbedUnavailableError(EmbedError):
    """The hosted model does not answer, or is too busy."""

    kind = "embed_unavailable"
    retryable = True


class HubError(EmbedError):
    """The model hub does not answer, refuses, or sent something else than it states."""

    kind = "hub"

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable


class PullCancelledError(HubError):
    """Somebody stopped a fetch; what had arrived is kept."""

    kind = "cancelled"


class StoreError(RagError):
    """Library or index cannot be read or written."""

    kind = "store"


class LibraryInUseError(StoreError):
    """Another process owns the data folder; the message names its address when it serves one."""

    kind = "in_use"


class DiskReserveError(StoreError):
    """Writing would eat into the disk reserve."""

    kind = "disk_reserve"
    retryable = True


class StoreUnavailableError(StoreError):
    """The Qdrant server does not answer."""

    kind = "store_unavailable"
    retryable = True


class NotFoundError(StoreError):
    """No such document, item or file."""

    kind = "not_found"


class LlmError(RagError):
    """The language model failed.

    Kinds: key, model, rate, quota, unreachable, server, timeout, too_long,
    no_images, cut_off, empty, policy, settings.
    """

    def __init__(self, kind: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.kind = kind
        self.retryable = retryable
