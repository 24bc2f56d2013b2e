"""Two ways to do the same work, in turns: CPU seconds, wall seconds and the ratio.

Nothing to run here. CPU seconds are what to trust on a machine that others use.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rag.embed.lanes import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One way, once."""

    cpu_s: float
    wall_s: float
    vectors: Array


def run(work: Callable[[], Array]) -> Run:
    """Process CPU seconds, threads included, and wall seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    vectors = work()
    return Run(cpu_s=time.process_time() - cpu, wall_s=time.perf_counter() - wall, vectors=vectors)


def compare(ways: Mapping[str, Callable[[], Array]], *, rounds: int, unit: str) -> dict[str, float]:
    """Print each way beside the first, in A B A B order, and return median CPU seconds."""
    runs: dict[str, list[Run]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, work in ways.items():
            runs[name].append(run(work))
    base = next(iter(runs))
    truth = runs[base][0].vectors
    cpu = {name: statistics.median(each.cpu_s for each in some) for name, some in runs.items()}
    wall = {name: statistics.median(each.wall_s for each in some) for name, some in runs.items()}
    for name, some in runs.items():
        same = float((some[0].vectors * truth).sum(axis=1).min())
        per_cpu, per_wall = len(truth) / cpu[name], len(truth) / wall[name]
        print(
            f"  {name:36} {per_cpu:7.2f} {unit} a CPU s  x{cpu[base] / cpu[name]:.2f}"
            f"  {per_wall:7.2f} a wall s  x{wall[base] / wall[name]:.2f}  least cosine {same:.7f}"
        )
    return cpu


def print_bound(cpu: Mapping[str, float], operations: int) -> None:
    """How fast it could be if nothing but matrix products without padding took time."""
    plain, *_, ours = cpu.values()
    speed = _matrix_speed()
    floor = operations / speed
    print(
        f"  matrix products alone, at {speed / 1e9:.0f} GFLOP/s: {floor:.1f} CPU s; plain "
        f"{plain:.1f}, Folio {ours:.1f}; no float32 way can pass x{plain / floor:.2f}"
    )


def _matrix_speed() -> float:
    """Floating point operations a second of one bare matrix product, at its best."""
    import torch

    states, weights = torch.randn(1024, 768), torch.randn(3072, 768)
    seconds = []
    for _ in range(8):
        started = time.process_time()
        torch.nn.functional.linear(states, weights)
        seconds.append(time.process_time() - started)
    return 2 * 1024 * 768 * 3072 / float(np.min(seconds))


def print_shares(work: Callable[[], object]) -> None:
    """Where the time goes: shares of the five costliest operations."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        work()
    rows = sorted(profiler.key_averages(), key=lambda row: -row.self_cpu_time_total)
    total = sum(row.self_cpu_time_total for row in rows)
    shares = (
        f"{row.key.removeprefix('aten::')} {row.self_cpu_time_total / total:.0%}"
        for row in rows[:5]
    )
    print("  time goes to:", ", ".join(shares))
