"""What looks wrong with scores: rules over result files, and over all scores together."""
