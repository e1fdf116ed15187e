"""The product as `python run.py` serves it, on a business date that stays: day-end would catch up with the calendar.

`python -m tests.browser.serve`. It runs by the hour, so a slow walk would meet January and, an hour later, November.
"""

from app import jobs

jobs.JOBS = tuple(job for job in jobs.JOBS if job.name != "day_end")

if __name__ == "__main__":
    import run

    run.main(run.app, run._settings)
