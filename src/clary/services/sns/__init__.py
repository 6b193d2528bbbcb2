"""SNS: topics, and what is published to them goes to queues and functions."""
