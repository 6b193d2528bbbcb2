"""SQS: queues, and messages that are kept until whoever received them has deleted them."""

from clary.services.sqs import handled, queue_attributes, queues, receiving, sending, tags

__all__ = ["handled", "queue_attributes", "queues", "receiving", "sending", "tags"]
