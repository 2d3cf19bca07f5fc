"""The leaderboard: a folder of static pages that anybody can open, and the same in a terminal."""
