"""CloudWatch's own logic: a store of metrics, metric math, evaluation of alarms, EMF, a clock.

Nothing here knows the emulator; `local.patches.metrics` and `local.patches.alarms` join the two.
"""
