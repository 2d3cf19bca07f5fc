"""A file a verb: `arguments(parser)`, what it takes, and `handle(options)`, what it does. Nothing heavy at the top."""
