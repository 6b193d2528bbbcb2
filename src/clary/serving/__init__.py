"""The data plane: which replica answers, and the way there. No database, no other service."""
