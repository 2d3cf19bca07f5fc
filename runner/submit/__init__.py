"""Results for others' repositories: checked, laid out, summed up for a reviewer; and checked again when they arrive."""
