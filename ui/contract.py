"""The JSON of the command line, key for key. Pure; names follow the contract, not the code."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ui.explaining import reason

if TYPE_CHECKING:
    from ingest.parts import ParsedPage, Part, Skipped
    from rag.embed.catalogue import ModelFacts
    from rag.types import (
        Answer,
        DeleteReceipt,
        Document,
        Explanation,
        Failure,
        Hit,
        LegScore,
        Region,
        Retrieval,
        Source,
        Stretch,
    )

Json = dict[str, Any]


def hit_json(hit: Hit) -> Json:
    """HIT."""
    item = hit.item
    first = item.regions[0] if item.regions else None
    return {
        "id": str(item.id),
        "rank": hit.rank,
        "kind": item.kind,
        "modality": hit.modality,
        "document": {"id": str(item.document_id), "name": hit.document_name},
        "page": first.page_number if first else None,
        "page_size": _rounded(hit.page_size) if first and hit.page_size else None,
        "bbox": _rounded(first.bbox) if first else None,
        "regions": [_region(region) for region in item.regions],
        "anchor": item.anchor if first is None else None,
        "heading": list(item.heading),
        "text": item.text,
        "caption": item.caption,
        "image": hit.image_path,
        "score": round(hit.height, 4),
        "why": hit.why,
        "also_in": [
            {"document": place.document_name, "page": place.page_number} for place in hit.also_in
        ],
        "legs": {name: _leg(leg) for name, leg in hit.legs.items()},
        # More than the contract asks for, where there is something to say:
        **({} if hit.look_alike_bits is None else {"look_alike_bits": hit.look_alike_bits}),
    }


def search_json(question: str, embedder: str, found: Retrieval) -> Json:
    """What `folio search` prints; `explanation` is more than the contract asks for."""
    said = found.explanation
    return {
        "query": question,
        "embedder": embedder,
        "hits": [hit_json(hit) for hit in found.hits],
        "timings_ms": dict(found.timings_ms),
        # More than the contract asks for, where there is something to say:
        **({"notes": list(found.notes)} if found.notes else {}),
        **({"explanation": explanation_json(said)} if said is not None else {}),
    }


def explanation_json(said: Explanation) -> Json:
    """All candidates by merged rank, the bars, and what each leg's sample looks like."""
    return {
        "bars": {group: _finite(height) for group, height in said.bars.items()},
        "reranker": said.reranker or None,
        "considered": [
            {
                **hit_json(one.hit),
                "rank": one.hit.rank or None,
                "group": one.group,
                "merged_rank": one.merged_rank,
                "plain_rank": one.plain_rank,
                "score": _finite(one.hit.height),
                "fate": one.fate,
                "reason": reason(one, said.bars),
            }
            for one in said.considered
        ],
        "samples": {
            leg: [round(cosine, 5) for cosine in cosines] for leg, cosines in said.samples.items()
        },
    }


def answer_json(answer: Answer) -> Json:
    """What `folio ask` prints."""
    return {
        "question": answer.question,
        "answer": answer.text,
        "mode": answer.mode,
        "model": answer.model,
        "abstained": answer.abstained,
        "finish": answer.finish,
        "error": failure_json(answer.error),
        "citations": [
            {**hit_json(c.hit), "marker": c.marker, "quote": c.quote} for c in answer.citations
        ],
        "sources": [_source(source) for source in answer.sources],
        "not_used": [hit_json(hit) for hit in answer.not_used],
        "unsupported": [
            {"sentence": u.sentence, "markers": list(u.markers), "reason": u.reason}
            for u in answer.unsupported
        ],
        "images_sent": answer.images_sent,
        "usage": dict(answer.usage),
        "timings_ms": dict(answer.timings_ms),
    }


def _source(source: Source) -> Json:
    """HIT with its marker; what stands around it is more than the contract asks for."""
    around = [_stretch(one) for one in source.around]
    found = {**hit_json(source.hit), "marker": source.marker}
    return {**found, "around": around} if around else found


def document_json(document: Document) -> Json:
    """One entry of `folio documents`."""
    return {
        "id": str(document.id),
        "name": document.name,
        "sha256": document.sha256,
        "status": document.state,
        "pages": document.page_count,
        "texts": document.text_count,
        "tables": document.table_count,
        "figures": document.figure_count,
        "figures_pending": document.figures_pending,
        "bytes": document.size_bytes,
        "added_at": document.added_at,
    }


def ingest_json(
    path: str, document: Document, *, is_known: bool, seconds: float, note: str = ""
) -> Json:
    """One line of `folio ingest` for a file that was admitted; a note is one more warning."""
    status = "failed" if document.state == "failed" else "unchanged" if is_known else "ready"
    return {
        "path": path,
        "name": document.name,
        "status": status,
        "document_id": str(document.id),
        "pages": document.page_count,
        "texts": document.text_count,
        "tables": document.table_count,
        "figures": document.figure_count,
        "warnings": [*document.warnings, *filter(None, [note])],
        "error": failure_json(document.error),
        "seconds": round(seconds, 2),
    }


def refused_json(path: str, name: str, failure: Failure, seconds: float) -> Json:
    """One line of `folio ingest` for a file that was refused at the gate."""
    return {
        "path": path,
        "name": name,
        "status": "failed",
        "document_id": None,
        "pages": None,
        "texts": 0,
        "tables": 0,
        "figures": 0,
        "warnings": [],
        "error": failure_json(failure),
        "seconds": round(seconds, 2),
    }


def receipt_json(receipt: DeleteReceipt) -> Json:
    """One entry of `folio delete`."""
    return {
        "id": str(receipt.id),
        "name": receipt.name,
        "points_left": receipt.points_left,
        "rows_left": receipt.rows_left,
        "files_left": receipt.files_left,
    }


def inspected_page_json(page: ParsedPage) -> Json:
    """One entry of `pages` of `folio inspect`."""
    size = None if page.size is None else _rounded(page.size)
    return {"page": page.page_number, "class": page.page_class, "size": size}


def inspected_part_json(part: Part, page_number: int | None, image: str | None) -> Json:
    """One entry of `parts` of `folio inspect`; a heading is a part of its own kind."""
    first = part.regions[0] if part.regions else None
    return {
        "kind": part.kind,
        "page": first.page_number if first else page_number,
        "bbox": _rounded(first.bbox) if first else None,
        "heading": list(part.heading),
        "text": part.text,
        "caption": part.caption,
        "number": part.number,
        "image": image,
        # More than the contract asks for:
        "regions": [_region(region) for region in part.regions],
        "anchor": part.anchor,
        "alt": part.alt,
        "mention": part.mention,
    }


def inspected_skip_json(skipped: Skipped) -> Json:
    """One entry of `skipped` of `folio inspect`."""
    bbox = None if skipped.bbox is None else _rounded(skipped.bbox)
    return {"page": skipped.page_number, "bbox": bbox, "reason": skipped.reason}


def model_json(facts: ModelFacts, *, is_cached: bool) -> Json:
    """One entry of `folio models`."""
    return {
        "name": facts.name,
        "id": facts.id,
        "revision": facts.revision,
        "licence": facts.licence,
        "commercial_use": facts.commercial_use,
        "dims": facts.dims,
        "text_cap": facts.text_cap,
        "image_input": facts.image_input,
        "lanes": list(facts.lanes),
        "joint": facts.joint,
        "cached": is_cached,
        "bytes": facts.size_bytes,
        # More than the contract asks for:
        "licence_url": facts.licence_url,
        "notice": facts.notice,
        "languages": facts.languages,
        "good_at": facts.good_at,
        "min_dims": facts.min_dims,
        "precisions": list(facts.precisions),
        "hosted": facts.is_remote,
    }


def failure_json(failure: Failure | None) -> Json | None:
    """Kind and sentence, or null."""
    return {"kind": failure.kind, "message": failure.message} if failure else None


def _stretch(stretch: Stretch) -> Json:
    regions = stretch.item.regions
    return {
        "id": str(stretch.item.id),
        "side": stretch.side,
        "page": regions[0].page_number if regions else None,
        "text": stretch.text,
    }


def _region(region: Region) -> Json:
    return {"page": region.page_number, "bbox": _rounded(region.bbox)}


def _leg(leg: LegScore) -> Json:
    return {
        "rank": leg.rank,
        "cosine": None if leg.cosine is None else round(leg.cosine, 5),
        "z": None if leg.z is None else round(leg.z, 4),
        "weight": None if leg.weight is None else round(leg.weight, 4),
    }


def _finite(number: float) -> float | None:
    # JSON has no infinity: the bar of a group without candidates.
    return round(number, 4) if math.isfinite(number) else None


def _rounded(numbers: tuple[float, ...]) -> list[float]:
    return [round(number, 2) for number in numbers]
