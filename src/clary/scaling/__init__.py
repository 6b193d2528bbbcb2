"""Application Auto Scaling without effects: what is scaled, by how much, when; and the rows that say so."""
