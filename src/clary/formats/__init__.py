"""Formats of training data and of requests, read and written on both sides of the container's border.

Standard library only, for Python 3.8 and later.
"""
