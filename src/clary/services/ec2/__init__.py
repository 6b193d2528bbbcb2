"""What EC2 says of regions, instance types and an account's network."""
