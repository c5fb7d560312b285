"""E-learning in place of a meeting, from the trainer's form to the family's choice and back."""

import world
from entrypoints.web import visiting
from leerbudget.bookings import actions as bookings
from leerbudget.bookings.actions import BookingRequest
from leerbudget.foundation.database import execute, fetch_value
from leerbudget.foundation.ids import new_id

LINK = "https://leren.example/rust"


async def test_a_trainer_publishes_a_family_chooses_and_the_trainer_says_done(app, world_db):
    """What is wrong is asked again; the choice is one of the ways to catch up; the link is the family's; done is done."""
    member, trainer = await world.a_trainer()
    session = await world.a_session(trainer=member, price_cents=0, meetings=[world.in_days(d) for d in (10, 17)])
    await execute("UPDATE course_session SET state = 'confirmed' WHERE id = $1", session)
    family = await world.a_family()
    request = BookingRequest(new_id(), family, session, tuple(await world.parents_of(family)))
    await bookings.book(request, actor=None)
    page, own = f"/trainer/bijeenkomsten/{session}/elearning", f"/inschrijvingen/{request.id}/inhalen"
    missed = await fetch_value("SELECT id FROM meeting WHERE session = $1 AND number = 2", session)
    async with visiting.trainer(app, member, trainer) as teacher, visiting.parent(app, family) as parent:
        wrong = await teacher.submit(page, page, number="2", title="", link="http://leren.example", minutes="4")
        assert (wrong.status_code, wrong.text.count('-fout"><')) == (422, 3)
        answer = await teacher.submit(page, page, number="2", title="Rust vinden", link=LINK, minutes="60")
        assert (answer.status_code, answer.headers["location"]) == (303, f"{page}?melding=elearning")
        assert "Rust vinden" not in await parent.page(own)
        answer = await parent.submit(f"{own}?keer={missed}", own, meeting="elearning")
        assert (answer.status_code, answer.headers["location"]) == (303, f"{own}?melding=leert-zelf")
        assert LINK in await parent.page(own)
        assert "met e-learning" in await parent.page("/inschrijvingen")
        assert "Doet e-learning" in await teacher.page(f"/trainer/bijeenkomsten/{session}")
        assert (await teacher.submit(page, f"{page}/gedaan")).status_code == 303
        assert "U deed de e-learning" in await parent.page(own)
        assert "Deed e-learning" in await teacher.page(f"/trainer/bijeenkomsten/{session}")
