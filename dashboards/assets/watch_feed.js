// The datafeed: three screens as in 1973, each with one signal: actuality inside capability inside potentiality, and its last points
// on the forecast band. What needs attention comes first; the other signals take turns until somebody holds them.
'use strict';
(() => {
  const { uom, el, put, set, say, show, figure, clock, shape, reshape, state: live } = window.opsroom;
  const SCREENS = 3, WINDOW = 90, TURN_MS = 15000, GAP = 5;
  const FIRST = { alarm: 0, called: 0, silent: 1 };
  let screens = [], queue = [], focus = null, page = 0, turned = 0, held = false, hold = null, counter = null, colours = null;

  const shade = name => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
  const palette = () => (colours = colours || Object.fromEntries(['ground', 'panel', 'raised', 'brown', 'line', 'bone', 'grey', 'amber', 'vermilion', 'sky', 'blue'].map(n => [n, shade(n)])));

  const screen = () => {
    const way = el('a', {}), name = el('h3', {}, way), owner = el('p', { class: 'owner' }), value = el('strong'), unit = el('span', { class: 'uom' });
    const mark = shape('unknown'), word = el('span', { class: 'word' }), canvas = el('canvas', { 'aria-hidden': 'true' });
    const plan = el('p', { class: 'plan' });
    const node = el('article', { class: 'screen' }, canvas, el('header', {}, name, owner, el('p', { class: 'verdict' }, mark, word), el('p', { class: 'value' }, value, unit)), plan);
    return { node, name: way, owner, value, unit, mark, word, canvas, plan, key: '' };
  };

  const fit = canvas => {
    const ratio = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();
    const w = Math.round(box.width * ratio), h = Math.round(box.height * ratio);
    if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
    return [w, h, ratio];
  };

  // Nested bars stand at the left: potentiality an outline, capability within it, actuality within that, on one scale.
  const bars = (ctx, s, x, w, top, bottom, c) => {
    const most = Math.max(s.potentiality ?? 0, s.capability ?? 0, s.value ?? 0) || 1, tall = v => Math.max(0, v / most) * (bottom - top);
    const bar = (v, inset, fill, stroke) => {
      if (v === null || v === undefined) return;
      const h = tall(v), bx = x + inset, bw = w - 2 * inset;
      if (fill) { ctx.fillStyle = fill; ctx.fillRect(bx, bottom - h, bw, h); }
      if (stroke) { ctx.strokeStyle = stroke; ctx.lineWidth = Math.max(1.5, w * 0.03); ctx.strokeRect(bx + 1, bottom - h + 1, bw - 2, h - 1); }
    };
    bar(s.potentiality, 0, null, c.line);
    bar(s.capability, w * 0.16, c.brown, null);
    bar(s.value, w * 0.33, s.state === 'alarm' || s.state === 'called' ? c.amber : c.bone, null);
  };

  const spark = (ctx, s, x, w, top, bottom, c, dot, changed) => {
    const { data, size } = s.ring;
    let from = Math.max(0, size - WINDOW);
    if (!size) return;
    // A plant that was begun anew may tell of an earlier time again: what came before is another life of it.
    for (let i = from + 1; i < size; i++) if (data[4 * i] < data[4 * (i - 1)]) from = i;
    let [low, high] = window.opsroom.reach(Array.from({ length: size - from }, (_, i) => data.subarray(4 * (from + i) + 1, 4 * (from + i) + 4)));
    if (!isFinite(low)) return;
    const room = (high - low || Math.abs(high) || 1) * 0.08; low -= room; high += room;
    const first = data[4 * from], length = Math.max(data[4 * (size - 1)] - first, 1e-9);
    const px = i => x + w * (data[4 * i] - first) / length, py = v => bottom - (bottom - top) * (v - low) / (high - low);
    ctx.save();
    ctx.beginPath(); ctx.rect(x - dot * 2, top - dot * 2, w + dot * 4, bottom - top + dot * 4); ctx.clip();
    // Where nothing was told for long, nothing is drawn.
    const apart = i => i > from && data[4 * i] - data[4 * (i - 1)] > GAP * s.period_s;
    ctx.beginPath();
    let open = false;
    for (let i = from; i < size;) {
      let end = i;
      while (end < size && !isNaN(data[4 * end + 3]) && (end === i || !apart(end))) end += 1;
      for (let j = i; j < end; j++) j === i ? ctx.moveTo(px(j), py(data[4 * j + 3])) : ctx.lineTo(px(j), py(data[4 * j + 3]));
      for (let j = end - 1; j >= i; j--) ctx.lineTo(px(j), py(data[4 * j + 2]));
      if (end > i) ctx.closePath();
      i = Math.max(end, i + 1);
    }
    ctx.fillStyle = c.blue; ctx.globalAlpha = 0.34; ctx.fill(); ctx.globalAlpha = 1;
    if (changed && changed >= first) {
      const at = x + w * (changed - first) / length;
      ctx.strokeStyle = c.amber; ctx.lineWidth = dot * 0.5; ctx.setLineDash([dot * 1.6, dot * 1.2]);
      ctx.beginPath(); ctx.moveTo(at, top); ctx.lineTo(at, bottom); ctx.stroke(); ctx.setLineDash([]);
    }
    ctx.beginPath();
    for (let i = from; i < size; i++) {
      const v = data[4 * i + 1];
      if (isNaN(v)) { open = false; continue; }
      if (apart(i)) open = false;
      open ? ctx.lineTo(px(i), py(v)) : ctx.moveTo(px(i), py(v));
      open = true;
    }
    ctx.strokeStyle = c.bone; ctx.lineWidth = dot * 0.62; ctx.lineJoin = 'round'; ctx.stroke();
    const v = data[4 * (size - 1) + 1];
    if (!isNaN(v)) { ctx.fillStyle = s.state === 'alarm' ? c.amber : c.bone; ctx.beginPath(); ctx.arc(px(size - 1), py(v), dot * 1.25, 0, 7); ctx.fill(); }
    ctx.restore();
  };

  // One canvas lies behind the words of a screen: bars from top to bottom at the left, the last points below the figure.
  const draw = (it, s, from, home) => {
    const [w, h, ratio] = fit(it.canvas), ctx = it.canvas.getContext('2d'), c = palette();
    if (!w || !h) return;
    ctx.clearRect(0, 0, w, h);
    if (home) return;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize) * ratio;
    bars(ctx, s, 1.4 * rem, 4 * rem, 1.3 * rem, h - 1.3 * rem, c);
    const top = it.plan.previousSibling.offsetHeight * ratio + 1.6 * rem;
    spark(ctx, s, 6.6 * rem, w - 8.3 * rem, top, h - 3.1 * rem, c, 0.26 * rem, from);
  };

  // When the change began: the alarm's word for it, else what the line itself has seen.
  const since = (state, s) => {
    for (const alarm of state.alarms.values()) if (alarm.signal === s.key && alarm.state !== 'closed' && alarm.since) return alarm.since;
    return s.named === 'steady' || s.named === 'not_yet' ? null : s.since;
  };
  const paint = state => {
    if (!screens.length || !document.contains(hold)) return;
    const all = [...state.signals.values()], room = window.opsroom;
    const urgent = all.filter(s => s.state in FIRST).sort((a, b) => FIRST[a.state] - FIRST[b.state]).slice(0, SCREENS - 1);
    const turn = performance.now() - turned > TURN_MS || state.focus !== focus;
    if (turn) {
      // What is suspected at the turn stands first in it; between turns only an alarm moves a screen.
      const wary = all.filter(s => !urgent.includes(s) && room.settled(s.key, s.state) === 'suspected');
      if (state.focus !== focus) { page = 0; focus = state.focus; } else if (!held) page += 1;
      turned = performance.now();
      const calm = all.filter(s => !wary.includes(s)).sort((a, b) => (a.ground === '') - (b.ground === '')), from = page * SCREENS % Math.max(1, calm.length);
      if (!held || !queue.length || !state.signals.has(queue[0])) queue = wary.slice(0, 1).concat(calm.slice(from), calm.slice(0, from)).map(s => s.key);
    }
    const pages = Math.max(1, Math.ceil(all.length / SCREENS));
    page %= pages;
    const rest = queue.map(key => state.signals.get(key)).filter(s => s && !urgent.includes(s));
    const shown = urgent.concat(rest).slice(0, SCREENS);
    put(counter, say('feed.page', { page: page + 1, pages }));
    show(hold, pages > 1);
    screens.forEach((it, i) => {
      const s = shown[i];
      show(it.node, Boolean(s));
      if (!s) return;
      const unit = state.units.get(s.unit);
      put(it.name, s.title || s.name);
      set(it.name, { href: '/signal/' + s.key });
      put(it.owner, unit ? unit.title || unit.id : s.unit);
      const home = s.ground === '';
      put(it.value, home ? '' : figure(s.value));
      put(it.unit, home ? '' : uom(s.uom));
      reshape(it.mark, s.state);
      const change = s.p ? Math.max(...s.p.slice(1)) : 0;
      const waits = ['alarm', 'called', 'silent', 'stopped'].includes(s.state);
      put(it.word, waits && s.named === 'steady' ? say('state.' + s.state) : ['step', 'slope', 'transient'].includes(s.named) && change >= 0.5 ? say('feed.verdict', { named: say('named.' + s.named), percent: Math.round(100 * change) }) : say('named.' + s.named));
      set(it.node, { 'data-state': s.state, 'data-key': s.key });
      set(it.node, { 'data-home': home ? 'yes' : null });
      put(it.plan, home ? say('feed.home') : s.capability === null || s.capability === undefined ? say('feed.no_plan')
        : say(s.over_capability ? 'feed.over' : 'feed.plan', { capability: figure(s.capability), potentiality: figure(s.potentiality) }));
      draw(it, s, since(state, s), home);
    });
  };

  window.opsroom.feed = {
    build: () => {
      colours = null;
      screens = Array.from({ length: SCREENS }, screen);
      counter = el('span', { class: 'page' });
      hold = el('button', { type: 'button', 'aria-pressed': 'false', class: 'hold' }, say('feed.hold'));
      hold.addEventListener('click', () => { held = !held; set(hold, { 'aria-pressed': String(held) }); put(hold, say(held ? 'feed.release' : 'feed.hold')); });
      return el('section', { class: 'feed', 'aria-label': say('feed.label') },
        el('h2', {}, say('feed.label'), counter, hold), el('div', { class: 'screens' }, ...screens.map(s => s.node)));
    },
  };
  window.opsroom.draw(paint);
})();
