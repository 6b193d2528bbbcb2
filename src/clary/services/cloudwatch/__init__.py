"""CloudWatch: metrics."""

from clary.services.cloudwatch import data, listing, putting, statistics

__all__ = ["data", "listing", "putting", "statistics"]
