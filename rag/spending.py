"""What language models used, day by day: calls, tokens, dollars. Knows a table, no prices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from rag.library import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one model used on one day, or all of them."""

    call_count: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    dollars: float = 0.0  # of the calls whose price is known
    unpriced_count: int = 0  # calls whose price is not known

    @property
    def token_count(self) -> int:
        """Tokens in and out."""
        return self.prompt_tokens + self.answer_tokens


class Spending:
    """The table `spending` of a library; days are those of this computer's clock."""

    def __init__(self, database: Database, today: Callable[[], date] = date.today) -> None:
        self._database = database
        self._today = today

    def add(
        self, model: str, *, prompt_tokens: int, answer_tokens: int, dollars: float | None
    ) -> None:
        """Count one call; `dollars` is None when its price is not known."""
        with self._database.change() as connection:
            connection.execute(
                "INSERT INTO spending VALUES (?, ?, 1, ?, ?, ?, ?)"
                " ON CONFLICT (day, model) DO UPDATE SET calls = calls + 1,"
                " prompt_tokens = prompt_tokens + excluded.prompt_tokens,"
                " answer_tokens = answer_tokens + excluded.answer_tokens,"
                " dollars = dollars + excluded.dollars,"
                " unpriced = unpriced + excluded.unpriced",
                (
                    self._today().isoformat(),
                    model,
                    prompt_tokens,
                    answer_tokens,
                    dollars or 0.0,
                    int(dollars is None),
                ),
            )

    def today(self) -> Spent:
        """All that was used today."""
        found = self._database.row(
            "SELECT total(calls), total(prompt_tokens), total(answer_tokens), total(dollars),"
            " total(unpriced) FROM spending WHERE day = ?",
            (self._today().isoformat(),),
        )
        calls, prompt, answer, dollars, unpriced = tuple(found) if found else (0, 0, 0, 0.0, 0)
        return Spent(
            call_count=int(calls),
            prompt_tokens=int(prompt),
            answer_tokens=int(answer),
            dollars=float(dollars),
            unpriced_count=int(unpriced),
        )
