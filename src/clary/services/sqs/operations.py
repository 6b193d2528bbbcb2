"""Importing this registers the operations."""

from __future__ import annotations

from clary.services.sqs import handled, queue_attributes, queues, receiving, sending, tags

__all__ = ["handled", "queue_attributes", "queues", "receiving", "sending", "tags"]
