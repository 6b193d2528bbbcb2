"""Hyperparameter tuning as a pure calculation: what to try next, what to stop, when it is over, which job is best.

Nothing here reads a clock, a file or a database, and nothing remembers: each question is answered from the tuning's
request and the trials so far, so that a process which died at any line answers as the one before it would have.
"""
