"""Searching logs: filter patterns, and the language of Logs Insights. Pure."""
