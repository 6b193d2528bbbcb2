"""AWS Organizations: further accounts beside the one that this Clary began with."""
