"""The collector rests before the first import, as in run.py; `pytest_collection_finish` wakes it."""

import gc

gc.disable()
