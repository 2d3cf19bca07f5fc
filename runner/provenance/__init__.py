"""Who vouches for a record: statements about its files, signed by ssh-keygen and checked without a network."""
