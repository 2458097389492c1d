"""What lies before somebody: the agenda of a viewer, the matter that is picked, and what may be done with it. Pure."""

from __future__ import annotations

from typing import Literal, NamedTuple

from opsroom.views import AlarmView, MotionView, OrderView, ProposalView, RequestView, Snapshot, StopView, Viewer

Mode = Literal[
    "none", "watching", "moving", "seconding", "voting", "voted", "decided", "alarm", "order", "proposal", "stop"
]
"""What the viewer may do with the matter; the forms of the screen stand under it."""

BACK = ("returned", "recovered", "latched", "latched-acknowledged")
"""States of an alarm that is back to normal."""


class Entry(NamedTuple):
    """One line of an agenda: `state` names its mark, `deadline` (epoch s) its clock, `id` what is picked, `who` asks."""

    id: str
    state: str
    title: str
    word: str
    deadline: float | None
    who: str = ""


class Matter(NamedTuple):
    """What is picked: alarm, motion and order as far as they belong together, a proposed agreement,
    what one side asked the other (`request`, in the mode of a proposal), or a planned stop."""

    id: str
    mode: Mode
    alarm: AlarmView | None = None
    motion: MotionView | None = None
    order: OrderView | None = None
    proposal: ProposalView | None = None
    request: RequestView | None = None
    stop: StopView | None = None
    orders: tuple[OrderView, ...] = ()

    @property
    def plant(self) -> str:
        """The plant that it is about, or an empty text."""
        if self.motion:
            return self.motion.signal.partition("/")[0]
        if self.order:
            return self.order.plant
        if self.proposal:
            return self.proposal.signal.partition("/")[0]
        if self.request:
            return self.request.unit
        if self.stop:
            return self.stop.unit
        return self.alarm.signal.partition("/")[0] if self.alarm else ""


def mark(alarm: AlarmView) -> str:
    """Name the mark of an alarm: a square when it has climbed, a bar for silence, else a triangle."""
    if alarm.state in ("shelved", "suppressed", "out-of-service"):
        return "stopped"
    if alarm.state in ("closed", *BACK):
        return "calm"
    if alarm.kind == "silence":
        return "silent"
    return "called" if alarm.climbs else "alarm"


def agenda(snapshot: Snapshot) -> tuple[Entry, ...]:
    """List what a viewer may take up: open motions, alarms (a seat's first those that arrived, then those on
    their way), orders, what is decided."""
    role, entries = snapshot.viewer.role, []
    for motion in sorted(snapshot.motions, key=lambda m: (m.state != "open", -m.opened_at))[:12]:
        until = motion.deadline if motion.round_ends is None else motion.round_ends
        ends = until if motion.state == "open" else None
        entries.append(Entry(motion.id, motion.state, motion.title, f"motion.{motion.state}", ends))
    moved = {m.alarm for m in snapshot.motions if m.state == "open"}
    urgent = sorted(snapshot.alarms, key=lambda a: (a.state in BACK, a.waits, a.deadline or 1e18))
    alarms = [
        # One that waits with the alarm that it follows has no clock of its own any more; one that is back needs none.
        Entry(
            a.id,
            mark(a),
            a.title,
            *(("agenda.follows", None) if a.waits and a.state not in BACK else (f"alarm.{a.state}", a.deadline)),
        )
        for a in urgent
        if a.state != "closed" and (role != "seat" or (a.arrived and a.id not in moved))
    ]
    orders = [
        Entry(o.id, "order", o.title or o.name, f"order.{o.state}", o.expires_at if o.state == "issued" else None)
        for o in sorted(snapshot.orders, key=lambda o: -o.issued_at)[:12]
    ]
    opened = [e for e in entries if e.word == "motion.open"]
    if role == "seat":
        opened += _waiting(snapshot)
    asked = {e.id for e in opened}
    decided = [e for e in entries if e.word != "motion.open" and e.id not in asked]
    proposals = [
        Entry(p.id, "proposal", about(snapshot, p.signal), "agenda.proposal", None, p.by) for p in snapshot.proposals
    ]
    proposals += [
        Entry(
            one.id, "proposal", name(snapshot, one.unit), "agenda.request_" + one.about, one.answer_until, one.asked_by
        )
        for one in snapshot.requests
    ]
    stops = [
        Entry(s.id, "stopped", name(snapshot, s.unit), *_turn(s, snapshot.now))
        for s in sorted(snapshot.stops, key=lambda s: s.start)[:12]
    ]
    if role != "seat":
        return (*alarms, *orders, *opened, *proposals, *stops, *decided)
    coming = [
        Entry(a.id, mark(a), a.title, *(("agenda.follows", None) if a.waits else ("agenda.coming", a.deadline)))
        for a in urgent
        if not a.arrived and a.state not in ("closed", *BACK)
    ]
    # An alarm that is back to normal asks nothing of the council any more: it stands below what was decided on it.
    live = [e for e in alarms if e.word.partition(".")[2] not in BACK]
    back = [e for e in alarms if e not in live]
    return (*opened, *live, *decided[:3], *coming, *proposals, *back, *decided[3:])


def _waiting(snapshot: Snapshot) -> list[Entry]:
    """What was decided and still waits for this seat: a dangerous order to confirm, an outcome to look back on."""
    seat, motions = snapshot.viewer.seat, {one.id: one for one in snapshot.motions}
    asked = [
        Entry(one.id, "order", one.title or one.name, "agenda.confirm", one.expires_at)
        for one in snapshot.orders
        if one.state == "unconfirmed" and (of := motions.get(one.motion)) is not None and may_confirm(of, seat)
    ]
    return asked + [
        Entry(one.id, one.state, one.title, "agenda.review", None) for one in snapshot.motions if review_due(one, seat)
    ]


def may_confirm(motion: MotionView, seat: int) -> bool:
    """Tell whether a seat may confirm a motion's dangerous orders: it neither moved it, nor is responsible, nor stepped back."""
    out = {motion.opened_by, motion.responsible, *(one.seat for one in motion.recused)}
    return bool(seat) and seat not in out


def review_due(motion: MotionView, seat: int) -> bool:
    """Tell whether a seat is asked now what became of a motion: it is responsible, and the date of review has come."""
    over = motion.state == "carried" and motion.review_at is None and not motion.review
    return over and bool(seat) and motion.responsible == seat


def _turn(stop: StopView, now: float) -> tuple[str, float]:
    return ("agenda.stop_coming", stop.start) if stop.start > now else ("agenda.stop_running", stop.end)


def name(snapshot: Snapshot, unit: str) -> str:
    """Tell a unit's title, or its id when the viewer does not see it."""
    return next((row.title or row.id for row in snapshot.units if row.id == unit), unit)


def about(snapshot: Snapshot, key: str) -> str:
    """Tell a signal's title and its plant's."""
    plant, _, own = key.partition("/")
    title = next((row.title or row.name for row in snapshot.signals if row.key == key), own)
    return f"{title} · {name(snapshot, plant)}"


def stay(snapshot: Snapshot, picked: str | None, before: str) -> str | None:
    """Keep who saw a motion decided at its outcome, until another motion, or an order to confirm, asks for an answer."""
    motion = next((m for m in snapshot.motions if m.id == before and m.state != "open"), None)
    first = next(iter(agenda(snapshot)), None)
    if picked or motion is None or first is None:
        return picked
    # Other alarms that wait lead nobody away from what came of the own vote; what asks for an answer now does.
    waits = {one.id for one in snapshot.motions if one.state == "open"} | {one.id for one in _waiting(snapshot)}
    return before if first.id not in waits - {before} else None


def pick(snapshot: Snapshot, picked: str | None) -> Matter:
    """Find the matter that is picked, or, when nothing is (or it is gone), the first of the agenda.

    An alarm on which a motion is open gives way to its motion at the council, never at the plant.
    """
    viewer = snapshot.viewer
    alarms = {a.id: a for a in snapshot.alarms}
    motions = {m.id: m for m in snapshot.motions}
    orders = {o.id: o for o in snapshot.orders}
    proposals = {p.id: p for p in snapshot.proposals}
    requests = {one.id: one for one in snapshot.requests}
    stops = {s.id: s for s in snapshot.stops}
    if picked in alarms and viewer.role == "seat":
        picked = next((m.id for m in snapshot.motions if m.alarm == picked and m.state == "open"), picked)
    if not any(picked in rows for rows in (alarms, motions, orders, proposals, requests, stops)):
        entries = agenda(snapshot)
        if not entries:
            return Matter("", "none")
        picked = entries[0].id
    if picked in motions:
        motion = motions[picked]
        mine = tuple(orders[name] for name in motion.orders if name in orders)
        return Matter(
            picked, _may(motion, snapshot), alarms.get(motion.alarm), motion, mine[0] if mine else None, orders=mine
        )
    if picked in proposals:
        return Matter(picked, "proposal", proposal=proposals[picked])
    if picked in requests:
        return Matter(picked, "proposal", request=requests[picked])
    if picked in stops:
        return Matter(picked, "stop" if viewer.role != "seat" else "watching", stop=stops[picked])
    if picked in orders:
        order = orders[picked]
        motion_of = motions.get(order.motion)
        alarm_of = alarms.get(motion_of.alarm) if motion_of else None
        return Matter(picked, "order", alarm_of, motion_of, order, orders=(order,))
    alarm = alarms[str(picked)]
    if viewer.role != "seat":
        return Matter(alarm.id, "alarm" if alarm.state != "closed" else "watching", alarm)
    moving = alarm.arrived and alarm.state not in ("closed", *BACK)
    return Matter(alarm.id, "moving" if moving else "watching", alarm)


def chairs(motion: MotionView, snapshot: Snapshot) -> tuple[int, ...]:
    """The seats for which the viewer may still vote in the running round: its own, and those that named it as substitute."""
    own = snapshot.viewer.seat
    gone = {one.seat for one in motion.ballots} | {one.seat for one in motion.recused}
    there = [own, *(one.seat for one in snapshot.seats if one.substitute == own and one.seat != own)]
    return tuple(seat for seat in there if seat and seat not in gone)


def cast_by(motion: MotionView, viewer: Viewer) -> bool:
    """Tell whether a sealed ballot of the running round is the viewer's, so that it may read it again."""
    mine = [one for one in motion.ballots if viewer.seat and viewer.seat in (one.seat, one.cast_by)]
    return motion.state == "open" and bool(mine)


def _may(motion: MotionView, snapshot: Snapshot) -> Mode:
    if motion.state != "open":
        return "decided"
    if snapshot.viewer.role != "seat":
        return "watching"
    if motion.phase == "seconding":
        return "seconding"
    still = motion.phase in ("opening", "counting")
    return "voted" if still or not chairs(motion, snapshot) else "voting"
