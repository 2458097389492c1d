// The wall: what a projector shows. Built once inside one empty div; then only what changed is written.
'use strict';
(() => {
  const room = window.opsroom;
  const { uom, el, svg, put, set, show, shape, reshape, say, sure, figure, count, span, clock, day } = room;
  const GRAVE = { unacknowledged: 0, acknowledged: 1, returned: 2, recovered: 2, latched: 2, 'latched-acknowledged': 2, shelved: 3, suppressed: 4, 'out-of-service': 4 };
  const BACK = new Set(['returned', 'recovered', 'latched', 'latched-acknowledged']);
  const EXCEPTIONS = 2, LINES = 4, LONG = 38, SEATS = 7, SPOKEN = 3, NAMED = 4, FLOOD = 10, FLOOD_S = 600;
  let w = null;

  // ---- an exception: what, how sure, whose, where it stands, and the clock that runs there
  const exception = () => {
    const it = {
      mark: shape('alarm'), title: el('h3'), kind: el('span', { class: 'kind' }), sentence: el('p', { class: 'sentence' }), percent: el('strong'), sure: el('span'),
      ladder: el('ol', { class: 'ladder' }), clock: el('strong', { class: 'clock' }), until: el('span', { class: 'until' }),
      left: el('i'), where: el('p', { class: 'where' }), at: el('strong'), owner: el('span'), rungs: '',
    };
    it.node = el('article', { class: 'exception' },
      it.mark,
      it.title,
      el('p', { class: 'said' }, it.kind, el('span', { class: 'sure' }, it.percent, it.sure)),
      it.sentence,
      el('div', { class: 'stand' }, el('div', {}, it.ladder, it.where), el('p', { class: 'runs' }, it.clock, it.until)),
      el('div', { class: 'left' }, it.left));
    it.where.append(it.at, it.owner);
    return it;
  };
  const ladder = (it, state, alarm) => {
    const way = room.hive.path(state.units, alarm.unit).reverse();
    const climbed = new Set(alarm.climbs.map(c => c.source));
    const council = way.findIndex(u => u.id === state.council || u.level === state.council);
    const shown = way.slice(0, Math.max(council + 1, way.findIndex(u => u.id === alarm.at_unit) + 1, 2));
    const rungs = JSON.stringify([shown.map(u => u.id), alarm.at_unit, alarm.climbs.length]);
    if (rungs === it.rungs) return;
    it.rungs = rungs;
    it.ladder.replaceChildren(...shown.map(u => el('li', { class: u.id === alarm.at_unit ? 'here' : climbed.has(u.id) ? 'passed' : '', 'aria-current': u.id === alarm.at_unit ? 'step' : null },
      el('span', {}, u.title || u.id), u.id === alarm.unit ? el('em', {}, say('wall.owner')) : '', u.level === state.council || u.id === state.council ? el('em', {}, say('wall.council_here')) : '')));
  };
  const paintException = (it, state, alarm) => {
    const calls = alarm.climbs.length > 0, now = room.now();
    const word = BACK.has(alarm.state) ? 'calm' : ['shelved', 'suppressed', 'out-of-service'].includes(alarm.state) ? 'stopped' : alarm.kind === 'silence' ? 'silent' : calls ? 'called' : 'alarm';
    set(it.node, { 'data-state': word, 'data-alarm': alarm.id, 'data-standing': alarm.state });
    reshape(it.mark, word);
    put(it.title, alarm.title);
    const following = (alarm.followers || []).length;
    put(it.sentence, (following ? say('alarms.follow', { count: following }) + '. ' : '') + uom(alarm.sentence));
    const standing = alarm.acknowledged_by && alarm.state === 'acknowledged' ? say('wall.seen', { by: alarm.acknowledged_by }) : say('alarm.' + alarm.state);
    put(it.kind, alarm.size === null ? say('kind.' + alarm.kind)
      : say('wall.kind_size', { kind: say('kind.' + alarm.kind), size: figure(alarm.size, true), uom: uom(alarm.uom) }));
    put(it.percent, say('wall.percent', { percent: alarm.probability >= 0.995 ? '>\u200999' : Math.round(100 * alarm.probability) }));
    put(it.sure, sure(alarm.probability));
    ladder(it, state, alarm);
    const named = id => { const unit = state.units.get(id); return unit ? unit.title || unit.id : id; };
    // Where it had come to says little once it is back: the word that asks for an answer is to be read to its end.
    put(it.at, BACK.has(alarm.state) ? standing : say('wall.at', { unit: named(alarm.at_unit), state: standing }));
    put(it.owner, say('wall.of', { owner: named(alarm.unit) }));
    if (alarm.state === 'shelved' && alarm.shelved_until) {
      put(it.clock, span(alarm.shelved_until - now)); put(it.until, say('wall.until_unshelved'));
    } else if (alarm.deadline !== null && !BACK.has(alarm.state)) {
      put(it.clock, span(alarm.deadline - now));
      put(it.until, say(alarm.arrived ? 'wall.until_council' : 'wall.until_climb'));
    } else {
      put(it.clock, span(now - alarm.opened_at)); put(it.until, say('wall.since_opened'));
    }
    const share = alarm.deadline === null || !alarm.clock_s ? 0 : Math.max(0, Math.min(1, (alarm.deadline - now) / alarm.clock_s));
    it.left.style.width = (100 * share).toFixed(1) + '%';
  };

  // What does not stand in full: by name while it is few, by where it is when it is many.
  const others = (state, rest) => {
    if (rest.length <= NAMED) return rest.map(a => a.title).join(' · ');
    const below = new Map();
    for (const a of rest) {
      const way = room.hive.path(state.units, a.unit), at = way.findIndex(u => u.id === state.focus), unit = way[at + 1] || way[way.length - 1];
      if (unit) below.set(unit, (below.get(unit) || 0) + 1);
    }
    return [...below].sort((a, b) => b[1] - a[1]).map(([unit, n]) => say('wall.more_at', { unit: unit.title || unit.id, count: count(n) })).join(' · ');
  };

  // What hinders the room itself: it takes nothing in until that is mended.
  const ill = state => state.line ? state.line.trouble : '';

  const paintExceptions = state => {
    // One cause, one alarm: those that follow an open origin stand under it.
    const live = [...state.alarms.values()].filter(a => a.state !== 'closed'), lives = new Set(live.map(a => a.id));
    const open = live.filter(a => !a.origin || a.origin === a.id || !lives.has(a.origin))
      .sort((a, b) => GRAVE[a.state] - GRAVE[b.state] || b.climbs.length - a.climbs.length || (a.deadline || 1e18) - (b.deadline || 1e18));
    const suspected = [...state.signals.values()].filter(s => room.settled(s.key, s.named === 'suspected' ? 'suspected' : s.state) === 'suspected');
    const shown = open.slice(0, EXCEPTIONS);
    set(w.exceptions, { 'data-count': shown.length });
    const fresh = live.filter(a => a.opened_at > room.now() - FLOOD_S).length;
    put(w.count, !open.length ? '' : live.length > open.length ? say('wall.open_of', { count: count(open.length), alarms: count(live.length) }) : say('wall.open', { count: count(open.length) }));
    put(w.flood, fresh > FLOOD ? say('wall.flood', { count: count(fresh) }) : '');
    w.items.forEach((it, i) => { show(it.node, i < shown.length); if (i < shown.length) paintException(it, state, shown[i]); });
    show(w.more, open.length > shown.length);
    if (open.length > shown.length) put(w.more, say('wall.more', { count: count(open.length - shown.length), what: others(state, open.slice(shown.length)) }));
    show(w.quiet, open.length === 0);
    const plants = [...state.units.values()].filter(u => !u.children.length && (u.parent || u.signals));
    put(w.calm, say(!plants.length ? 'wall.empty' : room.cut() || ill(state) ? 'wall.was_quiet' : 'wall.quiet'));
    show(w.sum, plants.length > 0); show(w.watched, plants.length > 0);
    if (!open.length) {
      const closed = [...state.alarms.values()].sort((a, b) => (b.closed_at || 0) - (a.closed_at || 0))[0];
      put(w.absorbed, state.line ? count(state.line.readings) : '–');
      put(w.last, !plants.length ? say('line.no_plants') : closed ? say('wall.last', { title: closed.title, at: clock(closed.closed_at || closed.opened_at, false) }) : say('wall.never'));
      const watched = [...state.units.values()].reduce((sum, u) => sum + (u.children.length ? 0 : u.signals), 0);
      put(w.watched, say('wall.watched', { signals: count(watched), plants: count(plants.length) }));
    }
    const marked = open.length < 2 ? suspected.slice(0, 2 - open.length) : [];
    show(w.suspects, marked.length > 0);
    const told = marked.map(s => {
      const unit = state.units.get(s.unit);
      return say('wall.suspect', { unit: unit ? unit.title || unit.id : s.unit, signal: s.title || s.name });
    });
    const key = told.join('|');
    if (w.suspects.dataset.told !== key) {
      w.suspects.dataset.told = key;
      w.suspects.replaceChildren(...told.map(text => el('li', {}, shape('suspected'), el('span', {}, text))));
    }
    const heard = open.slice(0, SPOKEN).map(a => a.title + ', ' + say('kind.' + a.kind)).concat(open.length > SPOKEN ? say('wall.and', { count: open.length - SPOKEN }) : []).join('; ');
    const spoken = ill(state) || (heard ? say('wall.spoken', { what: heard }) : say('wall.quiet'));
    if (w.heard !== spoken) { w.heard = spoken; put(w.speaker, spoken); }
  };

  // The last word of a name, as it stands on a door.
  const short = name => {
    const last = name.trim().split(/\s+/).pop();
    return last.length > 11 ? last.slice(0, 10) + '…' : last;
  };

  // ---- the council: seven chairs in an arc, the motion before them
  const chair = seat => {
    const g = svg('g', { class: 'chair', 'data-seat': seat }), body = svg('g', { transform: 'scale(.9)' });
    body.append(
      svg('path', { class: 'foot', d: 'M-19 62H19L5 53V34H-5V53Z' }),
      svg('path', { class: 'shell', d: 'M-34-22C-34-54-22-62 0-62S34-54 34-22L44-14C50-9 48 8 44 22C40 36 26 40 0 40S-40 36-44 22C-48 8-50-9-44-14Z' }),
      svg('path', { class: 'cushion', d: 'M-22-20C-22-42-16-48 0-48S22-42 22-20V6C28 4 32 6 32 12C32 24 22 28 0 28S-32 24-32 12C-32 6-28 4-22 6Z' }),
      svg('path', { class: 'vote', transform: 'translate(0 -8) scale(17)', 'fill-rule': 'evenodd' }));
    const number = svg('text', { class: 'number', y: 2, 'text-anchor': 'middle' });
    const name = svg('text', { class: 'occupant', y: 84, 'text-anchor': 'middle' });
    const word = svg('text', { class: 'said', y: 105, 'text-anchor': 'middle' });
    number.textContent = seat;
    g.append(body, name, word);
    body.append(number);
    return { g, name, word, number, vote: g.querySelector('.vote') };
  };
  const paintCouncil = state => {
    const motions = [...state.motions.values()].sort((a, b) => b.opened_at - a.opened_at);
    const open = motions.filter(m => m.state === 'open'), motion = open[0] || motions[0] || null;
    const orders = motion ? motion.orders.map(id => state.orders.get(id)).filter(Boolean) : [], order = orders[0] || null;
    const effect = orders.map(o => o.effect).find(Boolean) || null;
    set(w.council, { 'data-motion': motion ? motion.state : 'none', 'data-order': order ? order.state : null });
    show(w.held, state.held);
    const now = room.now();
    if (!motion) {
      put(w.motionTitle, say('wall.no_motion'));
      const present = [...state.seats.values()].filter(s => s.present).length;
      put(w.motionText, say('wall.present', { present }));
      put(w.motionClock, ''); put(w.motionUntil, '');
    } else {
      put(w.motionTitle, motion.title);
      const option = motion.options.find(o => o.id === motion.chosen) || motion.options[0], first = option.orders[0];
      const facts = { order: first ? first.title : option.title, plant: first ? first.plant_title : '' };
      if (motion.state === 'open') {
        const options = motion.options.map(o => o.id.toUpperCase() + ' ' + o.title).join(' · ');
        put(w.motionText, say('wall.options', { options }));
        put(w.motionClock, span((motion.round_ends || motion.deadline) - now));
        put(w.motionUntil, say(motion.last_call ? 'wall.last_call' : 'wall.' + motion.phase, { voted: motion.ballots.length }));
      } else {
        const t = motion.tally;
        put(w.motionText, effect && effect.after !== null
          ? say('wall.effect', { before: figure(effect.before), after: figure(effect.after), without: figure(effect.expected_without) })
          : order ? say('wall.order_state', { ...facts, state: say('order.' + order.state) }) : say('wall.motion_order', facts));
        put(w.motionClock, say('motion.' + motion.state));
        put(w.motionUntil, say('wall.tally', { yes: t.yes, no: t.no, abstain: t.abstain, recused: t.recused }));
      }
    }
    w.chairs.forEach((it, i) => {
      const seat = i + 1, row = state.seats.get(seat), ballot = motion && motion.ballots.find(b => b.seat === seat);
      const recused = motion && motion.recused.some(r => r.seat === seat), named = ballot && ballot.choice === 'named';
      const choice = recused ? 'recuse' : !ballot ? '' : named ? (ballot.options.includes(motion.chosen) ? 'yes' : 'no') : ballot.choice;
      set(it.g, { 'data-choice': choice || null, 'data-present': row && row.present ? 'yes' : 'no' });
      set(it.vote, { d: room.SHAPES[choice] && choice !== 'sealed' ? room.SHAPES[choice] : 'M0 0' });
      put(it.number, room.SHAPES[choice] && choice !== 'sealed' ? '' : String(seat));
      const name = row ? row.occupant : '';
      put(it.name, short(name));
      put(it.word, named ? ballot.options.join(', ').toUpperCase() : choice ? say('choice.' + choice) : motion && motion.state === 'open' ? say('choice.waiting') : row && row.present ? say('seat.present') : say('seat.away'));
    });
    const said = w.chairs.map((it, i) => say('wall.seat', { seat: i + 1, said: it.word.textContent })).join(', ');
    if (w.said !== said) { w.said = said; set(w.ring, { 'aria-label': said }); }
  };

  const paintTicker = state => {
    const lines = state.ticker.slice(-LINES).reverse();
    w.lines.forEach((it, i) => {
      const line = lines[i];
      // A long line takes the whole width, so that it is read to its end; older ones make room for it.
      set(it.node, { 'data-kind': line ? line.kind : null, 'data-wide': line && line.text.length > LONG ? 'yes' : null });
      put(it.at, line ? clock(line.at) : '');
      const unit = line && state.units.get(line.unit);
      put(it.unit, line ? (unit ? unit.title || unit.id : line.unit) : '');
      put(it.text, line ? uom(line.text) : i ? '' : say('wall.no_telex'));
    });
  };

  const paintStatus = state => {
    const now = room.now(), line = state.line;
    put(w.clock, clock(now)); put(w.day, day(now) + ' UTC');
    show(w.speed, state.speed !== 1);
    put(w.speed, say('wall.speed', { speed: state.speed }));
    show(w.waiting, false);
    const cut = room.cut(), trouble = cut ? '' : ill(state);
    show(w.down, Boolean(cut || trouble)); put(w.downText, cut || trouble);
    set(w.down, { 'data-kind': trouble ? 'ill' : 'cut', 'data-long': trouble.length > 190 || null, title: trouble || null });
    set(w.root, { 'data-line': cut ? 'down' : 'up' });
    reshape(w.lineMark, cut ? 'no' : 'calm');
    put(w.connection, say(state.connected ? 'wall.connected' : 'wall.cut'));
    const open = [...state.alarms.values()].filter(a => a.state !== 'closed').length;
    put(w.alarms, count(open));
    if (line) {
      put(w.oldest, line.oldest_s === null ? '–' : span(line.oldest_s));
      put(w.links, count(line.links)); put(w.plants, count(line.plants)); put(w.silent, count(line.silent));
      put(w.telexes, count(line.telexes)); put(w.refused, count(line.refused));
      // What was refused stands here for ten minutes of the room: somebody has tried what is not theirs.
      const tried = line.attempt_at !== null && line.attempt_at !== undefined && now - line.attempt_at < 600;
      const told = tried ? say('wall.attempt', { reason: line.attempt }) : '';
      show(w.trouble, Boolean(told)); put(w.trouble, told); set(w.trouble, { title: told || null });
    }
    const focus = state.units.get(state.focus);
    show(w.state, Boolean(focus) && focus.state !== 'calm');
    if (focus) {
      set(w.state, { 'data-state': focus.state });
      reshape(w.stateMark, focus.state); put(w.stateWord, say('state.' + focus.state));
      put(w.performance, room.hive.percent(focus.performance));
      put(w.productivity, room.hive.percent(focus.productivity));
      put(w.latency, room.hive.percent(focus.latency));
    }
  };

  const build = root => {
    const hive = room.hive.build(), items = Array.from({ length: EXCEPTIONS }, exception);
    const text = (tag, name) => el(tag, { class: name });
    w = {
      root, items, heard: null, said: null,
      state: text('p', 'chip'), stateMark: shape('calm'), stateWord: text('span', ''),
      clock: text('strong', 'now'), day: text('span', 'day'), speed: text('span', 'speed'),
      performance: text('strong', ''), productivity: text('strong', ''), latency: text('strong', ''),
      count: text('span', 'count'), flood: text('span', 'flood'), more: text('p', 'more'), suspects: text('ul', 'suspects'),
      calm: text('span', ''), absorbed: text('strong', 'absorbed'), last: text('p', 'last'), watched: text('p', 'watched'),
      waiting: el('p', { class: 'waiting' }, say('wall.waiting')),
      speaker: el('p', { class: 'unseen', role: 'status' }),
      motionTitle: text('h3', ''), motionText: text('p', 'order'), motionClock: text('strong', 'clock'), motionUntil: text('span', 'until'),
      held: el('p', { class: 'held' }, say('wall.held')),
      down: el('div', { class: 'down', role: 'alert' }), downText: text('strong', ''),
      lineMark: shape('calm'), connection: text('strong', ''), oldest: text('strong', ''), alarms: text('strong', ''), links: text('strong', ''),
      plants: text('strong', ''), silent: text('strong', ''), telexes: text('strong', ''), refused: text('strong', ''), trouble: text('strong', 'trouble'),
      ring: svg('svg', { viewBox: '-335 -60 670 222', class: 'ring7', role: 'img' }),
      lines: Array.from({ length: LINES }, () => { const at = text('time', ''), unit = text('span', 'unit'), t = text('span', 'text'); return { at, unit, text: t, node: el('li', {}, at, unit, t) }; }),
    };
    w.chairs = Array.from({ length: SEATS }, (_, i) => {
      const it = chair(i + 1), x = (i - 3) * 94;
      set(it.g, { transform: `translate(${x} ${(44 * Math.pow((i - 3) / 3, 2)).toFixed(0)})` });
      w.ring.append(it.g);
      return it;
    });
    w.down.append(shape('no'), w.downText);
    w.state.append(w.stateMark, w.stateWord);
    w.sum = el('p', { class: 'sum' }, w.absorbed, el('span', {}, say('wall.absorbed')));
    w.quiet = el('div', { class: 'quiet' }, el('p', { class: 'calmword' }, shape('calm'), w.calm), w.sum, w.watched, w.last);
    w.exceptions = el('section', { class: 'exceptions', 'aria-label': say('wall.exceptions') },
      el('h2', {}, say('wall.exceptions'), w.count, w.flood), w.quiet, ...items.map(i => i.node), w.more, w.suspects);
    w.council = el('section', { class: 'council', 'aria-label': say('wall.council') },
      el('h2', {}, say('wall.council'), w.held),
      el('div', { class: 'motion' }, el('div', {}, w.motionTitle, w.motionText), el('p', { class: 'runs' }, w.motionClock, w.motionUntil)), w.ring);
    const fact = (label, node) => el('li', {}, el('span', {}, say(label)), node);
    root.replaceChildren(
      el('header', { class: 'top' },
        el('div', { class: 'title' }, el('h1', {}, root.dataset.title || ''), el('div', { class: 'way' }, hive.crumbs, w.state)),
        el('dl', { class: 'vector' },
          el('div', { class: 'most' }, el('dt', {}, say('wall.performance')), el('dd', {}, w.performance)),
          el('div', {}, el('dt', {}, say('wall.productivity')), el('dd', {}, w.productivity)),
          el('div', {}, el('dt', {}, say('wall.latency')), el('dd', {}, w.latency))),
        el('p', { class: 'time' }, w.clock, el('span', {}, w.day, w.speed))),
      el('section', { class: 'system', 'aria-label': say('hive.label') }, hive.drawing),
      el('aside', { class: 'people' }, w.exceptions, w.council),
      room.feed.build(),
      el('section', { class: 'ticker', 'aria-label': say('wall.ticker') }, el('ol', {}, ...w.lines.map(l => l.node))),
      el('footer', { class: 'status' }, el('ul', {},
        el('li', { class: 'line' }, w.lineMark, w.connection), fact('wall.oldest', w.oldest), fact('wall.alarms', w.alarms), fact('wall.links', w.links),
        fact('wall.plants', w.plants), fact('wall.silent', w.silent), fact('wall.telexes', w.telexes), fact('wall.refused', w.refused),
        el('li', { class: 'more' }, w.trouble, el('a', { href: '/line' }, say('wall.line'))))),
      w.down, w.speaker, w.waiting);
    for (const node of [w.down, w.held, w.more, ...items.map(i => i.node)]) show(node, false);
  };
  room.mount('#wall', build);
  room.draw(state => {
    if (!w || !document.contains(w.root)) return;
    paintStatus(state); paintExceptions(state); paintCouncil(state); paintTicker(state);
  });
})();
