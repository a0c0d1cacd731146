"""Where calls run: they map a function over items and know nothing of repositories."""
