"""What AWS's own algorithms have in common: hyperparameters by schema, channels, hosts, the log's lines, answers.

An algorithm is an `Algorithm` (`algorithm`): what it accepts, how it trains, how its model answers. `train` and `serve`
are the container's two programs, `python -m clary.algorithms.base.train MODULE:NAME`.
"""
