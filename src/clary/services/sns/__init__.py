"""SNS: topics, and what is published to them goes to queues and functions."""

from clary.services.sns import publishing, subscriptions, tags, topics

__all__ = ["publishing", "subscriptions", "tags", "topics"]
