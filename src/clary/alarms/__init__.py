"""Alarms: what they watch, when they change their state and why, what they remember of it. Most of it is pure."""
