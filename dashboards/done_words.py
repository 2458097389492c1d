"""The words that a form answers with when the room has done what was asked (see `words`)."""

from __future__ import annotations

DONE_WORDS: dict[str, str] = {
    "done.accept-agreement": "The agreement holds from now on.",
    "done.accept-sight": "They may look at these readings from now on; every look is shown at the plant.",
    "done.accept-orders": "From now on the plant accepts its orders as agreed here.",
    "done.refuse-agreement": "The proposal is refused; its other side sees your reason.",
    "done.cancel-stop": "The stop is taken back.",
    "done.open-motion": "The motion is open.",
    "done.speak": "It is said.",
    "done.cast-ballot": "Your ballot is cast and sealed.",
    "done.second-motion": "The motion is seconded.",
    "done.recuse-seat": "You have stepped back from this motion.",
    "done.confirm-order": "The order is confirmed.",
    "done.state-minority": "Your dissent is on record.",
    "done.review-motion": "It is on record.",
    "done.name-substitute": "It is on record who votes in your place.",
    "done.amend-motion": "The amendment is proposed.",
    "done.answer-amendment": "Your answer to the amendment is on record.",
    "done.withdraw-motion": "The motion is withdrawn.",
    "done.acknowledge-alarm": "The room knows that you have seen it. The clock runs on.",
    "done.call-early": "The next level has been called.",
    "done.refuse-order": "The order is refused; the council sees your reason.",
    "done.plan-stop": "The stop is planned.",
    "done.shelve-alarm": "The alarm is on the shelf. Its clock runs on.",
    "done.unshelve-alarm": "The alarm is off the shelf.",
    "done.hold-orders": "Done. If a seat asked, a second seat makes it so.",
    "done.release-orders": "Done. If a seat asked, a second seat makes it so.",
    "done.revoke-order": "The order is revoked.",
}
