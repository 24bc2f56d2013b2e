"""Whether a weights file holds exactly the tensors a model wants. Reads headers, loads nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.errors import EmbedError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

Shape = tuple[int, ...]


def refuse_other_tensors(
    folder: Path, wanted: Mapping[str, Shape], *, unused: tuple[str, ...] = ()
) -> None:
    """Compare model.safetensors with the names and shapes that config.json implies.

    Args:
        folder: Holds model.safetensors.
        wanted: Shape of each tensor that the model has.
        unused: How the names of tensors begin that may be there and are not read.

    Raises:
        EmbedError: Names the first tensor that is missing, not expected or of another
            shape; or the file is damaged.
    """
    found = {
        name: shape for name, shape in _read_shapes(folder).items() if not name.startswith(unused)
    }
    refuse_gaps(folder, missing=wanted.keys() - found, unexpected=found.keys() - wanted)
    for name, shape in sorted(wanted.items()):
        if found[name] != shape:
            message = (
                f"The tensor {name} in {folder} is {list(found[name])} and config.json makes it "
                f"{list(shape)}. Fetch both files again, of the same revision."
            )
            raise EmbedError(message)


def refuse_gaps(folder: Path, *, missing: Collection[str], unexpected: Collection[str]) -> None:
    """Refuse a checkpoint whose tensors are not exactly the ones wanted.

    Raises:
        EmbedError: Names the first tensor that is missing or not expected.
    """
    for names, fault in ((missing, "lacks the tensor"), (unexpected, "holds the unknown tensor")):
        if names:
            message = (
                f"model.safetensors in {folder} {fault} {min(names)}: it is damaged or belongs "
                "to another model. Fetch the files again."
            )
            raise EmbedError(message)


def _read_shapes(folder: Path) -> dict[str, Shape]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / "model.safetensors", framework="numpy") as file:
            names = file.keys()
            return {name: tuple(file.get_slice(name).get_shape()) for name in names}
    except (OSError, SafetensorError) as error:
        message = f"model.safetensors in {folder} is damaged ({error}). Fetch it again."
        raise EmbedError(message) from error
