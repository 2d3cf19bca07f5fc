"""Scores that others measured: read in every layout that lies about, kept apart from one's own, and looked up."""
