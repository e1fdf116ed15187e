"""An installation with a company and its people but no customers: what the browser tests begin with.

`DATA_DIR=... python -m tests.browser.company`. A process of its own: an application keeps facts of its process.
"""

import random
from datetime import date

from app import create_app
from app.demo import people
from app.demo.books import pay_in_capital
from app.demo.stage import Stage
from app.extensions import db
from app.lifecycle import initialise
from models.system import SystemState

# The day on which the bank pays out in the bank's own plan file.
TODAY = date(2026, 1, 15)


def main() -> None:
    """Make the company; the installation counts as a demo, so that its login page lists the accounts."""
    app = create_app()
    with app.app_context():
        initialise(app)
        session = db.session()
        session.rollback()
        session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
        director = Stage(session, random.Random(7), TODAY, TODAY)
        people.make_company(director)
        pay_in_capital(director)
        state = session.get_one(SystemState, 1)
        state.business_date, state.is_demo, state.demo_marker = TODAY, True, "browser"
        session.commit()


if __name__ == "__main__":
    main()
