"""Region growing in plain Python, the textbook way (a heap and a set), to hold the compiled one against."""

from __future__ import annotations

import heapq
import math

import numpy as np

from geoplan.search.regions import Field, RegionRules, radius

STEP = 1 << 24
EDGES = ((0, 1), (1, 0), (0, -1), (-1, 0))
CORNERS = ((1, 1), (-1, -1), (1, -1), (-1, 1))


class Reference:
    """Grows regions of one field under one set of rules; figures are taken out of NumPy once."""

    def __init__(self, field: Field, rules: RegionRules) -> None:
        low, high = field.span
        self.rules, self.unit = rules, field.cell**2
        self.size = radius(field, rules)
        self.value: list[list[float]] = field.value.astype(np.float64).tolist()
        scaled = np.floor((field.value.astype(np.float64) - low) * (STEP / (high - low)) + 0.5)
        self.steps: list[list[int]] = np.where(np.isnan(scaled), -1, scaled).astype(np.int64).tolist()
        self.share: list[list[float]] | None = None if field.share is None else field.share.astype(np.float64).tolist()
        self.moves = EDGES if rules.neighbours == 4 else EDGES + CORNERS
        self.tradeoff = 0 if rules.shape == "free" else rules.tradeoff
        self.known: dict[tuple[int, int], int] = {}

    def distance(self, down: int, right: int) -> int:
        """Distance from the seed in radii, in steps; -1 beyond reach."""
        found = self.known.get((down, right))
        if found is None:
            away = (
                max(abs(down), abs(right)) if self.rules.shape == "square" else math.sqrt(down * down + right * right)
            )
            within = away / self.size <= self.rules.reach or away <= 1
            found = self.known[down, right] = math.floor(away / self.size * STEP + 0.5) if within else -1
        return found

    def grow(self, row: int, column: int) -> list[tuple[int, int]]:
        """Cells in the order taken, islands filled if asked; empty where the limits cannot be met."""
        unit, rules = self.unit, self.rules
        minimum, target, maximum = rules.minimum / unit - 1e-9, rules.target / unit - 1e-9, rules.maximum / unit + 1e-9
        rows, columns, steps, tradeoff = len(self.steps), len(self.steps[0]), self.steps, self.tradeoff
        heap, seen, taken, area = [(-math.inf, row, column)], {(row, column)}, [], 0.0
        while heap and area < target:
            _, y, x = heapq.heappop(heap)
            part = 1.0 if self.share is None else self.share[y][x]
            if area + part > maximum:
                continue
            taken.append((y, x))
            area += part
            for down, right in self.moves:
                r, c = y + down, x + right
                if 0 <= r < rows and 0 <= c < columns and (r, c) not in seen and steps[r][c] >= 0:
                    seen.add((r, c))
                    away = self.distance(r - row, c - column)
                    if away >= 0:
                        heapq.heappush(heap, (tradeoff * away - (100 - tradeoff) * steps[r][c], r, c))
        if rules.islands == "filled":
            taken = self.fill(taken, target, maximum)
            area = self.area(taken)
        return taken if minimum <= area <= maximum else []

    def area(self, cells: list[tuple[int, int]]) -> float:
        return float(len(cells)) if self.share is None else sum(self.share[y][x] for y, x in cells)

    def fill(self, taken: list[tuple[int, int]], target: float, maximum: float) -> list[tuple[int, int]]:
        """The shortest start of the growth that reaches the target with its islands filled, or the one before."""
        low, high = 1, len(taken)
        while low < high:
            middle = (low + high) // 2
            if self.area(self.with_islands(taken[:middle])) >= target:
                high = middle
            else:
                low = middle + 1
        found = self.with_islands(taken[:low])
        return self.with_islands(taken[: low - 1]) if self.area(found) > maximum and low > 1 else found

    def with_islands(self, cells: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """The cells, then the usable ones that they enclose, row by row."""
        held = set(cells)
        top, bottom = min(y for y, _ in cells) - 1, max(y for y, _ in cells) + 1
        left, right = min(x for _, x in cells) - 1, max(x for _, x in cells) + 1
        outside, stack = {(top, left)}, [(top, left)]
        while stack:
            y, x = stack.pop()
            for down, across in EDGES + CORNERS if self.rules.neighbours == 4 else EDGES:
                spot = y + down, x + across
                inside = top <= spot[0] <= bottom and left <= spot[1] <= right
                if inside and spot not in held and spot not in outside:
                    outside.add(spot)
                    stack.append(spot)
        filled, stack = set(), list(cells)
        while stack:
            y, x = stack.pop()
            for down, across in self.moves:
                at = y + down, x + across
                if at not in held and at not in outside and at not in filled and self.usable(*at):
                    filled.add(at)
                    stack.append(at)
        return cells + sorted(filled)

    def usable(self, row: int, column: int) -> bool:
        inside = 0 <= row < len(self.steps) and 0 <= column < len(self.steps[0])
        return inside and self.steps[row][column] >= 0

    def mean(self, row: int, column: int) -> float:
        """Mean suitability of the seed's region; NaN without one."""
        cells = self.grow(row, column)
        if not cells:
            return math.nan
        parts = [1.0 if self.share is None else self.share[y][x] for y, x in cells]
        return sum(self.value[y][x] * part for (y, x), part in zip(cells, parts, strict=True)) / sum(parts)
