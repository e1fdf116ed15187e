"""The wing `ledger`: general ledger, month-end and statements."""
