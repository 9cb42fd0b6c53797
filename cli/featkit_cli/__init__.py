"""The featkit command line."""
