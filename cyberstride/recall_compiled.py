"""The loops of `recall.run` for numba; `novelty.step` says in readable form what they do.

What is compared with a thousand remembered patterns is laid out so that each pass over them is vector instructions: a signal's
blocks lie in one stretch that new ones are put behind, and each pattern's shape is kept from when it was new.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["absorb"]


@njit(error_model="numpy", cache=True, nogil=True)
def absorb(values: Any, elapsed: Any, phase: Any, state: Any, tuning: Any, news: Any) -> None:
    """Absorb `values` (rows, n), changing `state` in place and writing `news` (rows, n)."""
    rows, n = values.shape
    memory = state.extremes.shape[1]
    room = memory + rows // tuning.block + 2
    extremes, means, phases = np.empty(room), np.empty(room), np.empty(room)
    extreme_shapes, mean_shapes = np.zeros((tuning.window, room)), np.zeros((tuning.window, room))
    scratch = np.empty((3, memory))
    for lane in range(n):
        last, shaped = memory - 1, False
        extremes[:memory] = state.extremes[lane]
        means[:memory] = state.means[lane]
        phases[:memory] = state.phases[lane]
        ages = state.ages[lane]
        for row in range(rows):
            x = values[row, lane]
            lapse = 1.0 if np.isnan(elapsed[row]) else min(max(elapsed[row], 0.0), 1e9)
            for k in range(len(ages)):
                ages[k] += lapse
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
            if state.places[lane] < tuning.block:
                continue
            if state.block_size[lane] > 0:
                low, high = state.block_low[lane], state.block_high[lane]
                last += 1
                extremes[last] = high if high - mean > mean - low else low
                means[last] = state.block_sum[lane] / state.block_size[lane]
                phases[last] = np.float32(phase[row])
                filled = min(state.filled[lane] + 1, memory)
                state.filled[lane] = filled
                # The shapes of what was remembered before; from here on each new pattern brings its own.
                first = last if shaped else max(last - filled + tuning.window, tuning.window - 1)
                for end in range(first, last + 1):
                    _form(extremes, extreme_shapes, end)
                    _form(means, mean_shapes, end)
                shaped = True
                scale = state.scale[lane]
                due = state.seen[lane] >= tuning.first and scale > 0 and filled >= tuning.window + tuning.match
                new = 0.0
                if due:
                    alike = _likeness(extremes, extreme_shapes, phases, last, filled, scale, tuning, scratch)
                    alike += _likeness(means, mean_shapes, phases, last, filled, scale, tuning, scratch)
                    new = 1 - 0.5 * alike
                news[row, lane] = _told(state, lane, new, due, tuning)
            state.places[lane] = 0
            state.block_low[lane], state.block_high[lane] = np.inf, -np.inf
            state.block_sum[lane], state.block_size[lane] = 0.0, 0
        begin = last - memory + 1
        state.extremes[lane] = extremes[begin : last + 1]
        state.means[lane] = means[begin : last + 1]
        for k in range(memory):
            state.phases[lane, k] = phases[begin + k]


@njit(error_model="numpy", cache=True, nogil=True)
def _told(state: Any, lane: int, new: float, due: bool, tuning: Any) -> float:
    """The news of a block of that novelty, which is remembered."""
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
    for k in range(len(recent) - 1):
        recent[k], ages[k] = recent[k + 1], ages[k + 1]
    recent[-1], ages[-1] = score, 0.0
    return score / (score + tuning.even) if score > tuning.again * greatest else 0.0


@njit(error_model="numpy", cache=True, nogil=True)
def _form(blocks: Any, shapes: Any, end: int) -> None:
    """The pattern that ends there, scaled to 0..1; all 0 when it is flat."""
    count = len(shapes)
    start = end - count + 1
    low, high = blocks[start], blocks[start]
    for k in range(1, count):
        low, high = min(low, blocks[start + k]), max(high, blocks[start + k])
    flat = high - low <= 0
    span = 1.0 if flat else high - low
    for k in range(count):
        shapes[k, end] = 0.0 if flat else (blocks[start + k] - low) / span


@njit(error_model="numpy", cache=True, nogil=True)
def _likeness(
    blocks: Any, shapes: Any, phases: Any, last: int, filled: int, scale: float, tuning: Any, scratch: Any
) -> float:
    count = tuning.window
    # Pattern j of the many before the newest one ends at block `begin` + j.
    begin = last - filled + count
    many = last - begin
    height, shape, context = scratch[0, :many], scratch[1, :many], scratch[2, :many]
    height[:] = 0.0
    shape[:] = 0.0
    for k in range(count):
        new, form = blocks[last - count + 1 + k], shapes[k, last]
        old, forms = blocks[begin - count + 1 + k : last - count + 1 + k], shapes[k, begin:last]
        for j in range(many):
            height[j] += abs(old[j] - new)
            shape[j] += abs(forms[j] - form)
    ends, newest = blocks[begin:last], blocks[last]
    for j in range(many):
        close = 1 - abs(ends[j] - newest) / scale
        close = close if close > 0.0 else 0.0
        context[j] = close * close * close
    now, then = phases[last], phases[begin:last]
    if not np.isnan(now):
        for j in range(many):
            apart = abs(then[j] - now)
            other = 1 - apart
            apart = 2 * (apart if apart < other else other)
            factor = 1 - tuning.season * apart
            context[j] *= factor if factor == factor else 1.0
    form_share, height_share = tuning.shape_share, 1 - tuning.shape_share
    for j in range(many):
        far = height[j] / count / scale
        odd = shape[j] / count
        by_height = 1 - far
        by_height = by_height if by_height > 0.0 else 0.0
        by_both = 1 - form_share * odd - height_share * far
        by_both = by_both if by_both > 0.0 else 0.0
        height[j] = by_height * by_height * by_height * context[j]
        shape[j] = by_both * by_both * by_both * context[j]
    likeness: float = 0.5 * (_greatest(height, tuning.match) + _greatest(shape, tuning.match))
    return likeness


@njit(error_model="numpy", cache=True, nogil=True)
def _greatest(values: Any, match: int) -> float:
    """The `match`-th greatest of values that are 0 or more; 0 when there are fewer."""
    best = np.zeros(match)
    least = 0.0
    for j in range(len(values)):
        if values[j] > least:
            k = 0
            while k + 1 < match and values[j] > best[k + 1]:
                best[k] = best[k + 1]
                k += 1
            best[k] = values[j]
            least = best[0]
    return least
