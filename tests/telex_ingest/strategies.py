"""Frames of every kind, for the properties of the wire."""

from __future__ import annotations

from hypothesis import strategies as st

from telex_ingest.telex import (
    Ack,
    Death,
    Direction,
    ExpectedEffect,
    FromPlant,
    FromRoom,
    Handover,
    Hello,
    Invitation,
    InvitedOption,
    InvitedOrder,
    Notice,
    Order,
    OrderBirth,
    PlantBirth,
    PlantCall,
    PlantStatement,
    Proof,
    Quality,
    Reading,
    Receipt,
    ReceiptState,
    Refusal,
    SignalBirth,
    Spool,
    Telex,
    TelexKind,
    Welcome,
    moment,
)

slugs = st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
counts = st.integers(1, 2**53 - 1)
numbers = st.floats(allow_nan=False, allow_infinity=False)
times = st.integers(-62_135_510_400_000_000, 253_402_127_999_999_999).map(moment)
maybe = st.none() | numbers

readings = st.builds(Reading, signal=st.integers(0, 65535), value=maybe, quality=st.sampled_from(Quality))
telexes = st.builds(
    Telex,
    plant=slugs,
    epoch=counts,
    seq=counts,
    time=times,
    readings=st.lists(readings, max_size=4).map(tuple),
    kind=st.sampled_from(TelexKind),
)
signals = st.builds(
    SignalBirth,
    id=st.integers(0, 65535),
    name=slugs,
    unit=texts,
    kind=st.sampled_from(["level", "rate", "ratio", "count"]),
    good=st.sampled_from(Direction),
    period_s=st.floats(1e-3, 1e9),
    title=texts,
    low=maybe,
    high=maybe,
    capability=maybe,
    potentiality=maybe,
    personal=st.booleans(),
)
effects = st.builds(ExpectedEffect, signal=slugs, change=numbers, delay_s=st.floats(0, 1e9))
parameters = st.dictionaries(
    texts, st.none() | st.booleans() | st.integers(-(2**53), 2**53) | numbers | texts, max_size=2
)
orders_born = st.builds(
    OrderBirth,
    name=slugs,
    title=texts,
    parameters=parameters,
    danger=st.sampled_from(["none", "caution", "dangerous"]),
    effects=st.lists(effects, max_size=2).map(tuple),
)
births = st.builds(
    PlantBirth,
    plant=slugs,
    epoch=counts,
    version=counts,
    title=texts,
    signals=st.lists(signals, max_size=2).map(tuple),
    orders=st.lists(orders_born, max_size=2).map(tuple),
    pace=st.floats(1e-6, 1e6),
)
receipts = st.builds(Receipt, order=texts, plant=slugs, state=st.sampled_from(ReceiptState), time=times, reason=texts)
calls = st.builds(PlantCall, plant=slugs, alarm=texts, call=st.sampled_from(["acknowledge", "early"]), reason=texts)
hellos = st.builds(Hello, link=slugs, token=texts, protocol=texts, plants=st.lists(slugs, max_size=2).map(tuple))
spools = st.builds(Spool, plant=slugs, epoch=counts, first=counts, last=st.integers(0, 2**53 - 1))
statements = st.builds(
    PlantStatement,
    plant=slugs,
    motion=texts,
    text=texts,
    stance=st.sampled_from(["for", "against", "question", "answer"]),
)
deaths = st.builds(Death, plant=slugs, reason=texts)


def some(part: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(part, max_size=2).map(tuple)


plant_frames = st.builds(
    FromPlant,
    hello=st.none() | hellos,
    births=some(births),
    spools=some(spools),
    telexes=some(telexes),
    receipts=some(receipts),
    calls=some(calls),
    statements=some(statements),
    deaths=some(deaths),
).filter(lambda frame: frame != FromPlant())

acks = st.builds(Ack, plant=slugs, epoch=counts, seq=st.integers(0, 2**53 - 1))
refusals = st.builds(
    Refusal, code=texts, reason=texts, cure=texts, plant=slugs, epoch=st.none() | counts, seq=st.none() | counts
)
handovers = st.builds(
    Handover,
    room=texts,
    purpose=st.sampled_from(("orders", "journal")),
    old=texts,
    new=texts,
    at=times,
    signature=texts,
)
orders = st.builds(
    Order,
    id=texts,
    room=texts,
    plant=slugs,
    motion=texts,
    name=slugs,
    parameters=parameters,
    not_before=times,
    expires=times,
    revoked=st.booleans(),
    tally=parameters,
    proof=st.none() | st.builds(Proof, key=texts, signature=texts, chain=some(handovers)),
)
notices = st.builds(
    Notice,
    plant=slugs,
    alarm=texts,
    signal=texts,
    state=texts,
    text=texts,
    level=texts,
    deadline=st.none() | times,
)
invitations = st.builds(
    Invitation,
    motion=texts,
    room=texts,
    plant=slugs,
    title=texts,
    alarm=texts,
    signal=texts,
    options=some(
        st.builds(
            InvitedOption,
            id=texts,
            title=texts,
            kind=st.sampled_from(["orders", "time", "nothing"]),
            orders=some(st.builds(InvitedOrder, plant=slugs, name=slugs, parameters=parameters)),
        )
    ),
    until=times,
    state=st.sampled_from(["open", "carried", "lost", "expired", "withdrawn"]),
    chosen=texts,
    stated=st.integers(0, 9),
    letters=st.integers(0, 9),
    text=texts,
    proof=st.none() | st.builds(Proof, key=texts, signature=texts, chain=some(handovers)),
)
room_frames = st.builds(
    FromRoom,
    welcome=st.none() | st.builds(Welcome, room=texts, protocol=texts, resume=some(acks)),
    acks=some(acks),
    refusals=some(refusals),
    orders=some(orders),
    notices=some(notices),
    invitations=some(invitations),
)
