"""Tables of dependencies as Parquet files. The only module that imports DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from repomill.errors import RepomillError

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = (
    *("repository", "url", "commit", "manifest", "ecosystem"),
    *("package", "purl", "name", "range", "resolved", "scope"),
)
_MEMORY = "128MiB"


def write(rows: Path, table: Path) -> None:
    """Write the *rows*, a JSON object a line and gzipped, to the file *table*, in their order.

    The same rows and version of DuckDB make the same bytes. Only the folder of *table* is touched;
    nothing else is read, nothing fetched. Raises RepomillError.
    """
    try:
        with duckdb.connect(":memory:", config=_settings(table.parent)) as database:
            database.execute("SET allowed_directories = [$1]", [str(table.parent)])
            database.execute("SET enable_external_access = false; SET lock_configuration = true")
            read = database.read_json(
                str(rows),
                columns=dict.fromkeys(COLUMNS, "VARCHAR"),
                format="newline_delimited",
                compression="gzip",
            )
            read.write_parquet(str(table), compression="zstd")
    except duckdb.Error as error:
        reason = str(error).partition("\n")[0]
        raise RepomillError(f"no Parquet file can be made ({reason}); is there room?") from error


def _settings(folder: Path) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "threads": 1,  # several would not keep the order without holding more in memory
        "preserve_insertion_order": True,
        "memory_limit": _MEMORY,
        "temp_directory": str(folder),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
