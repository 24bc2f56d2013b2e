"""A turn to JSON and back. Knows values, no disk.

What only ranking needs (the search text) is left out. Pictures are kept by their SHA-256;
where the file lies is asked again when the turn is read. A record of an older Folio may lack
fields, which then have their defaults.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from rag.turn import AskedPicture, Turn
from rag.types import (
    Answer,
    Citation,
    Failure,
    Hit,
    Item,
    LegScore,
    OtherPlace,
    PromptPart,
    Region,
    SentPicture,
    Source,
    Stretch,
    Unsupported,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    PicturePath = Callable[[str], str | None]

Json = dict[str, Any]


def write_turn(turn: Turn) -> str:
    """All of a turn but its question, text, number and rating, as JSON."""
    body: Json = {
        "sources": [_from_source(source) for source in turn.sources],
        "answer": _from_answer(turn.answer) if turn.answer else None,
        "stopped": turn.stopped,
        "failure": turn.failure,
        "still_read": list(turn.still_read),
        "picture": [turn.picture.name, turn.picture.sha256] if turn.picture else None,
        "documents": [str(document_id) for document_id in turn.documents],
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def read_turn(question: str, text: str, body: str, picture_path: PicturePath) -> Turn:
    """The turn again.

    Args:
        question: as asked.
        text: what was written.
        body: from `write_turn`; "" when nothing was found yet.
        picture_path: where a picture lies by its SHA-256, None when it is gone.
    """
    kept: Json = json.loads(body) if body else {}
    sources = tuple(_to_source(entry, picture_path) for entry in kept.get("sources", ()))
    answer = kept.get("answer")
    return Turn(
        question=question,
        text=text,
        sources=sources,
        answer=_to_answer(answer, question, text, sources, picture_path) if answer else None,
        stopped=kept.get("stopped", False),
        failure=kept.get("failure", ""),
        still_read=tuple(kept.get("still_read", ())),
        picture=_to_picture(kept.get("picture"), picture_path),
        documents=tuple(map(UUID, kept.get("documents", ()))),
    )


# -- to JSON -----------------------------------------------------------------------------


def _from_answer(answer: Answer) -> Json:
    shown = {source.marker: source.hit for source in answer.sources}
    return {
        "question": answer.question,
        "searched_for": answer.searched_for,
        "mode": answer.mode,
        "model": answer.model,
        "embedder": answer.embedder,
        "dollars": answer.dollars,
        "abstained": answer.abstained,
        "finish": answer.finish,
        "citations": [_from_citation(c, shown.get(c.marker)) for c in answer.citations],
        "sources": [_from_source(source) for source in answer.sources],
        "not_used": [_from_hit(hit) for hit in answer.not_used],
        "unsupported": [
            {"sentence": u.sentence, "markers": u.markers, "reason": u.reason, "doubt": u.doubt}
            for u in answer.unsupported
        ],
        "notes": answer.notes,
        "images_sent": answer.images_sent,
        "unseen_pictures": answer.unseen_pictures,
        "usage": dict(answer.usage),
        "timings_ms": dict(answer.timings_ms),
        "error": [answer.error.kind, answer.error.message] if answer.error else None,
        "prompt": [_from_part(part) for part in answer.prompt],
    }


def _from_citation(citation: Citation, source: Hit | None) -> Json:
    region = citation.region
    return {
        "marker": citation.marker,
        "quote": citation.quote,
        "region": _from_region(region) if region else None,
        "hit": None if citation.hit == source else _from_hit(citation.hit),
    }


def _from_source(source: Source) -> Json:
    return {
        "marker": source.marker,
        "hit": _from_hit(source.hit),
        "around": [
            {
                "item": _from_item(stretch.item),
                "side": stretch.side,
                "text": stretch.text,
                "page_size": stretch.page_size,
            }
            for stretch in source.around
        ],
    }


def _from_hit(hit: Hit) -> Json:
    return {
        "item": _from_item(hit.item),
        "document_name": hit.document_name,
        "rank": hit.rank,
        "height": hit.height,
        "why": hit.why,
        "modality": hit.modality,
        "page_size": hit.page_size,
        "bits": hit.look_alike_bits,
        "also_in": [[place.document_name, place.page_number] for place in hit.also_in],
        "legs": {name: [leg.rank, leg.cosine, leg.z, leg.weight] for name, leg in hit.legs.items()},
    }


def _from_item(item: Item) -> Json:
    return {
        "id": str(item.id),
        "document_id": str(item.document_id),
        "kind": item.kind,
        "order": item.order,
        "text": item.text,
        "regions": [_from_region(region) for region in item.regions],
        "heading": item.heading,
        "caption": item.caption,
        "number": item.number,
        "anchor": item.anchor,
        "image_sha256": item.image_sha256,
    }


def _from_region(region: Region) -> list[float]:
    return [region.page_number, *region.bbox]


def _from_part(part: PromptPart) -> Json:
    picture = part.picture
    return {
        "role": part.role,
        "text": part.text,
        "marker": part.marker,
        "picture": picture
        and [
            picture.sha256,
            picture.media_type,
            picture.width_px,
            picture.height_px,
            picture.size_bytes,
        ],
    }


# -- and back ----------------------------------------------------------------------------


def _to_picture(kept: list[str] | None, path: PicturePath) -> AskedPicture | None:
    return AskedPicture(name=kept[0], sha256=kept[1], path=path(kept[1])) if kept else None


def _to_answer(
    kept: Json, question: str, text: str, sources: tuple[Source, ...], path: PicturePath
) -> Answer:
    own = tuple(_to_source(entry, path) for entry in kept.get("sources", ())) or sources
    shown = {source.marker: source.hit for source in own}
    error = kept.get("error")
    return Answer(
        question=kept.get("question", question),
        searched_for=kept.get("searched_for", ""),
        text=text,
        mode=kept["mode"],
        model=kept.get("model"),
        embedder=kept.get("embedder", ""),
        dollars=kept.get("dollars"),
        abstained=kept.get("abstained", False),
        finish=kept.get("finish", "stop"),
        citations=tuple(_to_citation(c, shown, path) for c in kept.get("citations", ())),
        sources=own,
        not_used=tuple(_to_hit(hit, path) for hit in kept.get("not_used", ())),
        unsupported=tuple(
            Unsupported(
                sentence=u["sentence"],
                markers=tuple(u["markers"]),
                reason=u["reason"],
                doubt=u.get("doubt", "missing"),
            )
            for u in kept.get("unsupported", ())
        ),
        notes=tuple(kept.get("notes", ())),
        images_sent=kept.get("images_sent", 0),
        unseen_pictures=kept.get("unseen_pictures", 0),
        usage=kept.get("usage", {}),
        timings_ms=kept.get("timings_ms", {}),
        error=Failure(kind=error[0], message=error[1]) if error else None,
        prompt=tuple(_to_part(part) for part in kept.get("prompt", ())),
    )


def _to_citation(kept: Json, shown: Mapping[int, Hit], path: PicturePath) -> Citation:
    region = kept.get("region")
    hit = _to_hit(kept["hit"], path) if kept.get("hit") else shown[kept["marker"]]
    return Citation(
        marker=kept["marker"],
        hit=hit,
        quote=kept["quote"],
        region=_to_region(region) if region else None,
    )


def _to_source(kept: Json, path: PicturePath) -> Source:
    return Source(
        marker=kept["marker"],
        hit=_to_hit(kept["hit"], path),
        around=tuple(
            Stretch(
                item=_to_item(entry["item"]),
                side=entry["side"],
                text=entry["text"],
                page_size=_pair(entry.get("page_size")),
            )
            for entry in kept.get("around", ())
        ),
    )


def _to_hit(kept: Json, path: PicturePath) -> Hit:
    item = _to_item(kept["item"])
    return Hit(
        item=item,
        document_name=kept["document_name"],
        rank=kept["rank"],
        height=kept["height"],
        why=kept.get("why", "rank"),
        modality=kept.get("modality", "text"),
        page_size=_pair(kept.get("page_size")),
        image_path=path(item.image_sha256) if item.image_sha256 else None,
        look_alike_bits=kept.get("bits"),
        also_in=tuple(
            OtherPlace(document_name=name, page_number=page)
            for name, page in kept.get("also_in", ())
        ),
        legs={
            name: LegScore(rank=rank, cosine=cosine, z=z, weight=weight)
            for name, (rank, cosine, z, weight) in kept.get("legs", {}).items()
        },
    )


def _to_item(kept: Json) -> Item:
    return Item(
        id=UUID(kept["id"]),
        document_id=UUID(kept["document_id"]),
        kind=kept["kind"],
        order=kept["order"],
        text=kept["text"],
        search_text="",
        regions=tuple(_to_region(region) for region in kept["regions"]),
        heading=tuple(kept["heading"]),
        caption=kept["caption"],
        number=kept["number"],
        anchor=kept["anchor"],
        image_sha256=kept["image_sha256"],
    )


def _to_region(kept: list[float]) -> Region:
    page, x0, y0, x1, y1 = kept
    return Region(page_number=int(page), bbox=(x0, y0, x1, y1))


def _to_part(kept: Json) -> PromptPart:
    picture = kept.get("picture")
    sent = None
    if picture:
        sha256, media_type, width, height, size = picture
        sent = SentPicture(
            sha256=sha256, media_type=media_type, width_px=width, height_px=height, size_bytes=size
        )
    return PromptPart(role=kept["role"], text=kept["text"], marker=kept["marker"], picture=sent)


def _pair(kept: list[float] | None) -> tuple[float, float] | None:
    return (kept[0], kept[1]) if kept else None
