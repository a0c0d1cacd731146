"""Everything that touches git: fetching a repository and reading a commit."""
