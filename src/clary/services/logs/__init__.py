"""CloudWatch Logs: groups and streams are rows, events lie in files."""

from clary.services.logs import events, filtering, groups, streams, tags

__all__ = ["events", "filtering", "groups", "streams", "tags"]
