"""The commented example of a `room.toml`."""

from __future__ import annotations

TEMPLATE = """\
# The room's constitution. Times are written "90 s", "15 min", "2 h", "1 d", or as a number of seconds.
# `opsroom check room.toml` answers every mistake with its line and its cure.
# It seeds the room: agreements that were made in the room later stand in the journal, and the journal rules.

[room]
id = "example"                  # stands in every event and order; choose it once
title = "The example works"
unassigned = "total"            # where a plant hangs that speaks but stands nowhere in this file (the top if left out)
plant_level = "plant"           # the level of the plants (the last one if left out)
plant_clock = "15 min"          # the time of a plant that stands nowhere here, before its alarm climbs
operator = "Olga Ortiz"         # who occupies the account `operator`

# Levels from the top down. `clock` is the time that a unit of this level has for an alarm, before the alarm climbs.
[[level]]
name = "total"
clock = "4 h"

[[level]]
name = "enterprise"
clock = "1 h"

[[level]]
name = "plant"
clock = "15 min"

# Units: one without a parent, all others below it. A plant has the id with which it speaks.
[[unit]]
id = "total"
title = "The works"
level = "total"

[[unit]]
id = "textiles"
title = "Textile company"
level = "enterprise"
parent = "total"
occupant = "Tomás Tapia"        # who occupies the account `unit-textiles`

[[unit]]
id = "mill-1"
title = "Spinning mill 1"
level = "plant"
parent = "textiles"
occupant = "Marta Molina"

[[unit]]
id = "mill-2"
title = "Spinning mill 2"
level = "plant"
parent = "textiles"
clock = "30 min"                # another clock than its level's

# What a plant and the room have agreed about one signal, in the signal's unit; everything but `signal` may be left out.
[[agreement]]
signal = "mill-1/output"
capability = 420.0              # the best that it can do as things are
potentiality = 480.0            # the best that it could do if it were free of its bottlenecks
recovery = "20 min"             # the plant's own time before the next level hears of an alarm
normal = [380.0, 430.0]         # agreed interval of recovery (the interval frozen at the alarm's opening if left out)

# Who may look at a plant's readings until it says otherwise: "home" its own people alone, "room" the room too. What was opened
# the plant can close again, at its page; every look is noted there. Alarms and the triple vectors go up in any case.
[visibility]
readings = "room"

# The flowchart of a unit above the plants: its own series follows from its parts, and is judged like any signal.
[[chart]]
unit = "textiles"
measure = "kg/h"                # what the unit's own series is told in
title = "Cloth of the company"
period = "5 min"                # how often it is told
horizon = "8 h"                 # so long a stock must last at the rate at which it is counted on
rates_per = "1 h"               # "kg/h": the time in the parts' rates
patience = "15 min"             # a part that was not heard for so long is missing
missing = "unknown"             # what a missing part counts as: "unknown", "nothing", or "hold" (its last word)

[[part]]                        # a box: a plant's signal, or a unit with a chart of its own
chart = "textiles"
part = "mill-1/output"
worth = 0.0                     # of the measure in one unit of what leaves the chart here; 0 for what only feeds others

[[part]]
chart = "textiles"
part = "mill-2/output"

[[flow]]                        # a line: what one makes and another needs (between parts of no common chart it is in no sum)
from = "mill-1/output"
to = "mill-2/output"
product = "yarn"                # flows of one product add up, of several products the scarcest decides
per = 1.1                       # so much of `from` for one of `to`
share = 1.0                     # the most of what `from` makes that goes this way (a free split if left out)
stock = "mill-2/yarn-stock"     # what lies between them, in `from`'s unit without its "per hour"
delay = "40 min"                # how long it is on its way

[alarms]
readings_to_recover = 5         # in a row inside the interval
hysteresis = "15 min"           # a recovered alarm waits so long before it closes
shelve_max = "8 h"
restart_grace = "10 min"        # after a planned stop
stop_max = "31 d"
out_of_service_max = "31 d"     # the longest time for which a signal's alarms are taken out of service
extension_max = "4 h"           # the most time that the next level may give at once, and how often at one level
extensions = 3
group_window = "4 h"            # alarms along a flow may share a cause within this, beyond the flow's delay ("0 s": never)
priority = "medium"             # of an alarm whose meaning nobody has written down: low, medium or high
only_logged = []                # of "variance", "stuck", "drift", "out_of_range": those that open no alarm here

# What alarms mean: shown beside them. The most specific pattern counts; the room and a plant may agree otherwise later.
[[alarm_kind]]
signal = "mill-1/output"        # plant/signal, "*/absence" for any plant's, or a plant alone for its silence
kind = "any"                    # or step, slope, silence, variance, stuck, drift, out_of_range
consequence = "major"           # minor, major or severe: with the time to respond it gives the priority
means = "mill 2 runs out of yarn within the shift"
response = "Look at the drive and the bobbins; call the fitter; tell mill 2."
respond_in = "20 min"
owner = "shift leader of mill 1"
latched = false                 # true: it stays until somebody resets it, though it is back to normal

# Notice outside the wall: nobody is told without a rota. Secrets stand in secrets.toml beside this file, see docs/operating.md.
[notices]
priority = "medium"             # from which priority on
pass_on = "10 min"              # when nobody opens or acknowledges it, the next in the rota is told
turns = 8
# link = "https://room.example"

# [[rota]]                      # in the order in which they are told
# who = "Marta Molina"
# unit = "mill-1"               # for this unit and those below it (all if left out)
# when = ["mon-fri 06:00-14:00", "sat 22:00-06:00"]   # always if left out
# zone = "America/Santiago"
# channels = ["marta"]

# [[channel]]
# name = "marta"
# kind = "mail"                 # or webhook (signed), or push (ntfy)
# server = "smtp.example:587"
# sender = "room@works.example"
# to = ["marta@works.example"]
# security = "starttls"         # or tls, none
# user = "room"
# secret = "mail"

[retention]
# readings = "90 d"             # forget readings that are older; what is left out is kept for ever
# size = "200 GB"               # or the oldest, when they take more than this
# rollups_1min = "400 d"        # never shorter than the readings; rollups_15min, rollups_1h, rollups_1d likewise

[store]
# url = "postgresql://room@127.0.0.1/plants"   # instead of the file in this folder; no password here, see docs/store.md

[council]
level = "total"                 # where it sits: a level of one unit (or `unit = "total"`)
quorum = 4
deliberation_min = "5 min"
deliberation_max = "1 h"
last_call = "5 min"             # left in a round once a quorum has voted in it
order_valid = "1 h"
review = "1 h"                  # the effect of an order is measured so long after the plant took it
open_motions = 12
seconder = "auto"               # yes, no, or auto: where the quorum is three or more
seconding = "30 min"            # nobody within this time, and the motion is off the table
rounds = 2                      # sealed ballots: 1, or 2 with a revision after all reasons are open
mode_order = "majority"         # majority, two-thirds, consent or ranked: one proposal
mode_choice = "ranked"          # several proposals
mode_dangerous = "two-thirds"   # an order that its plant marked dangerous
mode_time = "majority"          # more time alone
mode_agreement = "majority"     # other terms of a plant's agreement, and no order
agreement_valid = "7 d"         # in which the plant answers what a motion proposed for its agreement
hold_window = "10 min"          # within which a second seat makes a hold of all orders so
session = "8 h"
motions_a_seat = 8              # in one session

# The seven seats, each with the name of who sits there.
[[seat]]
number = 1
occupant = "Ada Araya"

[[seat]]
number = 2
occupant = "Bruno Bravo"

[[seat]]
number = 3
occupant = "Carla Castro"

[[seat]]
number = 4
occupant = "Diego Duarte"

[[seat]]
number = 5
occupant = "Elena Espinoza"

[[seat]]
number = 6
occupant = "Felipe Fuentes"

[[seat]]
number = 7
occupant = "Gloria Garay"

# Planned stops: their alarms are suppressed by design. `every` repeats them.
[[stop]]
unit = "mill-1"
start = 2030-01-06T22:00:00Z
end = 2030-01-07T04:00:00Z
reason = "weekly cleaning"
every = "7 d"
"""
