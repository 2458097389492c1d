// The system in focus as hexagons within hexagons: the units below it as large ones, their plants as the cells inside.
// A band joins the cells of one enterprise. State is a shape and a word as well as a fill; a unit can be entered.
'use strict';
(() => {
  const { el, svg, put, set, say, shape, SHAPES } = window.opsroom;
  const W = 1216, H = 563, ROOT3 = Math.sqrt(3);
  const AXES = [30, 90, 150].map(d => [Math.cos(d * Math.PI / 180), Math.sin(d * Math.PI / 180)]);
  const WEIGHT = { called: 5, alarm: 4, silent: 3, suspected: 2, stopped: 1, unknown: 0, calm: 0 };

  // ---- geometry: flat-topped hexagons, sizes are corner radii
  const corners = (x, y, r) => [0, 60, 120, 180, 240, 300].map(d =>
    (x + r * Math.cos(d * Math.PI / 180)).toFixed(1) + ',' + (y + r * Math.sin(d * Math.PI / 180)).toFixed(1)).join(' ');
  const reach = (x, y) => Math.max(...AXES.map(([a, b]) => Math.abs(a * x + b * y)));
  const known = new Map();
  // The n cells that stand largest in a flat-topped hexagon of corner radius 1 below its title, which ends `head` above
  // the middle: centres in units of the cell's radius `s`, sorted column by column, and how far the whole is let down.
  const honeycomb = (n, head) => {
    const key = n + '/' + head;
    if (known.has(key)) return known.get(key);
    const wide = Math.ceil(Math.sqrt(n)) + 2, grid = [];
    for (let q = -wide; q <= wide; q++)
      for (let r = -wide; r <= wide; r++) grid.push([1.5 * q, ROOT3 * (r + (q & 1) / 2)]);
    const inner = ROOT3 / 2 * 0.955, drops = head > 1 ? [0] : [0, 0.05, 0.1, 0.15, 0.2, 0.25];
    let best = null;
    for (const [cx, cy] of [[0, 0], [0, ROOT3 / 2], [0.75, ROOT3 / 4], [1, 0], [0.5, ROOT3 / 2], [0.25, 0]])
      for (const flat of [1, 1.25, 1.6, 2.2]) {
        const far = ([x, y]) => Math.max(reach(x, y * flat), 1e-3 * Math.hypot(x, y));
        const near = grid.map(([x, y]) => [x - cx, y - cy]).sort((a, b) => far(a) - far(b) || a[1] - b[1] || a[0] - b[0]).slice(0, n);
        const mean = axis => (Math.max(...near.map(c => c[axis])) + Math.min(...near.map(c => c[axis]))) / 2;
        const [mx, my] = [mean(0), mean(1)], cells = near.map(([x, y]) => [x - mx, y - my]);
        for (const drop of drops) {
          let s = Infinity;
          for (const [x, y] of cells) {
            for (const [a, b] of AXES) for (const side of [1, -1]) s = Math.min(s, (inner - side * b * drop) / Math.max(1e-9, side * (a * x + b * y) + ROOT3 / 2));
            if (ROOT3 / 2 - y > 0) s = Math.min(s, (head + drop) / (ROOT3 / 2 - y));
          }
          if (!best || s > best.s + 1e-9) best = { s, drop, cells };
        }
      }
    best.cells.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    known.set(key, best);
    return best;
  };
  // k large hexagons in the W x H field, in columns that step up and down.
  const field = k => {
    let best = { r: 0 };
    for (let columns = 1; columns <= k; columns++) {
      const rows = Math.ceil(k / columns), stagger = columns > 1 ? 0.5 : 0;
      const r = Math.min(W / (1.5 * columns + 0.5), H / (ROOT3 * (rows + stagger)));
      if (r > best.r) best = { r, columns, rows, stagger };
    }
    const { r, columns, rows, stagger } = best;
    const left = (W - r * (1.5 * columns + 0.5)) / 2 + r, top = (H - ROOT3 * r * (rows + stagger)) / 2 + ROOT3 * r / 2;
    const places = [];
    for (let i = 0; i < k; i++) {
      const column = i % columns, row = Math.floor(i / columns);
      places.push([left + 1.5 * r * column, top + ROOT3 * r * (row + (column % 2 ? stagger : 0))]);
    }
    return { r, places };
  };

  // ---- words within a hexagon
  const wrap = (text, width, lines) => {
    const out = [''];
    for (const word of text.split(/\s+/)) {
      const last = out[out.length - 1];
      if (!last) out[out.length - 1] = word;
      else if ((last + ' ' + word).length <= width) out[out.length - 1] = last + ' ' + word;
      else out.push(word);
    }
    const kept = out.slice(0, lines).map(line => (line.length > width + 1 ? line.slice(0, width - 1) + '…' : line));
    if (out.length > lines) kept[lines - 1] = kept[lines - 1].slice(0, width - 1) + '…';
    return kept;
  };
  const lettering = (group, lines, x, y, size, name) => lines.forEach((line, i) => {
    const text = svg('text', { x, y: y + i * size * 1.08, 'font-size': size, class: name, 'text-anchor': 'middle' });
    text.textContent = line;
    group.append(text);
  });
  const percent = x => (x === null || x === undefined || !isFinite(x) ? '–' : String(Math.round(100 * x)));

  // ---- the tree
  const leaves = (units, id, found = []) => {
    const unit = units.get(id);
    if (!unit) return found;
    if (!unit.children.length) found.push(unit);
    else for (const child of unit.children) leaves(units, child, found);
    return found;
  };
  const path = (units, id) => {
    const up = [];
    for (let unit = units.get(id); unit && up.length < 30; unit = units.get(unit.parent)) up.unshift(unit);
    return up;
  };
  const worst = list => list.reduce((a, b) => (WEIGHT[b.state] > WEIGHT[a.state] ? b : a));
  const spoken = unit => say('hive.unit', {
    title: unit.title || unit.id, state: say('state.' + unit.state), performance: percent(unit.performance),
  });

  let drawing = null, crumbs = null, signature = '', painted = [];
  const enter = id => window.opsroom.focus(id);
  const door = (group, unit) => {
    if (!unit.children.length && unit.level === 'plant' && unit.id === window.opsroom.state.focus) return;
    set(group, { role: 'button', tabindex: 0 });
    group.addEventListener('click', e => { e.stopPropagation(); enter(unit.id); });
    group.addEventListener('keydown', e => { if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); enter(unit.id); } });
  };

  const cell = (layer, unit, x, y, s, units, enterable) => {
    const group = svg('g', { class: 'cell' }), body = svg('polygon', { points: corners(x, y, s * 0.9), class: 'body' });
    group.append(body, svg('polygon', { points: corners(x, y, s * 0.82), class: 'ring' }));
    const keep = { unit, group, row: null, small: s < 26 };
    if (s >= 46) {
      const size = Math.max(14, s * 0.225), wide = Math.floor(1.6 * s / (size * 0.52)), mark = svg('path', { transform: `translate(${x} ${y - s * 0.58}) scale(${s * 0.15})`, class: 'mark', 'fill-rule': 'evenodd' });
      keep.mark = mark;
      keep.figure = svg('text', { x, y: y + s * 0.06, 'font-size': s * 0.5, class: 'figure', 'text-anchor': 'middle' });
      keep.s = s;
      keep.word = svg('text', { x, y: y - s * 0.34, 'font-size': Math.max(13, s * 0.18), class: 'word', 'text-anchor': 'middle' });
      group.append(mark, keep.figure, keep.word);
      lettering(group, wrap(unit.title || unit.id, wide, 2), x, y + s * 0.33, size, 'name');
    } else {
      set(group, { 'data-small': 'yes' });
      keep.mark = svg('path', { transform: `translate(${x} ${y}) scale(${s * 0.46})`, class: 'mark', 'fill-rule': 'evenodd' });
      group.append(keep.mark);
    }
    if (enterable) door(group, unit);
    layer.append(group);
    painted.push(keep);
  };

  const island = (layer, unit, x, y, r, units) => {
    const below = leaves(units, unit.id);
    if (!unit.children.length) { cell(layer, unit, x, y, r * 0.97, units, true); return; }
    const group = svg('g', { class: 'island' });
    group.append(svg('polygon', { points: corners(x, y, r * 0.965), class: 'body' }), svg('polygon', { points: corners(x, y, r * 0.925), class: 'ring' }));
    door(group, unit);
    layer.append(group);
    const roomy = r > 90, size = Math.max(13, Math.min(27, r * (roomy && r > 170 ? 0.118 : 0.15)));
    const comb = honeycomb(below.length, roomy ? 0.5 : 0.42), s = comb.s * r, drop = comb.drop * r;
    const keep = { unit, group, row: null, island: true };
    const line = y - r * (roomy ? 0.69 : 0.62);
    keep.size = size;
    keep.below = below.map(leaf => leaf.id);
    keep.word = svg('text', { x: x + size * 0.45, y: line + size * 0.98, 'font-size': Math.max(13, size * 0.74), class: 'word', 'text-anchor': 'middle' });
    keep.mark = svg('path', { class: 'mark', 'fill-rule': 'evenodd' });
    keep.place = word => `translate(${(x - word.length * size * 0.19 - size * 0.2).toFixed(1)} ${(line + size * 0.73).toFixed(1)}) scale(${(size * 0.34).toFixed(1)})`;
    // A letter is half as wide as high; the hexagon is narrowest at the head of its title.
    const [title] = wrap(unit.title || unit.id, roomy ? 20 : 12, 1), wide = 2 * (0.925 * r - (y - line + 0.75 * size) / ROOT3);
    lettering(group, [title], x, line, Math.max(13, Math.min(size, 0.94 * wide / (0.5 * title.length))), 'title');
    group.append(keep.mark, keep.word);
    painted.push(keep);
    if (s < 5) {
      keep.cluster = svg('text', { x, y: y + r * 0.2, 'font-size': r * 0.4, class: 'figure', 'text-anchor': 'middle' });
      group.append(keep.cluster);
      lettering(group, [say('wall.plants')], x, y + r * 0.42, Math.max(13, r * 0.16), 'name');
      return;
    }
    const at = comb.cells.map(([cx, cy]) => [x + cx * s, y + drop + cy * s]);
    // The cells of one enterprise draw together on a ground of their own, so that a gap parts it from the next.
    let from = 0;
    for (const middle of unit.children.map(id => units.get(id)).filter(Boolean)) {
      const own = at.slice(from, from + leaves(units, middle.id).length);
      from += own.length;
      if (!middle.children.length) continue;
      const cx = own.reduce((sum, p) => sum + p[0], 0) / own.length, cy = own.reduce((sum, p) => sum + p[1], 0) / own.length;
      const band = svg('g', { class: 'band' });
      for (const p of own) {
        p[0] = cx + (p[0] - cx) * 0.95; p[1] = cy + (p[1] - cy) * 0.95;
        band.append(svg('polygon', { points: corners(p[0], p[1], s * 0.985) }));
      }
      layer.append(band);
      painted.push({ unit: middle, group: band, row: null, band: true });
    }
    below.forEach((leaf, i) => cell(layer, leaf, at[i][0], at[i][1], s, units, below.length <= 40));
  };

  // A plant in focus is one large hexagon with its signals as cells: what they achieve of what they can.
  const shown = s => ({ id: s.key, title: s.title || s.name, state: s.state, performance: s.productivity, children: [], level: 'signal' });
  const plant = (layer, unit, state) => {
    const x = W / 2, y = H / 2, r = H / ROOT3, signals = [...state.signals.values()].filter(s => s.unit === unit.id).slice(0, 37);
    if (!signals.length) { cell(layer, unit, x, y, r, state.units, false); return; }
    const group = svg('g', { class: 'island' }, svg('polygon', { points: corners(x, y, r * 0.99), class: 'body' }));
    layer.append(group);
    painted.push({ unit, group, row: null });
    const comb = honeycomb(signals.length, 2), s = r * comb.s;
    signals.forEach((signal, i) => {
      cell(layer, shown(signal), x + comb.cells[i][0] * s, y + comb.drop * r + comb.cells[i][1] * s, s, state.units, false);
      painted[painted.length - 1].signal = signal;
    });
  };

  const build = state => {
    const units = state.units, focus = units.get(state.focus) || units.values().next().value;
    painted = [];
    drawing.replaceChildren();
    if (!focus) return;
    // A level that holds one unit alone would only make its parts smaller: they stand in its place.
    let shownOf = focus;
    for (let one = units.get(focus.children[0]); shownOf.children.length === 1 && one && one.children.length; one = units.get(one.children[0])) shownOf = one;
    const children = shownOf.children.length ? shownOf.children.map(id => units.get(id)).filter(Boolean) : [focus];
    const { r, places } = field(children.length);
    if (!focus.children.length) { plant(drawing, focus, state); children.length = 0; }
    children.forEach((unit, i) => island(drawing, unit, places[i][0], places[i][1], r, units));
    const trail = path(units, focus.id);
    crumbs.replaceChildren(...trail.map((unit, i) => el('li', {}, i === trail.length - 1
      ? el('span', { 'aria-current': 'true' }, unit.title || unit.id)
      : (() => { const b = el('button', { type: 'button' }, unit.title || unit.id); b.addEventListener('click', () => enter(unit.id)); return b; })())));
  };
  const paint = state => {
    if (!drawing) return;
    const focus = state.units.get(state.focus);
    const now = [state.focus, state.units.size, state.snapshots, focus ? focus.children.join() : ''].join('|');
    if (now !== signature) { signature = now; build(state); }
    for (const keep of painted) {
      const row = keep.signal ? shown(keep.signal) : state.units.get(keep.unit.id);
      if (!row) continue;
      const told = window.opsroom.settled(row.id, row.state);
      const hurt = keep.below ? keep.below.reduce((sum, id) => sum + ((state.units.get(id) || {}).state === 'alarm' ? 1 : 0), 0) : 0;
      if (row === keep.row && told === keep.told && hurt === keep.hurt) continue;
      keep.hurt = hurt;
      keep.row = row;
      keep.told = told;
      set(keep.group, { 'data-state': told });
      if (keep.mark) set(keep.mark, { d: SHAPES[told] || SHAPES.unknown });
      const own = say('state.' + told), calm = told === 'calm' || told === 'suspected';
      // An alarm that has not climbed is its plant's own affair: the level above says that it knows of it.
      const word = hurt > 1 && told === 'calm' ? say('wall.below', { state: own, count: hurt }) : own;
      if (keep.island) {
        put(keep.word, word);
        set(keep.mark, { transform: keep.place(word) });
      } else if (keep.figure) {
        put(keep.figure, calm ? percent(row.performance) : told === 'unknown' ? '?' : word);
        set(keep.figure, { 'font-size': (keep.s * (told === 'suspected' ? 0.42 : calm || told === 'unknown' ? 0.5 : Math.min(0.4, 2.5 / word.length))).toFixed(1) });
        put(keep.word, told === 'suspected' ? word : '');
      }
      if (keep.cluster) put(keep.cluster, String(leaves(state.units, row.id).length));
      if (keep.group.hasAttribute('tabindex')) set(keep.group, { 'aria-label': spoken(row) });
    }
  };

  window.opsroom.hive = {
    build: () => {
      signature = '';
      drawing = svg('svg', { viewBox: `0 0 ${W} ${H}`, class: 'hive', role: 'group', 'aria-label': say('hive.label') });
      crumbs = el('ol', { class: 'crumbs' });
      return { drawing, crumbs };
    },
    path, leaves, worst, percent,
  };
  window.opsroom.draw(paint);
})();
