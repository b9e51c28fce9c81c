"""The SQL view `bar`: every bar bit for bit, for whoever opens the file with any SQLite tool.

SQLite has no function that reads a float out of a blob, so the view takes the hexadecimal digits apart. It is slow
(some thousand bars a second) and meant for people; the application reads the blobs themselves.
"""

from __future__ import annotations

from typing import Final

from desktop.domain.bars import VALUE_COLUMNS

CHUNK_BARS: Final = 8192

# Inner selects end in this: without it SQLite merges them and computes the same digits again and again.
_KEEP_APART: Final = "LIMIT -1 OFFSET 0"
_TWO_TO_32: Final = "4294967296.0"
_HIDDEN_BIT: Final = 1 << 52  # of a float's digits


def bar_view_sql() -> str:
    """`CREATE VIEW bar` over bar_tail and bar_chunk."""
    names = ("start_ms", *VALUE_COLUMNS)
    digits = ", ".join(f"hex(substr(c.{name}, 8 * p.i + 1, 8)) AS {name}" for name in names)
    whole = ", ".join(f"{_integer(name)} AS {name}" for name in names)
    parts = ", ".join(
        f"{name} < 0 AS {name}_negative, "
        f"{name} & {_HIDDEN_BIT - 1} | CASE {name} >> 52 & 2047 WHEN 0 THEN 0 ELSE {_HIDDEN_BIT} END AS {name}_digits, "
        f"max({name} >> 52 & 2047, 1) - 1075 AS {name}_power"
        for name in VALUE_COLUMNS
    )
    values = ", ".join(f"{_float(name)} AS {name}" for name in VALUE_COLUMNS)
    tail = ", ".join(f"t.{name}" for name in names)
    return f"""
CREATE VIEW bar AS
SELECT s.ticker, s.timeframe, s.adjusted, 'row' AS codec, {tail}
FROM series s JOIN bar_tail t ON t.series_id = s.id
UNION ALL
SELECT ticker, timeframe, adjusted, codec, start_ms, {values} FROM (
SELECT ticker, timeframe, adjusted, codec, start_ms, {parts} FROM (
SELECT ticker, timeframe, adjusted, codec, {whole} FROM (
WITH RECURSIVE position (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM position WHERE i < {CHUNK_BARS - 1})
SELECT s.ticker, s.timeframe, s.adjusted, c.codec, {digits}
FROM series s CROSS JOIN bar_chunk c ON c.series_id = s.id AND c.codec = 'raw'
CROSS JOIN position p ON p.i < c.bar_count
{_KEEP_APART}) {_KEEP_APART}) {_KEEP_APART});
"""


def _integer(name: str) -> str:
    """The 64-bit integer of 16 hexadecimal digits; the first one carries into the sign by itself."""
    nibbles = (f"instr('123456789ABCDEF', substr({name}, {at}, 1)) << {64 - 4 * at}" for at in range(1, 17))
    return " | ".join(f"({nibble})" for nibble in nibbles)


def _float(name: str) -> str:
    """Sign, digits and power of two as a number; each step is exact. Not-a-number is NULL."""
    digits, power = f"{name}_digits", f"{name}_power"
    scaled_up = f"{digits} * {_power_of_two(power)}"
    # 2^1074 is too large for a float: divide in two steps.
    scaled_down = (
        f"({digits} * 1.0 / {_power_of_two(f'(-{power} / 2)')}) / {_power_of_two(f'(-{power} - -{power} / 2)')}"
    )
    infinite = f"CASE WHEN {digits} = {_HIDDEN_BIT} THEN 9e999 END"
    size = f"CASE WHEN {power} = 972 THEN {infinite} WHEN {power} >= 0 THEN {scaled_up} ELSE {scaled_down} END"
    return f"(CASE {name}_negative WHEN 1 THEN -1.0 ELSE 1.0 END) * ({size})"


def _power_of_two(power: str) -> str:
    """2.0 to a whole power from 0 to 1023. Only literals that every SQLite reads exactly."""
    factors = []
    for bit in range(10):
        exponent = 1 << bit
        literal = f"{float(1 << exponent)}" if exponent < 32 else "*".join([_TWO_TO_32] * (exponent // 32))
        factors.append(f"CASE WHEN {power} & {1 << bit} THEN {literal} ELSE 1.0 END")
    return "(" + " * ".join(f"({factor})" for factor in factors) + ")"
