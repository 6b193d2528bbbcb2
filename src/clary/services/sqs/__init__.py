"""SQS: queues, and messages that are kept until whoever received them has deleted them."""
