"""One file per stage of a guarantee project's life."""
