"""Clary and moto's server, asked the same in one run."""
