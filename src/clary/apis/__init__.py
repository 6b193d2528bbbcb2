"""API Gateway next to the socket: what was deployed, and how a request goes through it. No database."""
