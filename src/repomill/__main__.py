"""`python -m repomill` is the command."""

from repomill.cli import main

if __name__ == "__main__":
    main()
