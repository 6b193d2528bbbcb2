"""Importing this registers the operations."""

from __future__ import annotations

from clary.services.applicationautoscaling import activities, policies, scheduled_actions, tags, targets

__all__ = ["activities", "policies", "scheduled_actions", "tags", "targets"]
