"""How real drummers time their notes: figures, not data.

Made by `python -m bench.drummers --groove DIR` from 343 minutes by five drummers of the Groove MIDI Dataset (Jon
Gillick, Adam Roberts, Jesse Engel, Douglas Eck, David Bamman: Learning to Groove with Inverse Sequence
Transformations, 2019; CC BY 4.0). What each figure is, and how it is told from the others, stands at the head of that
program.
"""

from __future__ import annotations

from typing import Final

# Milliseconds, but for memory (of the drift, from one sixteenth to the next), swing (how much later every second step
# is, as a share of a step), velocity and density.
FIGURES: Final = (
    "spread_ms", "template_ms", "limb_ms", "step_ms", "drift_ms", "memory", "chord_ms", "swing", "lag_ms",
    "velocity_sd", "notes_per_s",
)  # fmt: skip
DRUMMERS: Final = (
    (21, 8.26, 11.5, 1.66, 11.7, 0.927, 18.7, 0.00377, -17.3, 27.6, 9.51),  # drummer1, 152 minutes
    (23, 10.5, 10.7, 6.26, 15.1, 0.968, 19.1, 0.0468, 26.2, 29, 9.07),  # drummer2, 46 minutes
    (19.4, 4.57, 8.26, 5.63, 13.4, 0.913, 7.96, 0.00194, 6.25, 27, 5.98),  # drummer3, 5 minutes
    (26.7, 12.4, 19.3, 4.26, 9.75, 0.923, 33.5, 0.0512, -14.7, 31.2, 11.8),  # drummer5, 118 minutes
    (34.2, 10.8, 22.5, 0, 19.3, 0.952, 33.6, -0.0221, -13.3, 31.5, 7.24),  # drummer6, 22 minutes
)
