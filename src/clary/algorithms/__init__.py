"""Built-in algorithms; they run inside containers, on the Pythons of their environments (3.8 and later)."""
