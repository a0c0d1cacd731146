"""From a commit's entries to the text of its digest."""
