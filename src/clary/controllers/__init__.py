"""What is wanted is made so: one loop, one pure `decide` per kind, and the few hands that act."""
