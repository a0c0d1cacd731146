"""What the ledger of a store knows, summed up."""

from repomill.status.reading import read
from repomill.status.report import Report

__all__ = ["Report", "read"]
