"""What the pages of the gallery show of what a family pays itself."""

from types import SimpleNamespace as Thing

from browser.gallery_things import QUOTE, at

OWN_QUOTE = Thing(**{**vars(QUOTE), "own_cents": 3000, "pays_all": False})
TO_PAY = Thing(
    booking_id="b9",
    course_title="Zorgen voor een kind dat veel meemaakte (fictief)",
    starts_at=at(3, 1, 19),
    ends_at=at(3, 1, 21, 30),
    names=["Sanne (fictief)", "Joris (fictief)"],
    price_cents=27000,
    own_cents=3000,
    kept=True,
    keep_until=at(2, 1, 20, 45),
    state="open",
    refunded_cents=0,
    pay_url="https://betalen.example/cs_1",
    made_up=True,
)
TO_PAY_LINE = Thing(
    id="b9", course_title=TO_PAY.course_title, own_cents=TO_PAY.own_cents, answer_until=TO_PAY.keep_until
)
