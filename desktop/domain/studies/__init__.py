"""Studies: averages, bands and oscillators computed from bars, and kept current while bars come in.

`registry` lists what there is, `study` is one as a person set it up, `series` holds its values along a chart.
"""
