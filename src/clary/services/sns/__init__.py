"""SNS: topics, and what is published to them goes to queues and functions."""

from clary.services.sns import permissions, publishing, subscriptions, tags, topics

__all__ = ["permissions", "publishing", "subscriptions", "tags", "topics"]
