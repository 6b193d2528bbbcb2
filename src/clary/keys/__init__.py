"""Keys: their material, how it is kept, and what is calculated with it. Pure, but for the root key's file."""
