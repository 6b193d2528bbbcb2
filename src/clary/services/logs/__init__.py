"""CloudWatch Logs: groups and streams are rows, events lie in files."""
