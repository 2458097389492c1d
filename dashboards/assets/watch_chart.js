// The page of a unit: its flowchart with the bottleneck marked, what it agreed with whom, who looked at its readings.
// Drawn from /api/units/<id>/page, again whenever the room says that something happened, and every few seconds.
'use strict';
(() => {
  const room = window.opsroom;
  const { el, svg, say, figure, count, uom, clock, day, span, state } = room;
  const EVERY_MS = 4000, WIDE = 1000, SUBJECTS = ['power', 'shifts', 'stock', 'transport', 'other'];
  let root = null, unit = '', page = null, asked = 0, drawn = '', pulse = -1;

  const when = at => (at === null || at === undefined ? say('chart.for_ever') : day(at) + ' ' + clock(at, false));
  const percent = x => (x === null || x === undefined ? '–' : Math.round(100 * x) + '\u2009%');
  const amount = (x, of) => figure(x) + (of ? '\u00a0' + uom(of) : '');
  const named = part => (page.chart.parts.find(one => one.part === part) || { title: part }).title;

  // ---- commands: a form's fields become the members of a command; the answer is said beside it
  const give = async (command, said) => {
    said.textContent = '';
    try {
      const answer = await fetch('/api/commands', {
        method: 'POST', headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ command, key: crypto.randomUUID ? crypto.randomUUID() : String(Math.random()) }),
      });
      const told = await answer.json();
      said.textContent = answer.ok ? say('chart.done') : told.reason + (told.cure ? ': ' + told.cure : '');
      said.dataset.ok = String(answer.ok);
    } catch { said.textContent = say('login.unreachable'); }
    drawn = '';
    ask();
  };
  const field = (label, input) => el('label', { class: 'field' }, el('span', {}, label), input);
  const text = (name, value = '') => el('input', { name, type: 'text', value, autocomplete: 'off' });
  const choose = (name, options) => el('select', { name }, ...options.map(([value, title]) => el('option', { value }, title)));
  const form = (title, fields, button, make) => {
    const said = el('p', { class: 'said', role: 'status' });
    const body = el('form', {}, ...fields, el('button', { type: 'submit' }, button), said);
    body.addEventListener('submit', event => {
      event.preventDefault();
      give(make(Object.fromEntries(new FormData(body))), said);
    });
    return el('details', { class: 'deed', 'data-deed': title }, el('summary', {}, title), body);
  };
  const answer = (id, accept, refuse) => {
    const said = el('p', { class: 'said', role: 'status' }), reason = text('reason');
    reason.placeholder = say('chart.reason');
    reason.setAttribute('aria-label', say('chart.reason'));
    const yes = el('button', { type: 'button' }, say('chart.accept')), no = el('button', { type: 'button' }, say('chart.refuse'));
    yes.addEventListener('click', () => give(accept(reason.value), said));
    no.addEventListener('click', () => give(refuse(reason.value), said));
    return el('div', { class: 'answer', 'data-id': id }, reason, yes, no, said);
  };
  const hours = given => (given ? page.now + 3600 * Number(given) : null);

  // ---- the flowchart: boxes as large as their capability, lines as wide as their flow
  const layers = chart => {
    const depth = Object.fromEntries(chart.parts.map(part => [part.part, 0]));
    for (let turn = 0; turn < chart.parts.length; turn += 1)
      for (const flow of chart.flows)
        if (depth[flow.target] <= depth[flow.source] && depth[flow.source] + 1 < chart.parts.length) depth[flow.target] = depth[flow.source] + 1;
    return depth;
  };
  const worths = chart => {
    // How much of the whole one unit of a part makes: by itself, or in what it feeds.
    const worth = Object.fromEntries(chart.parts.map(part => [part.part, part.worth]));
    for (let turn = 0; turn < chart.parts.length; turn += 1)
      for (const flow of chart.flows) worth[flow.source] = Math.max(worth[flow.source], worth[flow.target] / flow.per);
    return worth;
  };
  const bars = (chart, part, x, y, wide) => {
    const most = Math.max(part.potentiality || 0, part.capability || 0, part.does || 0, (part.index || 0) * (part.capability || 0)) || 1;
    const does = part.does === null ? (part.index === null ? null : part.index * part.capability) : part.does;
    const rows = [['potentiality', part.potentiality], ['capability', part.capability], ['actuality', does]];
    return rows.filter(row => row[1] !== null && row[1] !== undefined).map(([name, value], at) =>
      svg('rect', { class: 'bar ' + name, x, y: y + at * 5, width: wide * value / most, height: 26 - at * 10, rx: 2 }));
  };
  const flowchart = chart => {
    const depth = layers(chart), worth = worths(chart), columns = [];
    for (const part of chart.parts) (columns[depth[part.part]] = columns[depth[part.part]] || []).push(part);
    const listed = columns.filter(Boolean), biggest = Math.max(...chart.parts.map(part => (part.capability || 0) * worth[part.part]), 1e-9);
    const tallest = Math.max(...listed.map(column => column.length)), high = Math.max(300, tallest * 158 + 20);
    const wide = Math.min(280, (WIDE - 200) / listed.length - 60), place = {}, shapes = [];
    const step = (WIDE - 210 - wide) / Math.max(1, listed.length - 1);
    listed.forEach((column, at) => column.forEach((part, row) => {
      const size = 92 + 44 * ((part.capability || 0) * worth[part.part]) / biggest;
      place[part.part] = { x: 10 + at * step, y: (row + .5) * high / column.length - size / 2, size, part };
    }));
    const most = Math.max(...chart.flows.map(flow => (flow.could || 0) * worth[flow.source]), biggest, 1e-9);
    for (const flow of chart.flows) {
      const a = place[flow.source], b = place[flow.target], back = b.x <= a.x;
      const x1 = a.x + (back ? 0 : wide), y1 = a.y + a.size / 2 + (back ? 20 : 0), x2 = b.x + (back ? wide : 0), y2 = b.y + b.size / 2 + (back ? 20 : 0), bend = back ? -60 : (x2 - x1) / 2;
      const thick = flow.amount === null ? 2 : 2 + 16 * flow.amount * worth[flow.source] / most;
      shapes.push(svg('path', { class: 'flow' + (flow.amount === null ? ' hidden-amount' : ''), d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`, 'stroke-width': thick }));
      const mx = (x1 + x2) / 2, my = (y1 + y2) / 2 + (back ? 34 : -14);
      shapes.push(svg('text', { class: 'product', x: mx, y: my - (flow.stock ? 16 : 0), 'text-anchor': 'middle' }, flow.product));
      if (flow.stock) {
        const parts = flow.stock_level === null ? say('chart.stock') : say('chart.stock_of', { amount: figure(flow.stock_level) });
        shapes.push(svg('path', { class: 'stock', d: `M${mx - 13} ${my - 6}h26l-13 20z` }), svg('text', { class: 'small', x: mx, y: my + 32, 'text-anchor': 'middle' }, parts));
      }
    }
    for (const { x, y, size, part } of Object.values(place)) {
      const decides = part.part === chart.bottleneck && chart.parts.length > 1 && chart.flows.length > 0;
      const behind = part.part === chart.holds_back;
      const group = svg('g', { class: 'box' + (decides ? ' bottleneck' : '') + (part.missing ? ' silent' : '') });
      group.append(svg('rect', { class: 'body', x, y, width: wide, height: size, rx: 12 }));
      group.append(svg('text', { class: 'name', x: x + 14, y: y + 27 }, part.title));
      group.append(...bars(chart, part, x + 14, y + 38, wide - 28));
      const does = part.missing ? say('chart.silent') : part.does === null ? percent(part.index) : amount(part.does, part.uom);
      group.append(svg('text', { class: 'small', x: x + 14, y: y + 84 }, say('chart.of', { does, can: amount(part.capability, part.uom) })));
      if (decides) group.append(svg('text', { class: 'mark', x: x + 14, y: y + size + 22 }, say('chart.bottleneck')));
      else if (behind) group.append(svg('text', { class: 'mark behind', x: x + 14, y: y + size + 22 }, say('chart.behind', { amount: amount(part.held_back, chart.measure) })));
      if (part.worth > 0) group.append(svg('path', { class: 'flow out', d: `M${x + wide} ${y + size / 2}H${WIDE - 150}`, 'stroke-width': 2 + 16 * ((part.does ?? (part.index ?? 0) * (part.capability || 0)) * worth[part.part]) / most }));
      shapes.push(group);
    }
    const out = svg('g', { class: 'whole' }, svg('rect', { class: 'body', x: WIDE - 150, y: high / 2 - 70, width: 145, height: 140, rx: 70 }),
      svg('text', { x: WIDE - 78, y: high / 2 - 16, 'text-anchor': 'middle', class: 'value' }, chart.value === null ? '?' : figure(chart.value)),
      svg('text', { x: WIDE - 78, y: high / 2 + 12, 'text-anchor': 'middle', class: 'small' }, uom(chart.measure)),
      svg('text', { x: WIDE - 78, y: high / 2 + 40, 'text-anchor': 'middle', class: 'small' }, percent(chart.productivity)));
    return svg('svg', { class: 'flowchart', viewBox: `0 -10 ${WIDE} ${high + 30}`, role: 'img', 'aria-label': spoken(chart) }, ...shapes, out);
  };
  const spoken = chart => {
    const said = [];
    if (chart.value === null) said.push(say('chart.unknown', { low: figure(chart.low), high: figure(chart.high), measure: uom(chart.measure) }));
    else said.push(say('chart.whole', { value: amount(chart.value, chart.measure), can: amount(chart.capability, chart.measure), best: amount(chart.potentiality, chart.measure) }));
    if (chart.missing.length) said.push(say('chart.missing', { parts: chart.missing.map(named).join(', ') }));
    if (chart.flows.length && chart.bottleneck) said.push(say('chart.decides', { part: named(chart.bottleneck) }));
    if (chart.holds_back) {
      const part = chart.parts.find(one => one.part === chart.holds_back);
      said.push(say('chart.holds_back', { part: part.title, amount: amount(part.held_back, chart.measure) }));
    }
    return said.join(' ');
  };
  const ratios = chart => el('dl', { class: 'ratios' }, ...['productivity', 'latency', 'performance'].flatMap(name => [
    el('div', {}, el('dt', {}, say('wall.' + name)), el('dd', {}, percent(chart[name])), el('p', {}, say({ productivity: 'chart.productivity', latency: 'chart.latency', performance: 'chart.performance' }[name])))]));

  // ---- the right side: what waits, what is agreed, who looked
  const block = (title, rows, none) => el('section', {}, el('h2', {}, title), ...(rows.length ? rows : [el('p', { class: 'none' }, none)]));
  const terms = (row, of = '') => [
    ['capability', row.capability], ['potentiality', row.potentiality]].filter(one => one[1] !== null && one[1] !== undefined)
    .map(([name, value]) => say({ capability: 'chart.capability', potentiality: 'chart.potentiality' }[name], { value: amount(value, of) }))
    .concat(row.recovery_s ? [say('chart.recovery', { time: span(row.recovery_s) })] : [])
    .concat(row.normal_low !== null && row.normal_high !== null && row.normal_low !== undefined ? [say('chart.normal', { low: figure(row.normal_low), high: figure(row.normal_high) })] : []).join(', ');
  const mine = side => (page.own ? 'unit' : 'room') !== side && state.viewer && (page.own || ['seat', 'operator'].includes(state.viewer.role));
  const agreed = key => page.agreements.find(row => row.signal === key);
  const titled = key => (agreed(key) || { title: key.split('/')[1] }).title;
  const unit_of = key => (agreed(key) || { uom: '' }).uom;
  const asks = row => (row.about === 'sight'
    ? say(row.until === null ? 'chart.wants_sight_open' : 'chart.wants_sight', { who: row.asked_by, what: row.signals.map(name => titled(row.unit + '/' + name)).join(', ') || say('chart.all_signals'), until: when(row.until) })
    : say('chart.wants_orders', { who: row.asked_by, orders: row.declines.join(', ') || say('chart.none') }));
  const waiting = () => [
    ...page.proposals.map(row => el('article', {}, el('p', {}, el('strong', {}, titled(row.signal)), ' ', terms(row, unit_of(row.signal))),
      el('p', { class: 'small' }, say('chart.proposed', { who: row.by, why: row.reason })),
      mine(row.side) ? answer(row.id, reason => ({ command: 'answer-agreement', proposal: row.id, accept: true, reason }), reason => ({ command: 'answer-agreement', proposal: row.id, accept: false, reason })) : el('p', { class: 'small' }, say('chart.other_side')))),
    ...page.requests.filter(row => row.answered_at === null).map(row => el('article', {},
      el('p', {}, asks(row)),
      el('p', { class: 'small' }, row.reason),
      mine(row.side) ? answer(row.id, reason => ({ command: 'answer-request', request: row.id, accept: true, reason }), reason => ({ command: 'answer-request', request: row.id, accept: false, reason })) : el('p', { class: 'small' }, say('chart.other_side')))),
  ];
  const reply = row => (row.accepted ? say('chart.said_yes', { who: row.answered_by, at: when(row.answered_at) }) + (row.answer ? ': ' + row.answer : '')
    : row.answered_by ? say('chart.said_no', { who: row.answered_by, at: when(row.answered_at), why: row.answer })
      : say('chart.said_nothing', { at: when(row.answered_at), why: row.answer }));
  const answered = () => [
    ...page.turned_down.map(row => [row, el('strong', {}, titled(row.signal)), ' ' + terms(row, unit_of(row.signal))]),
    ...page.requests.filter(row => row.answered_at !== null).map(row => [row, asks(row)]),
  ].sort((one, other) => other[0].answered_at - one[0].answered_at)
    .map(([row, ...told]) => el('article', { 'data-answered': row.accepted ? 'yes' : 'no' }, el('p', {}, ...told),
      el('p', { class: 'reply' }, reply(row)), el('p', { class: 'small' }, say('chart.asked_before', { who: row.by || row.asked_by, why: row.reason }))));
  const accord = row => el('article', { 'data-state': row.state },
    el('p', {}, el('strong', {}, row.titles.join(' · ')), ' ', el('span', { class: 'badge' }, say('accord.' + row.state))),
    el('p', {}, row.words),
    el('p', { class: 'small' }, say('chart.accord_by', { who: row.proposed_by, until: when(row.until) }) + (row.waits_for.length ? ' ' + say('chart.waits_for', { who: row.waits_for.map(one => row.titles[row.parties.indexOf(one)]).join(', ') }) : '') + (row.ended_reason ? ' ' + row.ended_reason : '')),
    page.own && row.waits_for.includes(page.unit) ? answer(row.id, reason => ({ command: 'answer-accord', accord: row.id, accept: true, reason }), reason => ({ command: 'answer-accord', accord: row.id, accept: false, reason })) : null);
  const grant = row => {
    const said = el('p', { class: 'said', role: 'status' });
    const back = page.own && row.unit === page.unit && row.ended_at === null ? el('button', { type: 'button' }, say('chart.revoke')) : null;
    if (back) back.addEventListener('click', () => give({ command: 'revoke-grant', grant: row.id }, said));
    return el('article', { class: row.ended_at === null ? '' : 'over' },
      el('p', {}, el('strong', {}, row.unit === page.unit ? say('chart.granted_to', { who: row.to_title }) : say('chart.granted_by', { who: row.unit })), ' ', row.signals.join(', ') || say('chart.all_signals')),
      el('p', { class: 'small' }, row.purpose + ' · ' + (row.ended_at !== null ? row.ended_reason : row.until === null ? say('chart.for_ever') : say('chart.until', { until: when(row.until) }))), back, said);
  };
  const look = row => el('article', {},
    el('p', {}, el('strong', {}, row.occupant || row.account), ': ' + (row.signals.filter(Boolean).join(', ') || say('chart.all_signals'))),
    el('p', { class: 'small' }, say('chart.looked', { at: when(row.last_at), times: count(row.times), door: row.door, why: row.purpose })));
  const opened = rows => {
    // What others opened to this unit in one breath stands as one entry.
    const kept = rows.filter(row => row.unit === page.unit), groups = new Map();
    for (const row of rows.filter(one => one.unit !== page.unit)) {
      const key = [row.purpose, row.until, row.ended_at, row.signals.join()].join('|');
      groups.set(key, [...(groups.get(key) || []), row]);
    }
    return [...kept.map(grant), ...[...groups.values()].map(some => grant({ ...some[0], unit: some.map(row => (state.units.get(row.unit) || { title: row.unit }).title).join(', ') }))];
  };
  const probe = row => el('article', {}, el('p', {}, el('strong', {}, row.signal.split('/')[1]), ' ', when(row.start) + ' – ' + clock(row.end, false)), el('p', { class: 'small' }, say('chart.probed', { who: row.asked_by, at: when(row.asked_at), why: row.purpose })));
  const version = row => el('li', {}, el('span', { class: 'small' }, when(row.agreed_at)), ' ', el('strong', {}, row.of.split('/')[1] || say('chart.orders'), ' v' + row.version), ' ', row.of.includes('/') ? terms(row) : say('chart.declines', { orders: row.declines.join(', ') || say('chart.none') }), ' ', el('span', { class: 'small' }, row.agreed_by + (row.reason ? ': ' + row.reason : '')));

  const forms = () => {
    const viewer = state.viewer || { role: 'viewer' }, listed = [], names = page.agreements.map(row => [row.signal.split('/')[1], row.title]);
    const inside = viewer.role === 'seat' || viewer.role === 'operator';
    const number = value => (value === '' || value === undefined ? null : Number(value));
    if (page.plant && (page.own || inside)) {
      listed.push(form(say('chart.propose'), [field(say('chart.signal'), choose('signal', names)), field(say('chart.new_capability'), text('capability')), field(say('chart.new_potentiality'), text('potentiality')), field(say('chart.new_recovery'), text('minutes')), field(say('chart.reason'), text('reason'))], say('chart.propose_now'),
        data => ({ command: 'propose-agreement', signal: page.unit + '/' + data.signal, capability: number(data.capability), potentiality: number(data.potentiality), recovery_s: data.minutes ? 60 * Number(data.minutes) : null, reason: data.reason })));
      listed.push(form(say('chart.propose_orders'), [field(say('chart.declined_orders'), text('declines', page.declines.join(', '))), field(say('chart.reason'), text('reason'))], say('chart.propose_now'),
        data => ({ command: 'propose-orders', unit: page.unit, declines: data.declines.split(',').map(one => one.trim()).filter(Boolean), reason: data.reason })));
    }
    if (page.plant && page.own) listed.push(form(say('chart.grant'), [field(say('chart.to'), choose('to', [...page.above, ...page.siblings].map(one => [one, (state.units.get(one) || { title: one }).title]))), field(say('chart.only_signals'), text('signals')), field(say('chart.purpose'), text('purpose')), field(say('chart.hours'), text('hours'))], say('chart.grant_now'),
      data => ({ command: 'grant-sight', to: data.to, purpose: data.purpose, signals: data.signals.split(',').map(one => one.trim()).filter(Boolean), until: hours(data.hours) })));
    if (page.plant && !page.own && viewer.role !== 'viewer') listed.push(form(say('chart.ask'), [field(say('chart.only_signals'), text('signals')), field(say('chart.purpose'), text('purpose')), field(say('chart.hours'), text('hours'))], say('chart.ask_now'),
      data => ({ command: 'ask-for-sight', unit: page.unit, purpose: data.purpose, signals: data.signals.split(',').map(one => one.trim()).filter(Boolean), until: hours(data.hours) })));
    if (page.own) listed.push(form(say('chart.accord'), [field(say('chart.with'), choose('other', page.siblings.map(one => [one, (state.units.get(one) || { title: one }).title]))), field(say('chart.subject'), choose('subject', SUBJECTS.map(one => [one, say('subject.' + one)]))), field(say('chart.words'), text('words')), field(say('chart.hours'), text('hours', '8'))], say('chart.propose_now'),
      data => ({ command: 'propose-accord', parties: [page.unit, data.other], subject: data.subject, words: data.words, until: hours(data.hours || 8) })));
    if (page.plant && inside) listed.push(form(say('chart.probe'), [field(say('chart.signal'), choose('signal', names)), field(say('chart.last_hours'), text('hours', '1')), field(say('chart.purpose'), text('purpose'))], say('chart.probe_now'),
      data => ({ command: 'ask-probe', signal: page.unit + '/' + data.signal, start: page.now - 3600 * Number(data.hours || 1), end: page.now, purpose: data.purpose })));
    return listed;
  };

  const paint = () => {
    const seen = JSON.stringify({ ...page, now: 0, viewer: state.viewer, own_triple: page.chart ? 0 : (state.units.get(page.unit) || {}).performance });
    // Nothing is drawn under somebody's hands: an open form keeps its fields until it is sent or closed.
    if (seen === drawn || (drawn && root.querySelector('form :focus, .answer input:focus, details[open] form'))) return;
    drawn = seen;
    const v = page.variety, chart = page.chart, left = [], right = [];
    if (chart) left.push(flowchart(chart), el('p', { class: 'spoken' }, spoken(chart)), ratios(chart));
    else {
      left.push(el('p', { class: 'spoken' }, say(page.plant ? 'chart.a_plant' : 'chart.no_chart')));
      const own = state.units.get(page.unit);
      if (own && own.performance !== null) left.push(ratios(own));
    }
    if (v) left.push(el('p', { class: 'variety' }, say('chart.variety', { readings: count(v.readings_day), all: count(v.readings), came: count(v.came_day), came_all: count(v.came), went: count(v.went_day), went_all: count(v.went) })));
    if (page.agreements.length) left.push(el('section', { class: 'agreed' }, el('h2', {}, say('chart.agreements')), el('table', {}, el('tbody', {}, ...page.agreements.map(row =>
      el('tr', {}, el('td', {}, row.title), el('td', {}, terms(row, row.uom)), el('td', { class: 'small' }, 'v' + row.version + ' · ' + row.agreed_by)))))));
    const replies = answered().slice(0, 12);
    if (replies.length) left.push(block(say('chart.answered'), replies, ''));
    right.push(block(say('chart.waiting'), waiting(), say('chart.nothing_waits')));
    const open = forms();
    if (open.length) right.push(el('section', {}, el('h2', {}, say('chart.do')), ...open));
    right.push(block(say('chart.accords'), page.accords.map(accord), say('chart.no_accords')));
    if (page.plant || page.grants.length) right.push(block(say('chart.grants'), opened(page.grants), say('chart.no_grants')));
    if (page.looks) right.push(block(say('chart.looks'), page.looks.slice(0, 30).map(look), say('chart.no_looks')));
    if (page.plant) right.push(block(say('chart.probes'), page.probes.map(probe), say('chart.no_probes')));
    if (page.versions.length) right.push(el('details', {}, el('summary', {}, say('chart.history', { count: page.versions.length })), el('ol', { class: 'versions' }, ...page.versions.map(version))));
    const parent = page.parent ? el('a', { href: '/chart/' + page.parent }, say('chart.above')) : null;
    const parts = [...new Set((chart ? chart.parts : []).map(part => part.unit))].map(id => el('a', { href: '/chart/' + id }, (chart.parts.find(part => part.unit === id) || {}).title));
    root.replaceChildren(
      el('header', { class: 'top' }, el('div', {}, el('h1', {}, page.title), el('p', {}, page.level)), el('nav', { 'aria-label': say('chart.ways') }, el('a', { href: '/' }, say('desk.wall')), parent, ...parts), el('p', { class: 'time', id: 'chart-time' }, clock(page.now, false))),
      el('div', { class: 'left' }, ...left), el('div', { class: 'right', tabindex: '0', 'aria-label': say('chart.agreements') }, ...right));
  };
  const ask = async () => {
    asked = performance.now();
    const answered = await fetch('/api/units/' + encodeURIComponent(unit) + '/page').catch(() => null);
    if (!answered || !root) return;
    if (!answered.ok) { root.replaceChildren(el('p', { class: 'spoken' }, (await answered.json()).reason || '')); return; }
    page = await answered.json();
    paint();
  };
  room.mount('#chart', node => { root = node; unit = node.dataset.unit; drawn = ''; page = null; ask(); });
  room.draw(() => {
    if (!root || !root.isConnected) return;
    if (performance.now() - asked > EVERY_MS || (state.pulse !== pulse && performance.now() - asked > 500)) { pulse = state.pulse; ask(); }
  });
})();
