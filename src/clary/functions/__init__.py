"""Lambda's data plane at the edge: which version answers, its execution environments, events that wait. No database."""
