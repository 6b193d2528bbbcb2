"""What runs in the servers' own environments."""
