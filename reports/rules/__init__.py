"""The rule language (X13): conditions in the words of the screens, for one record in Python and for many in SQL."""
