// Two keys on every screen: `/` finds a unit, a signal, an alarm or a screen by a few letters; `?` lists the keys of this screen.
// They never act while somebody writes, nor where the single keys of a seat are switched off.
'use strict';
(() => {
  const room = window.opsroom;
  const { el, put, set, show, say, state, shape } = room;
  const MOST = 12, WEIGHT = { called: 0, alarm: 1, silent: 2, suspected: 3 };
  const SCREENS = [['desk.wall', '/'], ['alarms.title', '/alarms'], ['alarms.handover', '/handover'], ['wall.council', '/council'], ['line.title', '/line']];
  const KEYS = { wall: [['find.enter', 'find.enter_does'], ['find.back', 'find.back_does']], signal: [['find.arrows', 'find.arrows_does']] };
  let finder = null, entry = null, list = null, none = null, chosen = 0, found = [], keys = null;

  const fold = text => text.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase();
  const title = id => { const unit = state.units.get(id); return unit ? unit.title || unit.id : id; };
  const everything = () => {
    const rows = SCREENS.map(([key, href]) => ({ name: say(key), more: say('find.screen'), href, mark: 'calm', rank: 9 }));
    for (const u of state.units.values()) rows.push({ name: u.title || u.id, id: u.id, more: u.parent ? title(u.parent) : say('find.whole'), unit: u.id, mark: u.state, rank: u.state in WEIGHT ? WEIGHT[u.state] : 5 });
    for (const s of state.signals.values()) rows.push({ name: s.title || s.name, id: s.key, more: title(s.unit), href: '/signal/' + s.key, mark: s.state, rank: 6 });
    for (const a of state.alarms.values()) if (a.state !== 'closed') rows.push({ name: a.title, id: a.id, more: say('alarm.' + a.state), href: '/alarms?alarm=' + encodeURIComponent(a.id), mark: a.climbs.length ? 'called' : 'alarm', rank: 4 });
    return rows;
  };
  const search = text => {
    const parts = fold(text).split(/\s+/).filter(Boolean), rows = [];
    for (const row of everything()) {
      const name = fold(row.name), all = name + ' ' + fold(row.id || '') + ' ' + fold(row.more);
      if (parts.every(part => all.includes(part))) rows.push([parts.length && name.startsWith(parts[0]) ? 0 : 1, row.rank, row]);
    }
    return rows.sort((a, b) => a[0] - b[0] || a[1] - b[1]).slice(0, MOST).map(([, , row]) => row);
  };
  const go = row => {
    finder.close();
    if (row.unit && document.querySelector('#wall')) room.focus(row.unit);
    else location.assign(row.unit ? '/?focus=' + encodeURIComponent(row.unit) : row.href);
  };
  const mark = () => {
    [...list.children].forEach((node, i) => set(node, { 'aria-selected': String(i === chosen) }));
    const here = list.children[chosen];
    set(entry, { 'aria-activedescendant': here ? here.id : null });
    if (here) here.scrollIntoView({ block: 'nearest' });
  };
  const fill = () => {
    found = search(entry.value);
    chosen = 0;
    list.replaceChildren(...found.map((row, i) => {
      const node = el('li', { role: 'option', id: 'found-' + i, 'data-state': row.mark }, shape(row.mark), el('strong', {}, row.name), el('small', {}, row.more));
      node.addEventListener('click', () => go(row));
      return node;
    }));
    show(none, !found.length);
    mark();
  };
  const build = () => {
    if (finder) return;
    list = el('ul', { role: 'listbox', id: 'found', 'aria-label': say('find.found') });
    entry = el('input', { type: 'search', role: 'combobox', 'aria-expanded': 'true', 'aria-controls': 'found', 'aria-label': say('find.title'), placeholder: say('find.hint'), autocomplete: 'off', spellcheck: 'false' });
    none = el('p', {}, say('find.none'));
    finder = el('dialog', { class: 'finder', 'aria-label': say('find.title') }, entry, list, none);
    entry.addEventListener('input', fill);
    entry.addEventListener('keydown', event => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step && found.length) { event.preventDefault(); chosen = (chosen + step + found.length) % found.length; mark(); }
      if (event.key === 'Enter' && found[chosen]) { event.preventDefault(); go(found[chosen]); }
    });
    finder.addEventListener('click', event => { if (event.target === finder) finder.close(); });
    document.body.append(finder);
  };
  const open = () => {
    const line = document.getElementById('line-search');
    // The line has a search of its own, over every plant's trouble.
    if (line) { line.focus(); line.select(); return; }
    build();
    entry.value = '';
    fill();
    if (!finder.open) finder.showModal();
    entry.focus();
  };
  const screen = () => (document.querySelector('#wall') ? 'wall' : document.querySelector('#signal') ? 'signal' : '');
  const tell = () => {
    const own = document.getElementById('keys');
    if (own) { own.click(); return; }
    if (keys) keys.remove();
    const rows = [['find.slash', 'find.slash_does'], ['find.question', 'find.question_does'], ...(KEYS[screen()] || []), ['key.tab', 'find.tab_does'], ['find.escape', 'find.escape_does']];
    keys = el('dialog', { class: 'finder keys', 'aria-label': say('desk.keys') }, el('h2', {}, say('desk.keys')), el('dl', {}, ...rows.map(([key, does]) => el('div', {}, el('dt', {}, say(key)), el('dd', {}, say(does))))));
    keys.addEventListener('click', event => { if (event.target === keys) keys.close(); });
    document.body.append(keys);
    keys.showModal();
  };

  const writing = node => node && (node.isContentEditable || ['TEXTAREA', 'SELECT'].includes(node.tagName) || (node.tagName === 'INPUT' && !['radio', 'checkbox', 'button'].includes(node.type)));
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.altKey || event.metaKey || writing(event.target) || !state.snapshots) return;
    const box = document.querySelector('#single-keys input');
    if ((box && !box.checked) || document.querySelector('dialog[open]')) return;
    if (event.key === '/') { event.preventDefault(); open(); } else if (event.key === '?') { event.preventDefault(); tell(); }
  });

  // Who has no keyboard at hand finds it in the row of ways of every screen.
  let button = null;
  room.draw(() => {
    const place = document.querySelector('#wall .status .more, .ledger > .top nav, #chart > .top nav, #desk > .bar nav');
    if (!place || (button && place.contains(button))) return;
    button = el('button', { type: 'button', class: 'find', 'aria-haspopup': 'dialog', title: say('find.slash_does') }, el('span', {}, say('find.button')), el('kbd', { 'aria-hidden': 'true' }, '/'));
    button.addEventListener('click', open);
    if (place.matches('.more')) place.append(button); else place.prepend(button);
  });
})();
