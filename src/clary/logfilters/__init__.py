"""Metric filters and subscription filters of log groups: what they make of events."""
