"""API Gateway's HTTP APIs, one file per resource."""
