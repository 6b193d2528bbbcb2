"""CloudWatch Logs: groups and streams are rows, events lie in files."""

from clary.services.logs import events, filtering, groups, metric_filters, streams, subscription_filters, tags

__all__ = ["events", "filtering", "groups", "metric_filters", "streams", "subscription_filters", "tags"]
