// The screen's end of /watch: one snapshot, then numbered deltas, folded into `state`; reconnects for ever.
// Everything that a screen draws comes from `state`; who draws says so with `opsroom.draw(function)`.
'use strict';
(() => {
  const NOT_LOGGED_IN = 4401, POINTS = 120, TICKER = 60, CLOSED = 60, QUIET_MS = 12000, PROBE_MS = 6000, MUTE_S = 5;
  const state = {
    ready: false, n: 0, room: '', council: '', focus: '', held: false, speed: 1, viewer: null,
    units: new Map(), signals: new Map(), alarms: new Map(), motions: new Map(), orders: new Map(),
    seats: new Map(), stops: [], proposals: [], requests: [], choices: [], ticker: [], line: null, book: null,
    connected: false, ended: false, heardAt: 0, roomAt: 0, received: 0, snapshots: 0, pulse: 0,
  };
  const painters = [], failed = new Set(), missing = new Set();
  let socket = null, wanted = '', home = '', page = null, paged = null, delay = 500, due = false, probed = 0, words = {}, scale = [];

  // ---- words: every visible one comes from words.py in the data attribute of the screen's div
  const say = (key, facts = {}) => {
    if (!(key in words)) { if (!missing.has(key)) { missing.add(key); console.error('no word for ' + key); } return key; }
    return words[key].replace(/\{(\w+)\}/g, (all, name) => (name in facts ? String(facts[name]) : all));
  };
  const sure = p => say('sure.' + (scale.find(([least]) => p >= least) || ['', 'unlikely'])[1]);

  // ---- the room's clock: told by every message, ticks between them at the room's speed
  const now = () => state.roomAt + (state.connected ? (performance.now() - state.heardAt) / 1000 * state.speed : 0);
  const age = () => (state.heardAt ? (performance.now() - state.heardAt) / 1000 : 0);
  const two = n => String(Math.floor(n)).padStart(2, '0');
  const dated = at => new Date(1000 * Math.min(Math.max(at, -62135510400), 253402214400));
  const clock = (at, seconds = true) => {
    const d = dated(at);
    return two(d.getUTCHours()) + ':' + two(d.getUTCMinutes()) + (seconds ? ':' + two(d.getUTCSeconds()) : '');
  };
  const day = at => dated(at).toISOString().slice(0, 10).replace(/^[+-]0+/, '');
  const span = s => {
    const left = Math.max(0, Math.round(s));
    if (left >= 172800) return say('span.days', { days: Math.floor(left / 86400), hours: Math.floor(left % 86400 / 3600) });
    if (left >= 3600) return Math.floor(left / 3600) + ':' + two(left % 3600 / 60) + ':' + two(left % 60);
    return two(left / 60) + ':' + two(left % 60);
  };
  const figure = (x, signed = false) => {
    if (x === null || x === undefined || !isFinite(x)) return '–';
    const size = Math.abs(x), digits = size >= 1000 || size === 0 ? 0 : size >= 100 ? 0 : size >= 10 ? 1 : 2;
    const text = size.toLocaleString('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits });
    return (x < 0 ? '\u2212' : signed ? '+' : '') + text.replace(/,/g, '\u2009');
  };

  const count = n => (n === null || n === undefined ? '–' : Math.round(n).toLocaleString('en-GB').replace(/,/g, '\u2009'));

  const RAISED = { '-': '\u207b', 0: '\u2070', 1: '\u00b9', 2: '\u00b2', 3: '\u00b3', 4: '\u2074', 5: '\u2075', 6: '\u2076', 7: '\u2077', 8: '\u2078', 9: '\u2079' };
  const raise = text => [...text].map(c => RAISED[c]).join('');
  const uom = unit => unit.replace(/\^(-?\d+)/g, (all, n) => raise(n)).replace(/\b([kcdmMNS]?m)([23])\b/g, (all, m, n) => m + raise(n)).replace(/\bdeg(?=[CF]\b)/g, '\u00b0');

  // How high a picture reaches: all readings, and the band wherever it is not far wider than usual; while the filter learns, it may be anything.
  const WIDE = 4;
  const reach = points => {
    const widths = points.map(([, low, high]) => high - low).filter(isFinite).sort((a, b) => a - b), most = WIDE * (widths[widths.length >> 1] || 0);
    let least = Infinity, highest = -Infinity;
    for (const [value, low, high] of points) for (const v of high - low <= most ? [value, low, high] : [value]) if (isFinite(v) && v !== null) { least = Math.min(least, v); highest = Math.max(highest, v); }
    return [least, highest];
  };

  // ---- rings: four numbers a point (at, value, low, high), never more than POINTS
  const ring = () => ({ size: 0, data: new Float64Array(4 * POINTS) });
  const push = (r, at, value, low, high) => {
    if (r.size === POINTS) { r.data.copyWithin(0, 4); r.size -= 1; }
    r.data.set([at, value ?? NaN, low ?? NaN, high ?? NaN], 4 * r.size);
    r.size += 1;
  };
  const signal = row => {
    const kept = { ...row, ring: ring() };
    delete kept.recent;
    for (const point of (row.recent || []).slice(-POINTS)) push(kept.ring, ...point);
    return kept;
  };

  // ---- folding
  const replace = (map, rows, id = 'id') => { for (const row of rows) map.set(row[id], row); };
  const forget = (map, over) => {
    const gone = [...map.values()].filter(over).sort((a, b) => (a.closed_at || a.changed_at || 0) - (b.closed_at || b.changed_at || 0));
    for (const row of gone.slice(0, Math.max(0, gone.length - CLOSED))) map.delete(row.id);
  };
  const lines = more => { state.ticker = state.ticker.concat(more).slice(-TICKER); };
  const start = m => {
    since.clear();
    for (const map of [state.units, state.signals, state.alarms, state.motions, state.orders, state.seats]) map.clear();
    replace(state.units, m.units); replace(state.alarms, m.alarms); replace(state.motions, m.motions);
    replace(state.orders, m.orders); replace(state.seats, m.seats, 'seat');
    for (const row of m.signals) state.signals.set(row.key, signal(row));
    Object.assign(state, {
      n: m.n, room: m.room, council: m.council, focus: m.focus, held: m.held, speed: m.speed, viewer: m.viewer,
      stops: m.stops, proposals: m.proposals, requests: m.requests, choices: m.choices, ticker: [], line: m.line, ready: true,
      snapshots: state.snapshots + 1, pulse: state.pulse + 1,
    });
    lines(m.ticker);
  };
  const COUNCIL = ['alarms', 'motions', 'orders', 'seats', 'stops', 'proposals', 'requests', 'choices', 'held'];
  const change = m => {
    state.n = m.n;
    for (const p of m.points || []) {
      const [key, at, value, low, high, named, probabilities, level, word] = p, kept = state.signals.get(key);
      if (!kept) continue;
      push(kept.ring, at, value, low, high);
      if (named !== 'steady' && named !== 'not_yet' && named !== kept.named && kept.named === 'steady') kept.since = at;
      Object.assign(kept, { at, value, named, p: probabilities, level, state: word });
    }
    replace(state.units, m.units || []); replace(state.alarms, m.alarms || []);
    replace(state.motions, m.motions || []); replace(state.orders, m.orders || []);
    replace(state.seats, m.seats || [], 'seat');
    for (const list of ['stops', 'proposals', 'requests', 'choices']) if (Array.isArray(m[list])) state[list] = m[list];
    if (m.ticker) lines(m.ticker);
    if (m.line) state.line = m.line;
    if (m.book) state.book = m.book;
    if (m.held === true || m.held === false) state.held = m.held;
    forget(state.alarms, a => a.state === 'closed');
    forget(state.motions, x => x.state !== 'open');
    forget(state.orders, o => ['done', 'refused', 'revoked', 'expired'].includes(o.state));
    if (COUNCIL.some(name => m[name] !== undefined && m[name] !== null)) state.pulse += 1;
  };
  // A screen that was laid out for somebody is not anybody's: who left in another tab has left here too.
  const stranger = () => {
    const screen = document.querySelector('[data-role]'), role = screen ? screen.dataset.role : 'viewer', me = state.viewer || {};
    const seat = /^\/seat\/(\d)/.exec(location.pathname);
    return role !== 'viewer' && (me.role !== role || Boolean(seat && me.seat !== Number(seat[1])));
  };
  const hear = text => {
    const m = JSON.parse(text);
    state.received += 1;
    probed = 0;
    if (m.type === 'snapshot') { home = home || (wanted ? '' : m.focus); start(m); state.ended = stranger(); if (page && !paged) tell({ line: page }); paged = page; }
    else if (m.type === 'delta') {
      if (!state.ready) return;
      if (m.n !== state.n + 1) { state.ready = false; tell({ resume: true }); return; }
      change(m);
    } else return;
    state.heardAt = performance.now();
    state.roomAt = m.now;
    wake();
  };

  // ---- calm when calm: a suspicion is drawn once it has lasted, not at every flicker of it
  const SETTLE_MS = 2500, since = new Map();
  const settled = (key, word) => {
    if (word !== 'suspected') { since.delete(key); return word; }
    if (!since.has(key)) since.set(key, performance.now());
    return performance.now() - since.get(key) >= SETTLE_MS ? word : 'calm';
  };

  // ---- the line: jittered back-off from half a second to ten, without end
  const tell = message => {
    if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ focus: wanted, ...message }));
  };
  const connect = () => {
    const address = new URL('/watch' + (wanted ? '?focus=' + encodeURIComponent(wanted) : ''), location.href);
    address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const mine = socket = new WebSocket(address);
    paged = null;
    mine.onmessage = e => { if (mine === socket) { state.connected = true; delay = 500; hear(e.data); } };
    mine.onclose = event => {
      if (mine !== socket) return;
      state.ended = state.ended || event.code === NOT_LOGGED_IN;
      if (state.connected) state.roomAt = now();
      state.connected = false;
      state.ready = false;
      wake();
      setTimeout(connect, delay * (0.5 + Math.random()));
      delay = Math.min(delay * 2, 10000);
    };
  };
  const check = () => {
    if (!socket || socket.readyState !== WebSocket.OPEN) return;
    const silent = performance.now() - state.heardAt;
    if (probed && performance.now() - probed > PROBE_MS) { probed = 0; socket.close(); }
    else if (!probed && silent > QUIET_MS) { probed = performance.now(); state.ready = false; tell({ resume: true }); }
  };

  // Back and forward: the level in focus is that of the address again.
  window.addEventListener('popstate', () => {
    if (!document.querySelector('#wall')) return;
    const top = [...state.units.values()].find(unit => !state.units.has(unit.parent));
    const asked = new URLSearchParams(location.search).get('focus') || home || (top ? top.id : '');
    if (asked === state.focus) return;
    wanted = asked;
    state.ready = false;
    tell({ resume: true });
  });

  // Why what stands here may not be so any more; an empty text while it is so.
  // The room says something every second: five without a word are told before the line itself is known to be down.
  const cut = () => (state.ended ? say('wall.ended') : !state.snapshots ? '' : !state.connected ? say('wall.down', { age: span(age()) })
    : age() > MUTE_S ? say('wall.mute', { age: span(age()) }) : '');

  // ---- drawing: once a frame, the newest state; a hidden tab keeps one mark, not a list
  const wake = () => { if (!due) { due = true; requestAnimationFrame(paint); } };
  const paint = () => { due = false; if (!state.snapshots) return;
    for (const painter of painters) {
      // One drawing that fails must not take the others with it.
      try { painter(state); } catch (error) { if (!failed.has(painter)) { failed.add(painter); console.error(error); } }
    }
  };
  setInterval(() => { check(); if (!document.hidden) wake(); }, 250);

  // ---- building: text is always text, never markup
  const NS = 'http://www.w3.org/2000/svg';
  const fill = (node, attributes, children) => {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) node.removeAttribute(name);
      else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value === true ? '' : value);
    }
    for (const child of children) if (child) node.append(child);
    return node;
  };
  const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
  const svg = (tag, attributes, ...children) => fill(document.createElementNS(NS, tag), attributes, children);
  const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };
  const set = (node, attributes) => fill(node, attributes, []);
  const show = (node, shown) => { if (node.hidden === shown) node.hidden = !shown; };

  // ---- shapes: one for each state, drawn about (0, 0) within a radius of 1
  const SHAPES = {
    calm: 'M0-.62A.62.62 0 1 1 0 .62A.62.62 0 1 1 0-.62M0-.34A.34.34 0 1 0 0 .34A.34.34 0 1 0 0-.34Z',
    suspected: 'M0-.9L.9 0L0 .9L-.9 0Z M0-.45L-.45 0L0 .45L.45 0Z',
    alarm: 'M0-.95L.98 .75L-.98 .75Z',
    called: 'M-.8-.8H.8V.8H-.8Z',
    silent: 'M-.9-.18H.9V.18H-.9Z',
    stopped: 'M-.65-.75H-.2V.75H-.65Z M.2-.75H.65V.75H.2Z',
    unknown: 'M0-.3A.3.3 0 1 1 0 .3A.3.3 0 1 1 0-.3Z',
    yes: 'M-.85 .05L-.45-.3L-.2 .1L.6-.8L.95-.45L-.15 .8Z',
    no: 'M-.8-.45L-.45-.8L0-.33L.45-.8L.8-.45L.33 0L.8 .45L.45 .8L0 .33L-.45 .8L-.8 .45L-.33 0Z',
    abstain: 'M-.85-.2H.85V.2H-.85Z',
    recuse: 'M-.9 0L-.1-.75V-.28H.9V.28H-.1V.75Z',
    sealed: 'M-.85-.55H.85V.6H-.85Z M-.62-.36L0 .1L.62-.36Z',
  };
  const shape = name => svg('svg', { viewBox: '-1.1 -1.1 2.2 2.2', class: 'shape', 'data-shape': name, 'aria-hidden': 'true', focusable: 'false' },
    svg('path', { d: SHAPES[name] || SHAPES.unknown, 'fill-rule': 'evenodd' }));
  const reshape = (node, name) => {
    if (node.dataset.shape === name) return;
    node.dataset.shape = name;
    node.firstChild.setAttribute('d', SHAPES[name] || SHAPES.unknown);
  };

  // ---- mounting: Dash draws the layout after this script has run
  const mounts = [];
  const look = () => {
    for (const mount of mounts) {
      const node = document.querySelector(mount.where);
      if (!node || mount.node === node) continue;
      mount.node = node;
      if (node.dataset.words) {
        words = JSON.parse(node.dataset.words);
        scale = JSON.parse(words['sure.scale']);
      }
      if ('focus' in node.dataset && !socket) {
        home = node.dataset.focus;
        wanted = new URLSearchParams(location.search).get('focus') || home;
        connect();
      }
      mount.build(node);
      wake();
    }
  };
  new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true });

  window.opsroom = {
    state, cut, say, sure, settled, now, age, clock, day, span, figure, count, uom, reach, el, svg, put, set, show, shape, reshape, SHAPES, POINTS,
    draw: painter => painters.push(painter),
    mount: (where, build) => { mounts.push({ where, build, node: null }); look(); },
    turn: asked => {
      page = asked;
      if (paged) { paged = page; tell({ line: page }); }
    },
    focus: unit => {
      wanted = unit;
      const address = new URL(location.href);
      if (unit) address.searchParams.set('focus', unit); else address.searchParams.delete('focus');
      // The browser's own way back leads to where one was before.
      if (address.href !== location.href) history.pushState(null, '', address);
      state.ready = false;
      tell({ resume: true });
    },
    counts: () => ({
      received: state.received, snapshots: state.snapshots, ticker: state.ticker.length, signals: state.signals.size,
      points: Math.max(0, ...[...state.signals.values()].map(s => s.ring.size)),
      numbers: [...state.signals.values()].reduce((sum, s) => sum + s.ring.data.length, 0),
      alarms: state.alarms.size, motions: state.motions.size, orders: state.orders.size,
    }),
  };
})();
