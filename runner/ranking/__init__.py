"""Models beside one another on a benchmark: their scores as a matrix, families of tasks, and what they trained on."""
