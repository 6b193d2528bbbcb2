"""Work on many log events, done by short-lived children: queries and exports."""
