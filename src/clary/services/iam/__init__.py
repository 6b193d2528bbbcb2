"""AWS Identity and Access Management, one file per resource."""
