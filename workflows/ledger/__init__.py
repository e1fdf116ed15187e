"""The ledger engine: vouchers, posting rules, balances, periods."""
