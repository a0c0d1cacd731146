"""Where digests are kept: one Protocol, a module for each kind of store."""
