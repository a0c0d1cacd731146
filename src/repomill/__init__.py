"""repomill turns fleets of Git repositories into documents for language models and search."""

__version__ = "0.1.0"
