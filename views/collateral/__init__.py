"""The wing `collateral`: what is pledged, its value and ranks, where its papers lie and who watches it (7)."""
