"""Every word that a screen shows, by key, ready for translation: `say` fills in the facts; the browser gets them as JSON.

A key names its place (`wall.quiet`) or what it is a word for (`state.alarm`); facts stand in braces. Code holds no visible
word of its own, and tests check that every key that is asked for is here and that every key here is asked for.
"""

from __future__ import annotations

import json
from typing import Any

SURE: tuple[tuple[float, str], ...] = ((0.99, "certain"), (0.9, "very"), (0.66, "likely"), (0.33, "even"), (0.0, "unlikely"))
"""(least probability, key after `sure.`), after the calibrated language of the IPCC's uncertainty guidance."""

WORDS: dict[str, str] = {
    # what a state, a kind, a choice is called
    "state.calm": "calm",
    "state.suspected": "suspected",
    "state.alarm": "alarm",
    "state.called": "called",
    "state.silent": "silent",
    "state.stopped": "stopped",
    "state.unknown": "not yet known",
    "named.not_yet": "learning",
    "named.steady": "steady",
    "named.suspected": "suspected",
    "named.transient": "transient",
    "named.step": "step",
    "named.slope": "slope",
    "named.variance": "unsteady",
    "named.stuck": "stuck",
    "named.drift": "drift",
    "named.out_of_range": "out of range",
    "kind.step": "step",
    "kind.slope": "slope",
    "kind.silence": "silence",
    "kind.transient": "transient",
    "kind.variance": "unsteady",
    "kind.stuck": "stuck",
    "kind.drift": "drift",
    "kind.out_of_range": "out of range",
    "alarm.unacknowledged": "nobody has answered",
    "alarm.acknowledged": "answered",
    "alarm.returned": "back to normal, not answered",
    "alarm.shelved": "shelved",
    "alarm.suppressed": "planned stop",
    "alarm.closed": "closed",
    "choice.yes": "yes",
    "choice.no": "no",
    "choice.abstain": "abstains",
    "choice.recuse": "recused",
    "choice.sealed": "has voted",
    "choice.waiting": "not yet",
    "seat.present": "seated",
    "seat.away": "away",
    "motion.open": "open",
    "motion.carried": "Carried",
    "motion.lost": "Lost",
    "motion.expired": "Expired",
    "motion.withdrawn": "Withdrawn",
    "order.held": "held back",
    "order.issued": "sent, no answer yet",
    "order.accepted": "accepted",
    "order.refused": "refused",
    "order.done": "done",
    "order.revoked": "revoked",
    "order.expired": "expired",
    "sure.certain": "almost certain",
    "sure.very": "very likely",
    "sure.likely": "likely",
    "sure.even": "as likely as not",
    "sure.unlikely": "unlikely",
    "span.days": "{days} d {hours} h",
    # the wall
    "hive.label": "System in focus",
    "hive.unit": "{title}: {state}, performance {performance} %. Enter.",
    "feed.label": "Datafeed",
    "feed.page": "{page} of {pages}",
    "feed.hold": "Hold",
    "feed.release": "Release",
    "feed.plan": "can {capability} · could {potentiality}",
    "feed.over": "above its capability of {capability}",
    "feed.no_plan": "no agreement yet",
    "feed.verdict": "{named}, {sure} · {percent} %",
    "wall.exceptions": "Exceptions",
    "wall.open": "{count} open",
    "wall.more": "and {count} more: {what}",
    "wall.quiet": "All quiet",
    "wall.absorbed": "readings absorbed, none needs you",
    "wall.watched": "{signals} signals of {plants} plants are watched.",
    "wall.last": "Last exception: {title}, closed at {at}.",
    "wall.never": "No exception since the room was opened.",
    "wall.suspect": "{unit}, {signal}: a change is suspected, {sure} ({percent} %)",
    "wall.spoken": "Open exceptions: {what}",
    "wall.kind": "{kind} · {state}",
    "wall.kind_size": "{kind} of {size} {uom} · {state}",
    "wall.percent": "{percent} %",
    "wall.owner": "owner {owner}",
    "wall.owner_seen": "owner {owner}, answered by {by}",
    "wall.council_here": "council",
    "wall.until_climb": "until it climbs",
    "wall.until_council": "for the council",
    "wall.until_unshelved": "on the shelf",
    "wall.since_opened": "since it opened",
    "wall.council": "Council",
    "wall.held": "All orders are held",
    "wall.no_motion": "No motion",
    "wall.present": "{present} of 7 seats are taken.",
    "wall.motion_order": "{order}, {plant}",
    "wall.until_vote": "to decide · {voted} of 7 voted",
    "wall.order_state": "{order}, {plant}: {state}",
    "wall.effect": "from {before} to {after}; without the order {without}",
    "wall.tally": "{yes} yes · {no} no · {abstain} abstained · {recused} recused",
    "wall.seat": "seat {seat} {said}",
    "wall.ticker": "Telex ticker",
    "wall.no_telex": "No telex has come yet.",
    "wall.speed": "{speed} times faster",
    "wall.down": "The line to the room is down. What you see is {age} old.",
    "wall.connected": "line up",
    "wall.cut": "line down",
    "wall.oldest": "oldest reading",
    "wall.alarms": "open alarms",
    "wall.links": "links",
    "wall.plants": "plants",
    "wall.silent": "silent",
    "wall.telexes": "telexes",
    "wall.refused": "refused",
    "wall.performance": "performance",
    "wall.productivity": "productivity",
    "wall.latency": "latency",
}


def say(key: str, **facts: Any) -> str:
    """Tell the words of `key` with its facts filled in; a key that is not there is a `KeyError`.

    >>> say("wall.open", count=2)
    '2 open'
    """
    return WORDS[key].format_map(facts)


def sure(probability: float) -> str:
    """Tell a probability (0..1) in words.

    >>> sure(0.97), sure(0.5)
    ('very likely', 'as likely as not')
    """
    return say("sure." + next(key for least, key in SURE if probability >= least))


def for_browser() -> str:
    """Tell all words as JSON for the screen's assets, with the scale of `sure` as the word `sure.scale`."""
    return json.dumps({**WORDS, "sure.scale": json.dumps(SURE)}, ensure_ascii=False)
