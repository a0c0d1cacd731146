"""An offline fleet: a git host that can be told to misbehave, and repositories to serve."""
