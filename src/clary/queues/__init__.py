"""Messages of queues: a database of their own, and what waits for one to come."""
