"""Turns tables of facts about tasks, benchmarks and models into the files of `configs/`."""
