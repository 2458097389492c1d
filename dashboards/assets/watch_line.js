// The line screen: what the wire says of itself. Seven hexagons for the whole, then every plant, the gravest first.
// Only the rows that can be seen are asked for and drawn, so that a thousand plants cost what forty do.
'use strict';
(() => {
  const room = window.opsroom;
  const { el, svg, put, set, show, shape, reshape, say, count, span, clock, day } = room;
  const SHAPE = { calm: 'calm', past: 'unknown', left: 'stopped', stale: 'suspected', delayed: 'suspected', spooling: 'suspected', waiting: 'alarm', ahead: 'alarm', cut: 'no', silent: 'silent', away: 'no', opened: 'suspected', greeted: 'suspected', speaking: 'calm', closed: 'no' };
  const NARROW = matchMedia('(max-width: 64rem)');
  const OVER = 8, LINKS = 40, CODES = 8, TRIED = 6;
  const COLUMNS = [
    ['trouble', 'trouble'], ['plant', 'plant'], ['link', 'link'], ['', 'heard'], ['delay', 'delay'], ['spooled', 'spooled'],
    ['gaps', 'gaps'], ['', 'late'], ['refused', 'refused'], ['stale', 'stale'], ['', 'birth'],
  ];
  let drawn = null, drawnAt = 0, w = null, page = { search: '', sort: 'trouble', first: 0, most: 40 }, tall = 40, rows = [], asked = '';

  // ---- words for figures
  const seconds = s => {
    if (s === null || s === undefined) return '–';
    const size = Math.abs(s), sign = s < 0 ? '\u2212' : '';
    if (size < 1) return sign + Math.round(size * 1000) + '\u2009ms';
    if (size < 100) return sign + (size < 10 ? size.toFixed(1) : Math.round(size)) + '\u2009s';
    if (size < 7200) return sign + Math.round(size / 60) + '\u2009min';
    if (size < 172800) return sign + Math.round(size / 3600) + '\u2009h';
    return sign + Math.round(size / 86400).toLocaleString('en-GB').replace(/,/g, '\u2009') + '\u2009d';
  };
  const ago = (at, now) => (at === null || at === undefined ? '–' : seconds(Math.max(0, now - at)));
  const none = n => (n ? count(n) : '·');
  const sum = codes => Object.values(codes || {}).reduce((a, b) => a + b, 0);

  // ---- the page that is looked at
  const ask = () => {
    const text = JSON.stringify(page);
    if (text !== asked) { asked = text; room.turn(page); }
  };
  const look = () => {
    // The head stands over its columns, however broad this system's scroll bar is.
    w.table.style.setProperty('--bar', w.scroll.offsetWidth - w.scroll.clientWidth + 'px');
    const seen = Math.ceil(w.scroll.clientHeight / tall), first = Math.max(0, Math.floor(w.scroll.scrollTop / tall) - OVER);
    // Asked for in steps, so that a slow scroll is not a question a pixel.
    page = { ...page, first: first - first % OVER, most: Math.min(200, seen + 3 * OVER) };
    ask();
  };
  const sort = by => { page = { ...page, sort: by, first: 0 }; w.scroll.scrollTop = 0; ask(); };
  const search = text => { page = { ...page, search: text, first: 0 }; w.scroll.scrollTop = 0; ask(); };

  // ---- seven hexagons
  const corners = r => [0, 60, 120, 180, 240, 300].map(d => (r * Math.cos(d * Math.PI / 180)).toFixed(1) + ',' + (r * Math.sin(d * Math.PI / 180)).toFixed(1)).join(' ');
  const hexagon = (key, x, y) => {
    const it = { figure: svg('text', { class: 'figure', y: 14, 'text-anchor': 'middle' }), more: svg('text', { class: 'more', y: 46, 'text-anchor': 'middle' }), mark: svg('path', { class: 'mark', transform: 'translate(0 -72) scale(9)', 'fill-rule': 'evenodd' }) };
    const name = svg('text', { class: 'name', y: -38, 'text-anchor': 'middle' });
    name.textContent = say(key);
    it.g = svg('g', { class: 'tile', transform: `translate(${x} ${y})`, role: 'img' }, svg('polygon', { class: 'body', points: corners(106) }), it.mark, name, it.figure, it.more);
    it.name = say(key);
    return it;
  };
  const tile = (it, state, figure, more) => {
    set(it.g, { 'data-state': state, 'aria-label': it.name + ': ' + figure + ', ' + more });
    set(it.mark, { d: room.SHAPES[state] });
    put(it.figure, figure); put(it.more, more);
    set(it.figure, { 'font-size': figure.length > 6 ? 34 : figure.length > 4 ? 44 : 58 });
  };
  const paintTiles = (book, state) => {
    const l = book.line, away = book.links.filter(x => x.state === 'away').length;
    tile(w.tiles[0], away ? 'suspected' : 'calm', count(l.links), away ? say('line.away', { count: away }) : say('line.all_here'));
    tile(w.tiles[1], l.silent ? 'alarm' : 'calm', count(l.plants), l.silent ? say('line.silent', { count: count(l.silent) }) : say('line.all_speak'));
    const slow = l.delay_p99_s !== null && l.delay_p99_s > 1;
    tile(w.tiles[2], slow ? 'suspected' : 'calm', seconds(l.delay_p50_s), say('line.p99', { delay: seconds(l.delay_p99_s) }));
    tile(w.tiles[3], l.spooled >= 30 * Math.max(1, l.plants) ? 'suspected' : 'calm', count(l.spooled), say('line.at_plants'));
    tile(w.tiles[4], l.waiting || l.given_up ? 'suspected' : 'calm', count(l.gaps), say('line.given_up', { count: count(l.given_up) }));
    tile(w.tiles[5], l.refused ? 'suspected' : 'calm', count(l.refused), l.attempt_at ? say('line.last_refused', { ago: ago(l.attempt_at, room.now()) }) : say('line.never_refused'));
    tile(w.tiles[6], l.stale ? 'suspected' : 'calm', count(l.stale), say('line.signals'));
    put(w.counts, say('line.counts', { telexes: count(l.telexes), duplicates: count(l.duplicates), late: count(l.late), skewed: count(l.skewed), backward: count(l.backward), births: count(l.births), changed: count(l.changed_births) }));
    show(w.trouble, Boolean(l.trouble)); put(w.trouble, l.trouble);
    set(w.root, { 'data-line': state.connected ? 'up' : 'down' });
  };

  // ---- rows
  const row = () => {
    const it = { mark: shape('calm'), cells: COLUMNS.map(([, name]) => el('span', { role: 'cell', class: name })) };
    it.word = el('span'); it.title = el('strong'); it.id = el('small');
    it.cells[0].append(it.mark, it.word); it.cells[1].append(it.title, it.id);
    it.node = el('div', { role: 'row', class: 'row' }, ...it.cells);
    return it;
  };
  const paintRow = (it, plant, place, now) => {
    it.node.style.transform = `translateY(${place * tall}px)`;
    set(it.node, { 'data-trouble': plant.trouble, 'data-plant': plant.plant, 'aria-rowindex': place + 2 });
    reshape(it.mark, SHAPE[plant.trouble]);
    put(it.word, say('trouble.' + plant.trouble) + (plant.trouble === 'silent' && plant.since !== null ? ' ' + ago(plant.since, now) : ''));
    put(it.title, plant.title); put(it.id, plant.title === plant.plant ? '' : plant.plant);
    const texts = [null, null, plant.link || '–', ago(plant.heard_at, now), plant.history ? say('line.history') : seconds(plant.delay_s), none(plant.spooled),
      plant.waiting ? say('line.waits', { waiting: count(plant.waiting), gaps: count(plant.gaps) }) : plant.gaps ? say('line.gap', { gaps: count(plant.gaps), lost: count(plant.given_up) }) : '·',
      plant.late || plant.duplicates ? count(plant.late) + ' / ' + count(plant.duplicates) : '·',
      none(sum(plant.refused)), plant.stale ? say('line.stale_of', { stale: plant.stale, signals: plant.signals }) : '·', plant.version > 1 ? say('line.version', { version: plant.version }) : say('line.first')];
    texts.forEach((text, i) => { if (text !== null) put(it.cells[i], text); });
    set(it.cells[8], { title: Object.entries(plant.refused).map(([code, n]) => code + ' ' + n).join(', ') || null });
    set(it.cells[9], { title: plant.stalest.join(', ') || null });
  };
  const paintRows = book => {
    const now = room.now();
    tall = w.ruler.offsetHeight || tall;
    w.space.style.height = book.matched * tall + 'px';
    set(w.table, { 'aria-rowcount': book.matched + 1 });
    while (rows.length < book.plants.length) { const it = row(); rows.push(it); w.space.append(it.node); }
    rows.forEach((it, i) => { show(it.node, i < book.plants.length); if (i < book.plants.length) paintRow(it, book.plants[i], book.first + i, now); });
    put(w.found, book.search ? say('line.found', { matched: count(book.matched), total: count(book.total) }) : say('line.of', { troubled: count(book.troubled), total: count(book.total) }));
    show(w.nothing, book.matched === 0);
    put(w.nothing, book.total ? say('line.none_found') : say('line.no_plants'));
    for (const [by, head] of Object.entries(w.heads)) set(head.parentNode, { 'aria-sort': page.sort === by ? (['plant', 'link'].includes(by) ? 'ascending' : 'descending') : 'none' });
  };

  // ---- links and refusals
  const fold = (list, made, wanted, make, paint) => {
    while (made.length < wanted.length) { const it = make(); made.push(it); list.append(it.node); }
    made.forEach((it, i) => { show(it.node, i < wanted.length); if (i < wanted.length) paint(it, wanted[i]); });
  };
  const link = () => {
    const it = { mark: shape('calm'), name: el('strong'), said: el('span'), more: el('span', { class: 'more' }) };
    it.node = el('li', {}, it.mark, it.name, it.said, it.more);
    return it;
  };
  const paintLink = (it, l) => {
    const wrong = sum(l.refused);
    reshape(it.mark, l.held ? 'stopped' : SHAPE[l.state] || 'unknown');
    set(it.node, { 'data-state': l.state });
    put(it.name, l.link || say('line.nameless'));
    put(it.said, l.state === 'away' ? say('line.link_away') : l.held ? say('line.link_held', { held: count(l.held) }) : l.state === 'speaking' ? say('line.link_plants', { plants: count(l.plants) }) : say('line.link_' + l.state));
    put(it.more, l.state === 'away' ? '' : wrong ? say('line.link_refused', { count: count(wrong) }) : say('line.link_telexes', { telexes: count(l.telexes) }));
  };
  const code = () => { const it = { name: el('span', { class: 'code' }), n: el('strong') }; it.node = el('li', {}, it.n, it.name); return it; };
  const tried = () => { const it = { at: el('time'), who: el('strong'), why: el('span') }; it.node = el('li', {}, it.at, it.who, it.why); return it; };
  const paintSide = book => {
    fold(w.links, w.linkRows, book.links.slice(0, LINKS), link, paintLink);
    put(w.linksMore, book.links.length > LINKS ? say('line.more_links', { count: book.links.length - LINKS }) : '');
    const codes = Object.entries(book.refused);
    show(w.refusedNone, codes.length === 0);
    fold(w.codes, w.codeRows, codes.slice(0, CODES), code, (it, [name, n]) => { put(it.name, name); put(it.n, count(n)); });
    fold(w.tried, w.triedRows, book.attempts.slice(0, TRIED).sort((a, b) => b.at - a.at), tried, (it, a) => {
      put(it.at, clock(a.at)); put(it.who, [a.link || say('line.nameless'), a.plant].filter(Boolean).join(' › ')); put(it.why, a.reason || a.code);
    });
  };

  const build = root => {
    asked = ''; rows = []; drawn = null;
    // One row of seven, or four and three where it is narrow.
    const places = Array.from({ length: 7 }, (_, i) => [118 + 162 * (NARROW.matches ? i % 4 : i), 122 + (i % 4 % 2 ? 94 : 0) + (NARROW.matches && i > 3 ? 188 : 0)]);
    const names = ['line.links', 'line.plants', 'line.delay', 'line.spooled', 'line.gaps', 'line.refused', 'line.stale'];
    w = { root, tiles: names.map((name, i) => hexagon(name, ...places[i])), heads: {}, linkRows: [], codeRows: [], triedRows: [] };
    Object.assign(w, {
      clock: el('strong', { class: 'now' }), day: el('span'), counts: el('p', { class: 'counts' }), trouble: el('p', { class: 'trouble', role: 'alert' }),
      found: el('span', { class: 'found', role: 'status' }), space: el('div', { class: 'space', role: 'rowgroup' }), nothing: el('p', { class: 'nothing' }),
      ruler: el('div', { class: 'row ruler', 'aria-hidden': 'true' }), entry: el('input', { type: 'search', id: 'line-search', autocomplete: 'off', spellcheck: 'false' }),
      links: el('ul', { class: 'links' }), linksMore: el('p', { class: 'more' }), codes: el('ul', { class: 'codes' }), tried: el('ol', { class: 'tried' }), refusedNone: el('p', { class: 'more' }, say('line.never_refused')),
      down: el('div', { class: 'down', role: 'alert' }), downText: el('strong'),
    });
    w.down.append(shape('no'), w.downText);
    const head = ([by, name]) => {
      const words = say('column.' + name);
      if (!by) return el('span', { role: 'columnheader', class: name }, words);
      const button = w.heads[by] = el('button', { type: 'button' }, words);
      button.addEventListener('click', () => sort(by));
      return el('span', { role: 'columnheader', class: name }, button);
    };
    w.scroll = el('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': say('line.table') }, w.ruler, w.space, w.nothing);
    w.table = el('div', { class: 'table', role: 'table', 'aria-label': say('line.table') }, el('div', { class: 'row head', role: 'row', 'aria-rowindex': 1 }, ...COLUMNS.map(head)), w.scroll);
    w.scroll.addEventListener('scroll', () => requestAnimationFrame(look));
    w.entry.addEventListener('input', () => search(w.entry.value));
    const picture = svg('svg', { viewBox: NARROW.matches ? '4 26 712 484' : '4 26 1200 288', preserveAspectRatio: NARROW.matches ? 'xMidYMid' : 'xMinYMid', class: 'tiles', role: 'group', 'aria-label': say('line.whole') });
    picture.append(...w.tiles.map(t => t.g));
    root.replaceChildren(
      el('header', { class: 'top' }, el('div', { class: 'title' }, el('h1', {}, say('line.title')), el('p', {}, root.dataset.title || '')),
        w.trouble, el('nav', {}, el('a', { href: '/' }, say('desk.wall'))), el('p', { class: 'time' }, w.clock, w.day)),
      el('section', { class: 'whole', 'aria-label': say('line.whole') }, picture, w.counts),
      el('section', { class: 'each', 'aria-label': say('line.plants') },
        el('div', { class: 'tools' }, el('h2', {}, say('line.plants')), w.found, el('label', { for: 'line-search' }, say('line.search')), w.entry), w.table),
      el('aside', { 'aria-label': say('line.links') }, el('h2', {}, say('line.links')), w.links, w.linksMore, el('h2', {}, say('line.refused')), w.refusedNone, w.codes, w.tried),
      w.down);
    show(w.down, false); show(w.trouble, false); show(w.nothing, false);
    look();
  };
  room.mount('#line', build);
  room.draw(state => {
    if (!w || !document.contains(w.root)) return;
    put(w.clock, clock(room.now())); put(w.day, day(room.now()) + ' UTC');
    const cut = room.cut();
    show(w.down, Boolean(cut)); put(w.downText, cut);
    const book = state.book, second = Math.floor(performance.now() / 1000);
    // Ages move on once a second; between two pages there is nothing else to draw.
    if (!book || (book === drawn && second === drawnAt)) return;
    drawn = book; drawnAt = second;
    paintTiles(book, state); paintRows(book); paintSide(book); look();
  });
})();
