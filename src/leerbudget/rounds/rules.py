"""States of a round and of a proposal."""

ROUND_STATES = ("open", "frozen", "solved", "audited", "rejected", "published", "answered")
PROPOSAL_STATES = ("proposed", "offered", "refused", "accepted", "declined", "expired")
