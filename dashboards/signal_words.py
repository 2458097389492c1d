"""The words of the page of one signal."""

from __future__ import annotations

SIGNAL_WORDS: dict[str, str] = {
    "signal.span": "How much of the past",
    "signal.hours": "{hours} h",
    "signal.days": "{days} d",
    "signal.earlier": "Earlier",
    "signal.later": "Later",
    "signal.now": "Now",
    "signal.copy": "Copy the figure",
    "signal.link": "Copy a link to this moment",
    "signal.copied": "Copied: {text}",
    "signal.by_hand": "This browser does not let a page copy. Here it is, marked, to be copied by hand.",
    "signal.figure": "{title}, {unit}: {value} {uom} at {day} {at} UTC ({more})",
    "signal.expected": "expected {low} to {high}, nine times in ten",
    "signal.no_band": "no forecast of its own yet",
    "signal.rolled": "mean of {count} readings; least {low}, most {high}",
    "signal.each": "Each point tells {every} of readings: the line their mean, the band their least and most.",
    "signal.band": "The band is where nine readings in ten were expected, forecast before each came.",
    "signal.picture": "Course of {title}. Arrow keys move from reading to reading.",
    "signal.empty": "No readings in this time.",
    "signal.home": "The readings of this signal stay at the plant.",
    "signal.failed": "The room does not answer. It is asked again.",
    "signal.lost": "There is no such signal here",
    "signal.look": "Press / to look for it by a few letters of its name.",
    "signal.can": "can {capability} {uom}",
    "signal.could": "could {potentiality} {uom}",
    "signal.plan": "can {capability} · could {potentiality} {uom}",
    "signal.alarms": "Its alarms in this time",
    "signal.no_alarms": "None.",
    "signal.table": "The last readings shown, as a table",
}
