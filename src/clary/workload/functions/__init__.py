"""Functions from outside: their code on the disk, what every edge is told of them, their execution environments."""
