"""API Gateway's REST APIs, one file per resource."""
