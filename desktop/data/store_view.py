"""The SQL view `bar`: every bar bit for bit, for whoever opens the file with any SQLite tool.

SQLite has no function that reads a number out of a blob, so the view takes the hexadecimal digits apart. It is slow
(some thousand bars a second) and meant for people; the application reads the blobs themselves.
"""

from __future__ import annotations

from typing import Final

from desktop.data.bar_codec import FLOATS, SCALES
from desktop.domain.bars import VALUE_COLUMNS

CHUNK_BARS: Final = 65_536

# Inner selects end in this: without it SQLite merges them and computes the same digits again and again.
_KEEP_APART: Final = "LIMIT -1 OFFSET 0"
_TWO_TO_32: Final = "4294967296.0"
_HIDDEN_BIT: Final = 1 << 52  # of a float's digits


def bar_view_sql() -> str:
    """`CREATE VIEW bar` over bar_tail and bar_chunk; a chunk's codec is named with the scale of each column."""
    names = ("start_ms", *VALUE_COLUMNS)
    scales = ", ".join(f"substr(c.scales, {at}, 1) AS {name}_scale" for at, name in enumerate(VALUE_COLUMNS, 1))
    digits = ", ".join(f"{_digits(name, VALUE_COLUMNS[:at])} AS {name}" for at, name in enumerate(VALUE_COLUMNS))
    kept_scales = ", ".join(f"{name}_scale" for name in VALUE_COLUMNS)
    whole = ", ".join(f"{_integer(name)} AS {name}" for name in VALUE_COLUMNS)
    parts = ", ".join(
        f"{name} AS {name}_whole, {name} < 0 AS {name}_negative, "
        f"{name} & {_HIDDEN_BIT - 1} | CASE {name} >> 52 & 2047 WHEN 0 THEN 0 ELSE {_HIDDEN_BIT} END AS {name}_digits, "
        f"max({name} >> 52 & 2047, 1) - 1075 AS {name}_power"
        for name in VALUE_COLUMNS
    )
    values = ", ".join(f"{_value(name)} AS {name}" for name in VALUE_COLUMNS)
    tail = ", ".join(f"t.{name}" for name in names)
    series = "ticker, timeframe, adjusted, codec"
    start = f"CASE WHEN step_ms IS NULL THEN {_integer('start_ms')} ELSE first_ms + i * step_ms END AS start_ms"
    return f"""
CREATE VIEW bar AS
SELECT s.ticker, s.timeframe, s.adjusted, 'row' AS codec, {tail}
FROM series s JOIN bar_tail t ON t.series_id = s.id
UNION ALL
SELECT {series}, start_ms, {values} FROM (
SELECT {series}, start_ms, {kept_scales}, {parts} FROM (
SELECT {series}, {start}, {kept_scales}, {whole} FROM (
SELECT {series}, first_ms, step_ms, i, {kept_scales}, hex(substr(body, 8 * i + 1, 8)) AS start_ms, {digits} FROM (
WITH RECURSIVE position (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM position WHERE i < {CHUNK_BARS - 1})
SELECT s.ticker, s.timeframe, s.adjusted, c.codec || ' ' || c.scales AS codec, c.first_ms, c.step_ms, c.bar_count, p.i,
{scales}, c.body
FROM series s CROSS JOIN bar_chunk c ON c.series_id = s.id AND c.codec = 'packed'
CROSS JOIN position p ON p.i < c.bar_count
{_KEEP_APART}) {_KEEP_APART}) {_KEEP_APART}) {_KEEP_APART});
"""


def _digits(name: str, before: tuple[str, ...]) -> str:
    """The hexadecimal digits of a bar's value, behind the columns that come before in the body."""
    widths = " + ".join(["CASE WHEN step_ms IS NULL THEN 8 ELSE 0 END", *map(_width, before)])
    return f"hex(substr(body, bar_count * ({widths}) + {_width(name)} * i + 1, {_width(name)}))"


def _width(name: str) -> str:
    return f"CASE {name}_scale WHEN '{FLOATS}' THEN 8 ELSE 4 END"


def _integer(name: str) -> str:
    """The signed integer of 16 or 8 hexadecimal digits, lowest byte first; bit 63 carries into the sign by itself."""
    shifts = [shift for byte in range(8) for shift in (8 * byte + 4, 8 * byte)]
    nibbles = [f"({_nibble(name, at)} << {shift})" for at, shift in enumerate(shifts, 1)]
    low, high = " | ".join(nibbles[:8]), " | ".join(nibbles[8:])
    return f"CASE length({name}) WHEN 8 THEN (({low}) + 2147483648 & 4294967295) - 2147483648 ELSE {low} | {high} END"


def _nibble(name: str, at: int) -> str:
    return f"instr('123456789ABCDEF', substr({name}, {at}, 1))"


def _value(name: str) -> str:
    """What the number read stands for: a float's bits, or a count of small units; the division is exact to the bit."""
    units = " ".join(f"WHEN '{scale}' THEN {float(10**decimals)!r}" for decimals, scale in enumerate(SCALES))
    scaled = f"CAST({name}_whole AS REAL) / CASE {name}_scale {units} END"
    return f"CASE {name}_scale WHEN '{FLOATS}' THEN {_float(name)} ELSE {scaled} END"


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
