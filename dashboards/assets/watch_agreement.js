// A motion to change an agreement: a bad actor of the alarm page leads to this form by one click, or by the key of its place.
// The form is filled with what is agreed now and shows word by word what would change; the room answers the command itself.
'use strict';
(() => {
  const room = window.opsroom;
  const { el, put, set, say, state } = room;
  const LETTERS = 'ABC', MOST = 3;
  let w = null, page = null, drafted = [], key = '', empty = null, listed = null;

  const get = async path => { const answer = await fetch(path); return answer.ok ? answer.json() : null; };
  const fresh = () => (crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2) + Date.now());
  const title = id => { const u = state.units.get(id); return u ? u.title || u.id : id; };
  const tell = (id, props) => { if (window.dash_clientside && window.dash_clientside.set_props) window.dash_clientside.set_props(id, props); };
  const told = (text, ok) => { set(w.said, { 'data-ok': String(ok) }); put(w.said, text); };

  // ---- two texts word by word: the longest words in common stay
  const compare = (before, after) => {
    const a = before.split(' '), b = after.split(' '), n = a.length, m = b.length;
    const long = Array.from({ length: n + 1 }, () => new Uint16Array(m + 1));
    for (let i = n - 1; i >= 0; i--) for (let j = m - 1; j >= 0; j--) long[i][j] = a[i] === b[j] ? long[i + 1][j + 1] + 1 : Math.max(long[i + 1][j], long[i][j + 1]);
    const pieces = [], add = (tag, word) => { const last = pieces[pieces.length - 1]; if (last && last[0] === tag) last[1] += ' ' + word; else pieces.push([tag, word]); };
    let i = 0, j = 0;
    while (i < n || j < m) {
      if (i < n && j < m && a[i] === b[j]) { add('span', a[i]); i++; j++; } else if (i < n && (j === m || long[i + 1][j] >= long[i][j + 1])) { add('del', a[i]); i++; } else { add('ins', b[j]); j++; }
    }
    return pieces.flatMap(([tag, words]) => [el(tag, {}, words), ' ']);
  };
  const none = () => say('agree.text_none');
  const figure = (value, uom) => (value === null || value === undefined ? none() : (String(Number(value.toPrecision(6))) + ' ' + uom).trim());
  const words = (f, uom) => phrases(f, uom).join(' · ');
  const phrases = (f, uom) => [
    say('agree.text_capability', { value: figure(f.capability, uom) }), say('agree.text_potentiality', { value: figure(f.potentiality, uom) }),
    say('agree.text_time', { value: f.recovery_s === null ? none() : say('agree.text_minutes', { minutes: Number((f.recovery_s / 60).toPrecision(6)) }) }),
    say('agree.text_range', { value: f.normal_low === null && f.normal_high === null ? none() : say('agree.text_span', { low: figure(f.normal_low, ''), high: figure(f.normal_high, uom) }) }),
  ];
  const accepted = names => (names.length ? say('agree.text_not', { orders: names.join(', ') }) : say('agree.text_all'));

  // ---- what is agreed, what is written
  const agreed = () => (page ? page.agreements.find(one => one.signal === w.signal.value) || null : null);
  const read = name => { const text = w[name].value.trim(); return text === '' ? null : Number(text); };
  const written = now => {
    const minutes = read('recovery'), kept = (value, before) => (value === null ? before : value);
    return { capability: kept(read('capability'), now.capability), potentiality: kept(read('potentiality'), now.potentiality), recovery_s: minutes === null ? now.recovery_s : 60 * minutes, normal_low: kept(read('low'), now.normal_low), normal_high: kept(read('high'), now.normal_high) };
  };
  const declines = () => [...w.declines.querySelectorAll('input:checked')].map(box => box.value).sort();
  // Hours that cannot be read are no empty field: an empty one asks without an end.
  const unfit = () => {
    const hours = read('hours');
    return w.hours.validity.badInput || (hours !== null && !(Number.isFinite(3600 * hours) && hours > 0));
  };
  const looked = () => ({ signals: [...w.sights.querySelectorAll('input:checked')].map(box => box.value), purpose: w.purpose.value.trim(), hours: read('hours') });
  const sight = () => {
    const asked = looked();
    const what = asked.signals.map(name => { const one = page.agreements.find(row => row.signal.split('/')[1] === name); return one ? one.title || name : name; });
    return say('agree.text_sight', { what: what.join(', ') || say('agree.text_sight_all'), purpose: asked.purpose || say('agree.text_none'), until: asked.hours === null ? say('agree.text_sight_open') : say('agree.text_sight_hours', { hours: asked.hours }) });
  };
  const terms = () => {
    const now = agreed(), found = [];
    if (now) {
      const next = written(now), changed = Object.fromEntries(Object.entries(next).filter(([name, value]) => value !== null && value !== now[name]));
      if (Object.keys(changed).length) found.push({ about: 'figures', signal: now.signal, ...changed });
    }
    const refused = declines();
    if (page && refused.join() !== [...page.declines].sort().join()) found.push({ about: 'orders', unit: page.unit, declines: refused });
    const asked = page ? looked() : null;
    if (asked && !unfit() && (asked.signals.length || asked.purpose || asked.hours !== null)) found.push({ about: 'sight', unit: page.unit, purpose: asked.purpose, signals: asked.signals, until: asked.hours === null ? null : room.now() + 3600 * asked.hours });
    return found;
  };
  const show = () => {
    const now = agreed();
    put(w.was, now ? say('agree.now', { version: now.version, who: now.agreed_by }) : '');
    if (!page) { w.diff.replaceChildren(); return; }
    const parts = [];
    if (now && terms().some(one => one.about === 'figures')) parts.push(el('p', { class: 'diff' }, ...compare(words(now, now.uom), words(written(now), now.uom))));
    if (terms().some(one => one.about === 'orders')) parts.push(el('p', { class: 'diff' }, ...compare(accepted([...page.declines].sort()), accepted(declines()))));
    if (terms().some(one => one.about === 'sight')) parts.push(el('p', { class: 'diff' }, el('ins', {}, sight())));
    w.diff.replaceChildren(...(parts.length ? parts : [el('p', { class: 'hint' }, say('agree.same'))]));
    put(w.options, drafted.length ? say('agree.options', { titles: drafted.map((one, n) => LETTERS[n] + ' ' + one.title).join('; ') }) : '');
  };
  const fill = () => {
    const now = agreed();
    for (const [name, value] of [['capability', now && now.capability], ['potentiality', now && now.potentiality], ['recovery', now && now.recovery_s !== null ? now.recovery_s / 60 : null], ['low', now && now.normal_low], ['high', now && now.normal_high]]) w[name].value = value ?? '';
    put(w.unit, say('agree.figures', { uom: now ? now.uom || '1' : '' }));
    w.declines.replaceChildren(...(page ? page.orders : []).map(name => el('label', {}, el('input', { type: 'checkbox', value: name, ...(page.declines.includes(name) ? { checked: '' } : {}) }), ' ', name)));
    w.refusals.hidden = !page || !page.orders.length;
    w.looks.hidden = !page;
    w.sights.replaceChildren(...(page ? page.agreements : []).map(one => el('label', {}, el('input', { type: 'checkbox', value: one.signal.split('/')[1] }), ' ', one.title || one.signal)));
    w.purpose.value = w.hours.value = '';
    if (now) w.motion.value = say('agree.usual', { signal: now.title || now.signal });
    const alarm = now && [...state.alarms.values()].find(a => a.signal === now.signal && a.arrived && a.state !== 'closed' && ![...state.motions.values()].some(m => m.state === 'open' && (m.alarm === a.id || m.also.includes(a.id))));
    w.answers.replaceChildren(...(alarm ? [el('input', { type: 'checkbox', value: alarm.id, checked: '' }), ' ', say('agree.answers', { alarm: alarm.title })] : []));
    drafted = [];
    show();
  };
  const choose = async (plant, signal = '') => {
    w.plant.value = plant;
    page = plant ? await get('/api/units/' + encodeURIComponent(plant) + '/page') : null;
    const rows = page ? page.agreements : [];
    w.signal.replaceChildren(...rows.map(one => el('option', { value: one.signal }, one.title || one.signal)));
    if (rows.some(one => one.signal === signal)) w.signal.value = signal;
    told(signal && !rows.some(one => one.signal === signal) ? say('agree.none') : '', false);
    key = fresh();
    fill();
  };
  const option = () => {
    const mine = terms();
    if (!mine.length) return null;
    const now = agreed(), text = mine.map(one => (one.about === 'orders' ? accepted(one.declines) : one.about === 'sight' ? sight() : phrases(written(now), now.uom).filter((phrase, n) => phrase !== phrases(now, now.uom)[n]).join(', ')));
    const title = text.join('; ');
    return { title: (title[0].toUpperCase() + title.slice(1)).slice(0, 190), terms: mine };
  };
  const add = () => {
    if (unfit()) { told(say('agree.sight_unfit'), false); w.looks.open = true; w.hours.focus(); return; }
    const one = option();
    if (!one || drafted.length >= MOST) { told(say('agree.same'), false); return; }
    drafted.push(one);
    told('', true);
    show();
  };
  const send = async () => {
    if (unfit()) { told(say('agree.sight_unfit'), false); w.looks.open = true; w.hours.focus(); return; }
    const last = option();
    const options = drafted.length ? drafted : last ? [last] : [];
    if (!options.length) { told(say('agree.same'), false); return; }
    const alarm = w.answers.querySelector('input:checked');
    const command = { command: 'open-motion', title: w.motion.value.trim(), alarms: alarm ? [alarm.value] : [], options };
    try {
      const answer = await fetch('/api/commands', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ command, key }) });
      const body = await answer.json();
      told(answer.ok ? say('agree.done') : [body.reason, body.cure].filter(Boolean).join('. '), answer.ok);
      if (!answer.ok) return;
      key = fresh();
      drafted = [];
      show();
      const made = (body.made || [])[0];
      if (made) { tell('picked', { data: made }); document.getElementById('agreement-fold').open = false; }
    } catch { told(say('agree.failed'), false); }
  };

  const build = root => {
    const field = (name, label, attributes = {}) => { w[name] = el('input', { type: 'number', step: 'any', id: 'agree-' + name, ...attributes }); return el('label', { class: 'field' }, el('span', { class: 'caption' }, label), w[name]); };
    const button = (id, text, style, press) => { const node = el('button', { type: 'button', class: style, id }, text); node.addEventListener('click', press); return node; };
    w = { root, plant: el('select', { id: 'agree-plant' }), signal: el('select', { id: 'agree-signal' }), was: el('p', { class: 'was' }), unit: el('legend', { class: 'caption' }), diff: el('div', { 'aria-live': 'polite' }), declines: el('div', { class: 'radios' }), answers: el('label', { class: 'field' }), motion: el('input', { type: 'text', id: 'agree-motion', autocomplete: 'off' }), options: el('p', { class: 'hint' }), said: el('p', { class: 'said', role: 'status' }) };
    const five = [['capability', 'agree.capability'], ['potentiality', 'agree.potentiality'], ['recovery', 'agree.recovery'], ['low', 'agree.low'], ['high', 'agree.high']];
    const labels = { 'agree.capability': say('agree.capability'), 'agree.potentiality': say('agree.potentiality'), 'agree.recovery': say('agree.recovery'), 'agree.low': say('agree.low'), 'agree.high': say('agree.high') };
    const figures = el('fieldset', {}, w.unit, el('div', { class: 'figures' }, ...five.map(([name, word]) => field(name, labels[word], name === 'recovery' ? { min: '0' } : {}))));
    w.refusals = el('fieldset', {}, el('legend', { class: 'caption' }, say('agree.declines')), w.declines);
    w.purpose = el('input', { type: 'text', id: 'agree-purpose', autocomplete: 'off', maxlength: '500' });
    w.sights = el('div', { class: 'radios' });
    const labelled = (words, node) => el('label', { class: 'field' }, el('span', { class: 'caption' }, words), node);
    w.looks = el('details', {}, el('summary', {}, say('agree.sight')), el('p', { class: 'hint' }, say('agree.sight_why')), labelled(say('agree.sight_purpose'), w.purpose),
      el('fieldset', {}, el('legend', { class: 'caption' }, say('agree.sight_which')), w.sights), field('hours', say('agree.sight_hours'), { min: '0' }));
    root.replaceChildren(el('p', { class: 'hint' }, say('agree.why')), labelled(say('agree.plant'), w.plant), labelled(say('agree.signal'), w.signal), w.was, figures, w.refusals, w.looks,
      el('div', {}, el('span', { class: 'caption' }, say('agree.change')), w.diff), w.answers, labelled(say('agree.motion'), w.motion), w.options,
      el('p', { class: 'buttons' }, button('agree-add', say('agree.add'), 'lesser', add), button('agree-open', say('agree.open'), 'act', send)), w.said);
    root.addEventListener('input', event => { if (event.target !== w.plant && event.target !== w.signal) show(); });
    w.plant.addEventListener('change', () => choose(w.plant.value));
    w.signal.addEventListener('change', fill);
    page = null; drafted = []; listed = null;
    const fold = document.getElementById('agreement-fold'), asked = new URLSearchParams(location.search).get('agreement') || '';
    const plants = () => (listed = listed || list());
    const list = async () => {
      const rows = (await get('/api/units')) || [], inner = new Set(rows.map(one => one.parent));
      w.plant.replaceChildren(el('option', { value: '' }, '\u2013'), ...rows.filter(one => !inner.has(one.id)).map(one => el('option', { value: one.id }, one.title || one.id)));
    };
    fold.addEventListener('toggle', () => { if (fold.open) plants(); });
    if (asked) (async () => {
      fold.open = true;
      await plants();
      await choose(asked.split('/')[0], asked);
      fold.scrollIntoView({ block: 'start' });
      w.capability.focus({ preventScroll: true });
      w.capability.select();
    })();
  };
  // The words come with the desk: the form is built when there is somebody to show it to.
  room.mount('#agreement', root => { empty = root; });
  room.draw(() => {
    if (!empty || !state.viewer || !document.contains(empty)) return;
    const root = empty;
    empty = null;
    build(root);
  });

  // ---- the alarm page: the key of a bad actor's place leads to its motion
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.altKey || event.metaKey || !/^[1-9]$/.test(event.key)) return;
    const node = event.target, writes = node && (node.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(node.tagName));
    const way = writes ? null : document.querySelector('.actors [data-move="' + event.key + '"]');
    if (way) { event.preventDefault(); way.click(); }
  });
})();
