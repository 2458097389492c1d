"""The room's side of the protocol without any I/O: frames and times go in, heard items and answers come out. Pure.

`Session` knows all links and all plants of one room. The caller gives decoded frames to `hear` and the clock to `tick`, delivers
the returned items in their order, calls `acknowledge` when the room has made them durable, and sends the outboxes of the links
that `take_ready` names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from telex_ingest.desk import Desk, Link
from telex_ingest.heard import (
    CallCame,
    GapClosed,
    Heard,
    PlantDied,
    ReceiptCame,
    SheetAccepted,
    StatementCame,
    StripAccepted,
)
from telex_ingest.legible import legible_frame
from telex_ingest.line import Limits, LineCounts
from telex_ingest.plant import Arrived, Plant, Spent
from telex_ingest.refusals import WireError, show
from telex_ingest.roll import Roll
from telex_ingest.roster import roster_of, taken
from telex_ingest.salvage import Decoded
from telex_ingest.sheet import rows_of, telexes_of
from telex_ingest.states import PLANT, LinkEvent, LinkState, PlantEvent, PlantState
from telex_ingest.strips import acknowledged
from telex_ingest.telex import (
    PROTOCOL,
    Ack,
    Death,
    FromPlant,
    Hello,
    Invitation,
    Notice,
    Order,
    PlantBirth,
    Refusal,
    Sheet,
    Telex,
    Welcome,
)

_QUIET = (PlantState.SILENT, PlantState.DEAD)
_HEARD = (PlantState.BORN, PlantState.SPEAKING)
_EVER = float("inf")
_ROUNDING_S = 1e-3


class Session:
    """All links and plants of one room, without I/O."""

    def __init__(self, room: str, limits: Limits, inner: Callable[[str], bool] = lambda _: False) -> None:
        """Make the session; `inner` tells of a name whether it is a unit of the room itself, which no plant may take."""
        self.room = room
        self.desk = Desk(limits)
        self._links: dict[int, Link] = {}
        self._roll = Roll(self.desk, inner)
        self._gapped: dict[str, Plant] = {}
        self._numbers = 0
        self.deaf_until = float("-inf")
        """Until then nobody is called silent: the room itself did not listen."""
        self._all_heard_until = -_EVER
        """Until then nobody can be silent who was not found so: nobody was born since, and all others were heard too lately."""

    def restore(
        self,
        durable: Mapping[str, tuple[int, int]],
        births: Iterable[PlantBirth],
        now: float,
        gaps: Iterable[GapClosed] = (),
    ) -> None:
        """Take up where the store ends, as `Roll.restore` says."""
        self._all_heard_until = -_EVER
        self._roll.restore(durable, births, now, gaps)

    # ---- the life of a link

    def open(self, now: float = 0.0) -> Link:
        """A websocket was opened."""
        self._numbers += 1
        link = self._links[self._numbers] = self.desk.receive(self._numbers, now)
        return link

    def greet(self, link: Link, hello: Hello, allowed: frozenset[str] | None, now: float) -> bool:
        """A link says who it is; `allowed` are the plants it may speak for, None: not authorised. False: close it."""
        code, reason = "unauthorised", f"neither the token nor a certificate is that of link {hello.link}"
        if hello.protocol != PROTOCOL:
            allowed, code, reason = (
                None,
                "wrong-protocol",
                f"asked for {show(hello.protocol)}, the room speaks {PROTOCOL}",
            )
        refused = link.happens(LinkEvent.HELLO if allowed is not None else LinkEvent.DENIED)
        if refused is not None:
            self.desk.refuse(link, now, refused, f"this link is {link.name}")
            return True
        link.name = hello.link
        if allowed is None:
            self.desk.refuse(link, now, code, reason)
            return False
        link.allowed, link.asked = allowed, hello.plants
        return True

    def close(self, link: Link) -> None:
        """A websocket is gone. Sequence, what waits, and silence go on with the plant."""
        link.happens(LinkEvent.END)
        self._links.pop(link.number, None)
        self.desk.ready.pop(link.number, None)
        for plant in link.plants.values():
            plant.apart()
            plant.speaker = None
        link.forget_rosters()
        link.plants = {}

    # ---- what a frame says

    def misheard(self, link: Link, error: WireError, now: float) -> None:
        """A frame could not be read at all."""
        if link.state is LinkState.OPENED:
            link.early += 1
        self.desk.tell(link, error.refusal(), now)

    def hear(self, link: Link, decoded: Decoded, now: float) -> list[Heard]:
        """Take one frame, after `greet` if it holds a hello; gives the heard items in order of effect."""
        frame = decoded.frame
        heard: list[Heard] = []
        for refused in decoded.refusals:
            self.desk.tell(link, refused, now)
        if decoded.unsaid:
            self.desk.count("malformed", decoded.unsaid)
            link.outbox.unsaid(decoded.unsaid)
        for birth in frame.births:
            self._all_heard_until = -_EVER
            self._roll.be_born(link, birth, now, heard)
        if link.asked is not None:
            self._welcome(link, frame)
        else:
            for birth in frame.births:
                plant = link.plants.get(birth.plant)
                if plant is not None:
                    plant.apart()
                    self.desk.ack(link, plant.name, plant.sequence.epoch, plant.sequence.durable)
        if (
            frame.telexes
            or frame.sheets
            or frame.spools
            or frame.receipts
            or frame.calls
            or frame.statements
            or frame.deaths
            or decoded.spent
        ):
            code = link.happens(LinkEvent.SPEECH)
            if code is None:
                self._speech(link, decoded, now, heard)
            else:
                link.early += code == "hello-first"
                self._roll.not_speaking(link, frame, code, now)
        elif link.state is LinkState.OPENED and not frame.births:
            link.early += 1
        return heard

    def _speech(self, link: Link, decoded: Decoded, now: float, heard: list[Heard]) -> None:
        frame = decoded.frame
        if frame.receipts or frame.calls or frame.deaths:
            frame = legible_frame(frame)
        for spool in frame.spools:
            plant = self._roll.speaking(link, spool.plant, now)
            if plant is not None:
                plant.apart()
                plant.spool_holds(spool, now, heard)
        if frame.telexes:
            self._telexes(link, frame.telexes, now, heard)
        for sheet in frame.sheets:
            self._sheet(link, sheet, now, heard)
        for name, epoch, seq in decoded.spent:
            plant = link.plants.get(name)
            if plant is not None and plant.sequence.epoch == epoch:
                plant.apart()
                plant.out_of_turn(link, seq, Spent(seq), now, heard)
                self._watch_gap(plant)
        heard += [
            ReceiptCame(one, now) for one in frame.receipts if self._roll.speaking(link, one.plant, now) is not None
        ]
        heard += [CallCame(one, now) for one in frame.calls if self._roll.speaking(link, one.plant, now) is not None]
        for one in frame.statements:
            if self._roll.speaking(link, one.plant, now) is not None:
                self.desk.tally.statements += 1
                heard.append(StatementCame(one, now))
        for death in frame.deaths:
            self._die(link, death, now, heard)

    def _telexes(self, link: Link, telexes: tuple[Telex, ...], now: float, heard: list[Heard]) -> None:
        """The hot path: a telex in its place costs one look-up, one comparison and one item."""
        received_us = int(now * 1e6)
        mine = link.plants
        link.telexes += len(telexes)
        for telex in telexes:
            plant = mine.get(telex.plant)
            if plant is None:
                self._roll.speaking(link, telex.plant, now, telex.epoch, telex.seq)
                continue
            if plant.keeper is not None:
                plant.apart()
            sequence = plant.sequence
            if telex.epoch != sequence.epoch:
                self._roll.other_epoch(link, plant, telex.epoch, telex.seq, now)
            elif telex.seq == sequence.next and plant.state is not PlantState.DEAD:
                sequence.next += 1
                plant.take(telex, received_us, now, heard)
                if sequence.waiting:
                    plant.drain(now, heard)
            else:
                plant.out_of_turn(link, telex.seq, Arrived(telex, received_us), now, heard)
                self._watch_gap(plant)

    def _sheet(self, link: Link, sheet: Sheet, now: float, heard: list[Heard]) -> None:
        """Take a sheet at once when every row is in its place, else row by row."""
        known = link.rosters.get((sheet.plants, sheet.signals))
        following = None if known is None else known.following(self.desk, link, sheet, now)
        if following is not None:
            heard.append(following)
            return
        try:
            rows = rows_of(sheet)
        except ValueError as error:
            self.desk.refuse(link, now, "malformed", f"a sheet: {show(error)}")
            return
        roster = roster_of(link, sheet)
        whole = None if roster is None else taken(self.desk, link, roster, sheet, rows, now)
        if whole is not None:
            heard.append(whole)
        else:
            self._telexes(link, telexes_of(sheet, rows), now, heard)

    def _die(self, link: Link, death: Death, now: float, heard: list[Heard]) -> None:
        plant = self._roll.speaking(link, death.plant, now)
        if plant is None or plant.state is PlantState.DEAD:
            return
        plant.apart()
        following = PLANT[plant.state, PlantEvent.DEATH]
        if isinstance(following, PlantState):
            plant.close_all(now, heard)
            plant.state = following
            heard.append(PlantDied(plant.name, death.reason, now))

    def _welcome(self, link: Link, frame: FromPlant) -> None:
        asked = dict.fromkeys((*(link.asked or ()), *(birth.plant for birth in frame.births)))
        asked.update(dict.fromkeys(sorted(link.allowed - {"*"})))
        link.asked = None
        known = [self._roll.plants[name] for name in asked if name in self._roll.plants and link.may_speak_for(name)]
        for plant in known:
            plant.apart()
        resume = tuple(
            [
                Ack(plant=plant.name, epoch=plant.sequence.epoch, seq=plant.sequence.durable)
                for plant in known
                if plant.known
            ]
        )
        link.outbox.welcome(Welcome(room=self.room, resume=resume))
        self.desk.ready[link.number] = link

    def _watch_gap(self, plant: Plant) -> None:
        if plant.gap_since is not None:
            self._gapped[plant.name] = plant

    # ---- what the room says

    def acknowledge(self, durable: Mapping[str, tuple[int, int]]) -> None:
        """The room has made these (epoch, seq) durable; the links that speak for the plants are told."""
        for name, (epoch, seq) in durable.items():
            if (plant := self._roll.plants.get(name)) is None:
                continue
            if epoch == plant.sequence.epoch and seq > plant.sequence.durable:
                plant.sequence.durable = seq
            if plant.speaker is not None:
                self.desk.ack(plant.speaker, name, epoch, seq)

    def acknowledge_sheets(self, *sheets: SheetAccepted | StripAccepted) -> None:
        """The room has made whole sheets and strips durable; links are told by a sheet's number, or plant by plant.

        A plant that speaks over another link by now is acknowledged there: it may have told the same again meanwhile.
        """
        acknowledged(self.desk, self._roll.plants, [one for one in sheets if isinstance(one, StripAccepted)])
        for sheet in sheets:
            if isinstance(sheet, SheetAccepted):
                self._acknowledge_sheet(sheet)

    def _acknowledge_sheet(self, sheet: SheetAccepted) -> None:
        plants, link, number = self._roll.plants, self._links.get(sheet.wire), sheet.number
        told: Iterable[tuple[str, int, int]] = sheet.identities()
        if link is not None and number is not None:
            roster = link.rosters.get((sheet.plants, sheet.signals))
            if roster is not None and roster.kept(sheet):
                told = ()
        for name, epoch, seq in told:
            plant = plants[name]
            sequence, speaker = plant.sequence, plant.speaker
            if epoch == sequence.epoch and seq > sequence.durable:
                sequence.durable = seq
            if speaker is not None and (number is None or speaker is not link):
                self.desk.ack(speaker, name, epoch, seq)
        if link is not None and number is not None:
            link.outbox.sheet(number)
            self.desk.ready[link.number] = link

    def send(
        self, name: str, orders: Iterable[Order], notices: Iterable[Notice], invitations: Iterable[Invitation] = ()
    ) -> bool:
        """Put orders, notices and invitations into the outbox of the link that speaks for the plant; False when none does."""
        link = self._roll.speaker(name)
        if link is None:
            return False
        for order in orders:
            link.outbox.order(order)
        for notice in notices:
            link.outbox.notice(notice)
        for invitation in invitations:
            link.outbox.invite(invitation)
        self.desk.ready[link.number] = link
        return True

    def refuse(self, name: str, refused: Refusal, now: float) -> bool:
        """Tell the link that speaks for the plant a refusal of the room's own."""
        link = self._roll.speaker(name)
        self.desk.tell(link, refused, now)
        return link is not None

    def take_ready(self) -> list[Link]:
        """Take the links whose outboxes are to be sent."""
        ready = list(self.desk.ready.values())
        self.desk.ready.clear()
        return ready

    def links_named(self, name: str) -> list[Link]:
        """The websockets of a link."""
        return [link for link in self._links.values() if link.name == name]

    # ---- what time does

    def tick(self, now: float) -> list[Heard]:
        """Look at gaps and at silence."""
        heard: list[Heard] = []
        for plant in list(self._gapped.values()):
            plant.apart()
            plant.look_at_gap(now, heard)
            if plant.gap_since is None:
                del self._gapped[plant.name]
        if now >= max(self.deaf_until, self._all_heard_until):
            self._look_for_silence(now, heard)
        return heard

    def _look_for_silence(self, now: float, heard: list[Heard]) -> None:
        """Look at every plant, and how long none can be silent that is not now, whoever is heard again meanwhile."""
        plants = self._roll.plants.values()
        self.desk.step.tell_heard()
        for plant in plants:
            if now - plant.heard_at > plant.silent_after:
                plant.look_for_silence(now, heard)
        first = min([plant.heard_at + plant.silent_after for plant in plants if plant.state in _HEARD], default=_EVER)
        again = now + min([plant.silent_after for plant in plants], default=_EVER)
        self._all_heard_until = min(first, again) - _ROUNDING_S

    def line(self) -> LineCounts:
        """Tell the state of the whole line."""
        tally = self.desk.tally
        return LineCounts(
            links=len(self._links),
            frames_in=tally.frames_in,
            frames_out=tally.frames_out,
            bytes_in=tally.bytes_in,
            bytes_out=tally.bytes_out,
            telexes=tally.telexes,
            readings=tally.readings,
            duplicates=tally.duplicates,
            late=tally.late,
            gaps=tally.gaps,
            given_up=tally.given_up,
            waiting=tally.waiting,
            skewed=tally.skewed,
            backward=tally.backward,
            dropped=tally.dropped,
            refused=dict(tally.refused),
            plants=self._roll.lines(),
            attempts=tuple(self.desk.attempts),
            each=tuple(link.line() for link in self._links.values()),
            silent=sum([plant.state in _QUIET for plant in self._roll.plants.values()]),
            oldest=self._roll.oldest(),
            sheets=tally.sheets,
            births=tally.births,
            changed_births=tally.changed_births,
            statements=tally.statements,
        )
