"""The loops of `recall.run` for numba; `novelty.step` says in readable form what they do."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["absorb"]


@njit(error_model="numpy", cache=True, nogil=True)
def absorb(values: Any, elapsed: Any, phase: Any, state: Any, tuning: Any, news: Any) -> None:
    """Absorb `values` (rows, n), changing `state` in place and writing `news` (rows, n)."""
    rows, n = values.shape
    for lane in range(n):
        for row in range(rows):
            x = values[row, lane]
            lapse = 1.0 if np.isnan(elapsed[row]) else min(max(elapsed[row], 0.0), 1e9)
            for k in range(state.ages.shape[1]):
                state.ages[lane, k] += lapse
            mean = state.mean[lane]
            if np.isfinite(x):
                x = min(max(x, -1e150), 1e150)
                if state.seen[lane] == 0:
                    mean = x
                state.seen[lane] += 1
                state.low[lane] = min(state.low[lane], x)
                state.high[lane] = max(state.high[lane], x)
                state.mean[lane] = mean + tuning.mean_weight * (x - mean)
                state.block_low[lane] = min(state.block_low[lane], x)
                state.block_high[lane] = max(state.block_high[lane], x)
                state.block_sum[lane] += x
                state.block_size[lane] += 1
            if state.seen[lane] > 0:
                width = state.high[lane] - state.low[lane]
                if state.seen[lane] <= tuning.settled:
                    state.scale[lane] = tuning.headroom * width
                else:
                    state.scale[lane] = max(state.scale[lane], width)
            state.places[lane] += 1
            if state.places[lane] >= tuning.block:
                if state.block_size[lane] > 0:
                    news[row, lane] = _close(state, lane, mean, phase[row], tuning)
                state.places[lane] = 0
                state.block_low[lane], state.block_high[lane] = np.inf, -np.inf
                state.block_sum[lane], state.block_size[lane] = 0.0, 0


@njit(error_model="numpy", cache=True, nogil=True)
def _close(state: Any, lane: int, mean: float, phase: float, tuning: Any) -> float:
    low, high = state.block_low[lane], state.block_high[lane]
    extremes, means, phases = state.extremes[lane], state.means[lane], state.phases[lane]
    extremes[:-1] = extremes[1:]
    means[:-1] = means[1:]
    phases[:-1] = phases[1:]
    extremes[-1] = high if high - mean > mean - low else low
    means[-1] = state.block_sum[lane] / state.block_size[lane]
    phases[-1] = np.float32(phase)
    state.filled[lane] = min(state.filled[lane] + 1, tuning.memory)
    filled, scale = state.filled[lane], state.scale[lane]
    due = state.seen[lane] >= tuning.first and scale > 0 and filled >= tuning.window + tuning.match
    new = 0.0
    if due:
        alike = _likeness(extremes, phases, filled, scale, tuning) + _likeness(means, phases, filled, scale, tuning)
        new = 1 - 0.5 * alike
    score = new / (tuning.floor + np.sqrt(state.power[lane]))
    if due:
        state.judged[lane] += 1
        count = min(max(state.judged[lane], 1), tuning.yardstick)
        state.power[lane] += (new * new - state.power[lane]) / count
    recent, ages = state.recent[lane], state.ages[lane]
    greatest = 0.0
    for k in range(len(recent)):
        if ages[k] <= tuning.rest and recent[k] > greatest:
            greatest = recent[k]
    recent[:-1] = recent[1:]
    ages[:-1] = ages[1:]
    recent[-1], ages[-1] = score, 0.0
    return score / (score + tuning.even) if score > tuning.again * greatest else 0.0


@njit(error_model="numpy", cache=True, nogil=True)
def _likeness(blocks: Any, phases: Any, filled: int, scale: float, tuning: Any) -> float:
    count, last = tuning.window, len(blocks) - 1
    best_height, best_both = np.zeros(tuning.match), np.zeros(tuning.match)
    first_now = last - count + 1
    low, high = blocks[first_now], blocks[first_now]
    for k in range(1, count):
        low, high = min(low, blocks[first_now + k]), max(high, blocks[first_now + k])
    flat, span = high - low <= 0, high - low if high - low > 0 else 1.0
    for end in range(len(blocks) - filled + count - 1, last):
        close = max(1 - abs(blocks[end] - blocks[last]) / scale, 0.0)
        context = close * close * close
        apart = abs(np.float64(phases[end]) - np.float64(phases[last]))
        apart = 2 * min(apart, 1 - apart)
        if not np.isnan(apart):
            context = context * (1 - tuning.season * apart)
        # No likeness can be greater than its context.
        if context <= best_height[0] and context <= best_both[0]:
            continue
        start = end - count + 1
        past_low, past_high = blocks[start], blocks[start]
        for k in range(1, count):
            past_low, past_high = min(past_low, blocks[start + k]), max(past_high, blocks[start + k])
        past_flat = past_high - past_low <= 0
        past_span = past_high - past_low if not past_flat else 1.0
        height, shape = 0.0, 0.0
        for k in range(count):
            old, new = blocks[start + k], blocks[first_now + k]
            height += abs(old - new)
            shape += abs((0.0 if past_flat else (old - past_low) / past_span) - (0.0 if flat else (new - low) / span))
        height, shape = height / count / scale, shape / count
        by_height = max(1 - height, 0.0)
        by_both = max(1 - tuning.shape_share * shape - (1 - tuning.shape_share) * height, 0.0)
        _keep(best_height, by_height * by_height * by_height * context)
        _keep(best_both, by_both * by_both * by_both * context)
    likeness: float = 0.5 * (best_height[0] + best_both[0])
    return likeness


@njit(error_model="numpy", cache=True, nogil=True)
def _keep(best: Any, value: float) -> None:
    """Put `value` among the greatest so far, the least of them first."""
    if value <= best[0]:
        return
    best[0] = value
    k = 0
    while k + 1 < len(best) and best[k] > best[k + 1]:
        best[k], best[k + 1] = best[k + 1], best[k]
        k += 1
