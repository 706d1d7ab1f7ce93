"""Root-cause analyses: functions from a case to frames, for the notebooks; they judge nothing that incidents do not.

Every row names the place that it was read from (`item`, `pointer`).
"""
