"""Whether a record is what its identity claims: looked at stage by stage, and run again."""
