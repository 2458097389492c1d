// One signal through time: its readings on the band in which they were expected, its alarms, a moment that can be pointed at, copied
// and sent as an address. What is shown stands in the address; without `end` it follows the present.
'use strict';
(() => {
  const room = window.opsroom;
  const { el, put, set, show, say, figure, uom, clock, day, count, state } = room;
  const HOUR = 3600, DAY = 86400, SPANS = [HOUR, 8 * HOUR, DAY, 7 * DAY, 30 * DAY], RAW_MOST = 3000, POINTS = 2000, FRESH_MS = 30000, ROWS = 20;
  const ROLLED = [['1min', 60], ['15min', 900], ['1h', HOUR], ['1d', DAY]];
  let w = null, key = '', span = 8 * HOUR, end = null, at = null, rows = [], every = '', loaded = null, asking = 0, asked = 0, drawn = '', hover = null, later = 0, about = null, colours = null;

  const row = () => state.signals.get(key) || about;
  const until = () => (end === null ? room.now() : end);
  const spoken = s => (s >= DAY ? say('signal.days', { days: s / DAY }) : say('signal.hours', { hours: s / HOUR }));

  // ---- the address
  const read = () => {
    const asked = new URLSearchParams(location.search), number = name => { const n = Number(asked.get(name)); return asked.get(name) && isFinite(n) ? n : null; };
    span = Math.min(Math.max(number('span') || 8 * HOUR, 60), 400 * DAY); end = number('end'); at = number('at');
  };
  const address = fixed => {
    const to = new URL(location.pathname, location.href), stop = end === null && fixed ? room.now() : end;
    to.searchParams.set('span', String(span));
    if (stop !== null) to.searchParams.set('end', stop.toFixed(0));
    if (at !== null) to.searchParams.set('at', String(at));
    return to.href;
  };
  const keep = () => { clearTimeout(later); later = setTimeout(() => history.replaceState(null, '', address(false)), 300); };

  // ---- readings: each one while they are few, their rollups where they are many
  const load = async () => {
    const mine = ++asking, signal = row();
    if (!signal) return;
    asked = performance.now();
    const stop = until(), start = stop - span;
    const rolled = span / Math.max(signal.period_s, .001) <= RAW_MOST ? null : ROLLED.find(([, s]) => span / s <= POINTS) || ROLLED[3];
    const answer = await fetch('/api/signals/' + key + '/readings?start=' + start + '&end=' + stop + (rolled ? '&every=' + rolled[0] : '')).catch(() => null);
    if (mine !== asking) return;
    const body = answer ? await answer.json().catch(() => null) : null;
    if (!answer || !answer.ok || !body) {
      rows = []; every = '';
      put(w.told, body && body.code === 'readings-at-home' ? say('signal.home') + ' ' + body.cure : body ? [body.reason, body.cure].filter(Boolean).join('. ') : say('signal.failed'));
    } else {
      every = rolled ? rolled[0] : '';
      rows = rolled ? body.rollups.map(r => ({ at: r.at, value: r.mean, low: r.min, high: r.max, named: r.worst, count: r.count }))
        : body.readings.filter(r => r.kind !== 'retracted').map(r => ({ at: r.at, value: r.value, low: r.low, high: r.high, named: r.named })).sort((a, b) => a.at - b.at);
      put(w.told, rows.length ? (rolled ? say('signal.each', { every: rolled[0].replace(/(\d)([a-z])/, '$1\u2009$2') }) : say('signal.band')) : say('signal.empty'));
    }
    loaded = { start, stop }; drawn = '';
  };
  // What comes while one looks: from the same ring as the wall's.
  const follow = () => {
    const kept = state.signals.get(key);
    if (end !== null || every || !loaded || !kept || !kept.ring) return;
    const { data, size } = kept.ring, last = rows.length ? rows[rows.length - 1].at : -Infinity, known = x => (isNaN(x) ? null : x);
    for (let i = 0; i < size; i++) if (data[4 * i] > last) rows.push({ at: data[4 * i], value: known(data[4 * i + 1]), low: known(data[4 * i + 2]), high: known(data[4 * i + 3]), named: kept.named });
    const from = room.now() - span;
    let gone = 0;
    while (gone < rows.length && rows[gone].at < from) gone += 1;
    if (gone) rows.splice(0, gone);
  };
  const go = (to, wide = span) => { end = to; span = wide; at = null; keep(); for (const b of w.spans) set(b, { 'aria-pressed': String(Number(b.dataset.span) === span) }); load(); };

  // ---- the picture
  const shade = name => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
  const palette = () => (colours = colours || Object.fromEntries(['grey', 'line', 'bone', 'amber', 'blue', 'sky', 'brown'].map(n => [n, shade(n)])));
  const steps = (low, high, most) => {
    const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough)), step = [1, 2, 5, 10].find(n => n * power >= rough) * power, out = [];
    for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-9; v += step) out.push(Math.abs(v) < step * 1e-9 ? 0 : v);
    return out;
  };
  const TICKS = [60, 300, 600, 900, 1800, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, DAY, 2 * DAY, 7 * DAY, 30 * DAY, 90 * DAY];
  const frame = () => {
    const ratio = window.devicePixelRatio || 1, box = w.canvas.getBoundingClientRect(), wide = Math.round(box.width * ratio), tall = Math.round(box.height * ratio);
    if (w.canvas.width !== wide || w.canvas.height !== tall) { w.canvas.width = wide; w.canvas.height = tall; }
    const size = Math.max(12, parseFloat(getComputedStyle(w.canvas).fontSize)) * ratio, stop = until(), start = stop - span;
    const given = v => (v === null || v === undefined ? NaN : v);
    let [low, high] = room.reach(rows.map(r => [given(r.value), given(r.low), given(r.high)]));
    if (!isFinite(low)) { low = 0; high = 1; }
    const room_ = (high - low || Math.abs(high) || 1) * .08;
    low -= room_; high += room_;
    const left = size * 5, right = wide - size, top = size * 1.2, bottom = tall - size * 2.2;
    return { wide, tall, size, start, stop, low, high, left, right, top, bottom, x: t => left + (right - left) * (t - start) / span, y: v => bottom - (bottom - top) * (v - low) / (high - low) };
  };
  const alarms = f => [...state.alarms.values()].filter(a => a.signal === key && (a.since || a.opened_at) >= f.start && (a.since || a.opened_at) <= f.stop).sort((a, b) => b.opened_at - a.opened_at);
  // Where nothing was told for long, nothing is drawn.
  const gap = () => (every ? 1.5 * (ROLLED.find(([name]) => name === every) || [0, DAY])[1] : 5 * ((row() || {}).period_s || 60));
  const line = (ctx, f, pick) => {
    const long = gap();
    let open = false, last = 0;
    for (const r of rows) {
      const v = pick(r);
      if (r.at - last > long) open = false;
      last = r.at;
      if (v === null || v === undefined) { open = false; continue; }
      open ? ctx.lineTo(f.x(r.at), f.y(v)) : ctx.moveTo(f.x(r.at), f.y(v));
      open = true;
    }
  };
  const paintPicture = (f, marked) => {
    const ctx = w.canvas.getContext('2d'), c = palette(), s = row(), thin = Math.max(1, f.size / 12);
    ctx.clearRect(0, 0, f.wide, f.tall);
    ctx.font = `${f.size}px Atkinson, Verdana, sans-serif`; ctx.lineWidth = thin; ctx.fillStyle = c.grey;
    ctx.textAlign = 'right'; ctx.textBaseline = 'middle'; ctx.strokeStyle = '#3a302a';
    for (const v of steps(f.low, f.high, 6)) { ctx.beginPath(); ctx.moveTo(f.left, f.y(v)); ctx.lineTo(f.right, f.y(v)); ctx.stroke(); ctx.fillText(figure(v), f.left - f.size * .5, f.y(v)); }
    ctx.textAlign = 'center'; ctx.textBaseline = 'top';
    const step = TICKS.find(t => span / t <= Math.max(3, (f.right - f.left) / (f.size * 8))) || 365 * DAY;
    for (let t = Math.ceil(f.start / step) * step; t <= f.stop; t += step) {
      ctx.beginPath(); ctx.moveTo(f.x(t), f.bottom); ctx.lineTo(f.x(t), f.bottom + f.size * .4); ctx.strokeStyle = c.line; ctx.stroke();
      ctx.fillText(step >= DAY || t % DAY === 0 ? day(t).slice(5) : clock(t, false), Math.min(Math.max(f.x(t), f.left), f.right - f.size), f.bottom + f.size * .6);
    }
    ctx.save(); ctx.beginPath(); ctx.rect(f.left, 0, f.right - f.left, f.bottom); ctx.clip();
    ctx.beginPath();
    let run = [];
    const close = () => { if (run.length) { run.forEach((r, i) => (i ? ctx.lineTo(f.x(r.at), f.y(r.high)) : ctx.moveTo(f.x(r.at), f.y(r.high)))); for (const r of run.reverse()) ctx.lineTo(f.x(r.at), f.y(r.low)); ctx.closePath(); } run = []; };
    const long = gap();
    for (const r of rows) {
      const known = r.low !== null && r.low !== undefined && r.high !== null && r.high !== undefined;
      if (!known || (run.length && r.at - run[run.length - 1].at > long)) close();
      if (known) run.push(r);
    }
    close();
    ctx.globalAlpha = .34; ctx.fillStyle = c.blue; ctx.fill(); ctx.globalAlpha = 1;
    ctx.textAlign = 'left'; ctx.textBaseline = 'bottom';
    if (s) for (const [v, name] of [[s.capability, 'signal.can'], [s.potentiality, 'signal.could']]) if (v !== null && v !== undefined && v > f.low && v < f.high) {
      ctx.strokeStyle = ctx.fillStyle = c.line; ctx.setLineDash([f.size * .6, f.size * .4]); ctx.beginPath(); ctx.moveTo(f.left, f.y(v)); ctx.lineTo(f.right, f.y(v)); ctx.stroke(); ctx.setLineDash([]);
      ctx.fillText(say(name, { capability: figure(s.capability), potentiality: figure(s.potentiality), uom: uom(s.uom) }), f.left + f.size * .4, f.y(v) - f.size * .2);
    }
    for (const a of alarms(f)) {
      const x = f.x(a.since || a.opened_at);
      ctx.strokeStyle = ctx.fillStyle = c.amber; ctx.lineWidth = thin * 1.5; ctx.setLineDash([f.size * .5, f.size * .35]); ctx.beginPath(); ctx.moveTo(x, f.top); ctx.lineTo(x, f.bottom); ctx.stroke(); ctx.setLineDash([]);
      ctx.beginPath(); ctx.moveTo(x, f.top - f.size); ctx.lineTo(x + f.size * .55, f.top); ctx.lineTo(x - f.size * .55, f.top); ctx.closePath(); ctx.fill();
    }
    ctx.beginPath(); line(ctx, f, r => r.value); ctx.strokeStyle = c.bone; ctx.lineWidth = thin * 1.6; ctx.lineJoin = 'round'; ctx.stroke();
    if (marked) {
      ctx.strokeStyle = c.sky; ctx.lineWidth = thin; ctx.beginPath(); ctx.moveTo(f.x(marked.at), f.top); ctx.lineTo(f.x(marked.at), f.bottom); ctx.stroke();
      if (marked.value !== null) { ctx.fillStyle = c.sky; ctx.beginPath(); ctx.arc(f.x(marked.at), f.y(marked.value), f.size * .4, 0, 7); ctx.fill(); }
    }
    ctx.restore();
  };

  // ---- the moment that is pointed at
  const nearest = moment => rows.reduce((best, r, i) => (best < 0 || Math.abs(r.at - moment) < Math.abs(rows[best].at - moment) ? i : best), -1);
  const shown = () => { const moment = hover === null ? at : hover, i = moment === null ? rows.length - 1 : nearest(moment); return rows[i] || null; };
  const more = r => (every ? say('signal.rolled', { count: count(r.count), low: figure(r.low), high: figure(r.high) })
    : r.low === null || r.low === undefined ? say('signal.no_band') : say('signal.expected', { low: figure(r.low), high: figure(r.high) }));
  const named = r => say('named.' + r.named);
  const owner = s => { const unit = state.units.get(s.unit); return unit ? unit.title || unit.id : s.unit; };
  const give = async text => {
    try { await navigator.clipboard.writeText(text); show(w.hand, false); put(w.said, say('signal.copied', { text })); }
    catch { put(w.said, say('signal.by_hand')); show(w.hand, true); w.hand.value = text; w.hand.focus(); w.hand.select(); }
  };
  const lost = () => { set(w.root, { 'data-lost': '' }); put(w.title, say('signal.lost')); put(w.owner, key); put(w.told, say('signal.look')); };
  const copy = () => { const r = shown(), s = row(); if (r && s) give(say('signal.figure', { title: s.title || s.name, unit: owner(s), value: figure(r.value), uom: uom(s.uom), day: day(r.at), at: clock(r.at), more: more(r) })); };
  const move = event => {
    const far = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (!far || !rows.length) return;
    event.preventDefault();
    const here = at === null ? rows.length - 1 : nearest(at), to = Math.min(rows.length - 1, Math.max(0, here + far * (event.shiftKey ? 10 : 1)));
    at = rows[to].at; hover = null; drawn = ''; keep();
    put(w.loud, clock(rows[to].at) + ', ' + figure(rows[to].value) + ', ' + more(rows[to]));
  };
  const pointed = event => { const f = frame(), box = w.canvas.getBoundingClientRect(); return f.start + ((event.clientX - box.left) * f.wide / box.width - f.left) / (f.right - f.left) * span; };

  const paint = () => {
    const s = row(), f = frame(), marked = shown();
    put(w.title, s ? s.title || s.name : key); put(w.owner, s ? owner(s) : '');
    show(w.plan, Boolean(s) && s.capability !== null && s.capability !== undefined);
    if (s) put(w.plan, say('signal.plan', { capability: figure(s.capability), potentiality: figure(s.potentiality), uom: uom(s.uom) }));
    put(w.value, marked ? figure(marked.value) : '–'); put(w.uom, s ? uom(s.uom) : '');
    put(w.moment, marked ? day(marked.at) + ' ' + clock(marked.at) + ' UTC' : ''); put(w.more, marked ? named(marked) + ' · ' + more(marked) : '');
    paintPicture(f, at === null && hover === null ? null : marked);
    set(w.canvas, { 'aria-label': say('signal.picture', { title: s ? s.title || s.name : key }) });
    const found = alarms(f), told = found.map(a => a.id + a.state).join();
    if (w.alarms.dataset.told !== told) {
      w.alarms.dataset.told = told;
      w.alarms.replaceChildren(...(found.length ? found.map(a => el('li', {}, el('time', {}, clock(a.since || a.opened_at, false)), el('a', { href: '/alarms?alarm=' + encodeURIComponent(a.id) }, a.title), el('small', {}, say('alarm.' + a.state)))) : [el('li', { class: 'calm' }, say('signal.no_alarms'))]));
    }
    if (w.deep.open) w.table.replaceChildren(...rows.slice(-ROWS).reverse().map(r => el('tr', {}, el('td', {}, clock(r.at)), el('td', {}, figure(r.value)), el('td', {}, figure(r.low)), el('td', {}, figure(r.high)))));
  };

  room.mount('#signal', root => {
    key = root.dataset.signal; rows = []; every = ''; loaded = null; about = null; asked = 0; drawn = ''; hover = null; colours = null;
    read();
    const press = (words, act, more = {}) => { const b = el('button', { type: 'button', class: 'act', ...more }, words); b.addEventListener('click', act); return b; };
    w = {
      root, title: el('h1'), owner: el('p'), plan: el('span', { class: 'plan' }), clock: el('strong', { class: 'now' }), value: el('strong'), uom: el('span'), moment: el('p'), more: el('p'), told: el('p', { class: 'told', role: 'status' }),
      canvas: el('canvas', { tabindex: 0, role: 'img' }), said: el('p', { class: 'said', role: 'status' }), loud: el('p', { class: 'unseen', role: 'status' }), hand: el('input', { type: 'text', readonly: true, hidden: true, 'aria-label': say('signal.link') }),
      alarms: el('ol', { class: 'lines' }), table: el('tbody'), spans: SPANS.map(s => press(spoken(s), () => go(end, s), { 'data-span': s, 'aria-pressed': String(s === span) })),
    };
    w.now = press(say('signal.now'), () => go(null));
    w.deep = el('details', {}, el('summary', {}, say('signal.table')), el('table', {}, el('thead', {}, el('tr', {}, ...['table.at', 'table.value', 'table.low', 'table.high'].map(word => el('th', { scope: 'col' }, say(word))))), w.table));
    w.canvas.addEventListener('keydown', move);
    w.canvas.addEventListener('pointermove', event => { hover = pointed(event); drawn = ''; });
    w.canvas.addEventListener('pointerleave', () => { hover = null; drawn = ''; });
    w.canvas.addEventListener('click', event => { const r = rows[nearest(pointed(event))]; if (r) { at = r.at; drawn = ''; keep(); } });
    w.deep.addEventListener('toggle', () => { drawn = ''; });
    root.replaceChildren(
      el('header', { class: 'top' }, w.title, w.owner, el('nav', {}, el('a', { href: '/chart/' + root.dataset.focus }, say('desk.chart')), el('a', { href: '/alarms' }, say('alarms.title')), el('a', { href: '/' }, say('desk.wall'))), w.clock),
      el('section', { class: 'figures' }, el('p', { class: 'figure' }, w.value, w.uom), el('div', {}, w.moment, w.more, w.plan),
        el('div', { class: 'ways' }, press(say('signal.copy'), copy), press(say('signal.link'), () => give(address(true))))),
      el('section', { class: 'picture' }, el('div', { class: 'tools', role: 'group', 'aria-label': say('signal.span') }, ...w.spans, press(say('signal.earlier'), () => go(until() - span)), press(say('signal.later'), () => go(until() + span >= room.now() ? null : until() + span)), w.now), w.canvas, w.told, w.said, w.hand, w.loud),
      el('aside', {}, el('h2', {}, say('signal.alarms')), w.alarms, w.deep));
  });
  room.draw(() => {
    if (!w || !document.contains(w.root) || !state.ready) return;
    put(w.clock, clock(room.now()));
    if (!row()) {
      if (asked) return;
      asked = performance.now();
      fetch('/api/signals/' + key).then(async answer => { about = answer.ok ? await answer.json() : null; asked = 0; if (!about) { asked = 1; lost(); } }).catch(() => { asked = 0; });
      return;
    }
    if (!loaded || (end === null && (every || !rows.length) && performance.now() - asked > FRESH_MS)) { if (performance.now() - asked > 1000 || !asked) load(); if (!loaded) return; }
    follow();
    set(w.now, { 'aria-pressed': String(end === null) });
    const box = w.canvas.getBoundingClientRect(), mark = [rows.length, rows.length ? rows[rows.length - 1].at : 0, at, hover, box.width, box.height, state.pulse, end === null ? Math.floor(room.now() / Math.max(1, span / 600)) : end, span].join();
    if (mark !== drawn) { drawn = mark; paint(); }
  });
})();
