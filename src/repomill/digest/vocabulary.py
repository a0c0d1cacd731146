"""Import this to have the vocabulary loaded once, for all workers that are forked afterwards."""

from repomill.digest import tokens

tokens.count("")
