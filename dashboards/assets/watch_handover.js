// The hand-over: what stands now, what has changed since one left, and the shift log, whose entries are signed and never changed.
'use strict';
(() => {
  const room = window.opsroom;
  const { el, put, set, say, clock, state, day } = room;
  const HOURS = [1, 8, 12, 24, 72];
  let w = null, since = '', unit = '', told = null, asked = false, corrects = '';

  const at = moment => (day(moment) === day(room.now()) ? '' : day(moment).slice(5) + ' ') + clock(moment, false);
  const load = async () => {
    asked = true;
    const query = new URLSearchParams();
    if (unit) query.set('unit', unit);
    if (since) query.set('since', String(room.now() - 3600 * Number(since)));
    const answer = await fetch('/api/handover?' + query);
    const body = await answer.json();
    if (!answer.ok) { put(w.result, [body.reason, body.cure].filter(Boolean).join('. ')); return; }
    told = body; paint();
  };
  const give = async command => {
    const answer = await fetch('/api/commands', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ command, key: String(Math.random()).slice(2) + Date.now() }) });
    const body = await answer.json();
    set(w.result, { 'data-ok': String(answer.ok) });
    put(w.result, answer.ok ? say('alarms.done') : [body.reason, body.cure].filter(Boolean).join('. '));
    if (answer.ok) setTimeout(load, 300);
    return answer.ok;
  };
  // Who writes before the hand-over has come waits for it: only it says of which unit this is the log.
  const whose = async () => { if (!told) await load(); return told ? told.unit : unit; };
  const line = l => el('li', {}, el('time', {}, at(l.at)), el('span', {}, room.uom(l.text)));
  const entry = e => {
    const more = [e.corrects ? say('handover.corrects', { entry: e.corrects }) : '', e.corrected_by ? say('handover.corrected', { entry: e.corrected_by }) : '', say(e.signature ? 'handover.signed' : 'handover.unsigned')].filter(Boolean).join(' · ');
    const node = el('li', { class: e.corrected_by ? 'old' : '', 'data-entry': e.id, title: e.signature ? e.key + '\n' + e.signature : null }, el('time', {}, at(e.at)), el('p', {}, e.text), el('small', {}, e.id + ' · ' + (e.occupant || e.by) + ' · ' + more));
    if (!e.corrected_by) {
      const press = el('button', { type: 'button', class: 'quiet' }, say('handover.correct'));
      press.addEventListener('click', () => { corrects = e.id; w.entry.value = e.text; put(w.caption, say('handover.corrects', { entry: e.id })); w.entry.focus(); });
      node.append(press);
    }
    return node;
  };
  const paint = () => {
    put(w.taken, told.taken_at ? say('handover.taken', { at: at(told.taken_at) }) : say('handover.never'));
    put(w.name, told.title);
    w.standing.replaceChildren(...(told.standing.length ? told.standing.map(line) : [el('li', { class: 'calm' }, say('handover.nothing'))]));
    const parts = told.parts.map(p => el('section', {}, el('h3', {}, p.name + ' · ' + (p.lines.length + p.more)), p.more ? el('p', { class: 'more' }, say('handover.more', { count: p.more })) : '', el('ol', {}, ...p.lines.slice().reverse().map(line))));
    w.parts.replaceChildren(...(parts.length ? parts : [el('p', { class: 'calm' }, say('handover.quiet'))]));
    w.log.replaceChildren(...(told.log.length ? told.log.slice().reverse().map(entry) : [el('li', { class: 'calm' }, say('handover.empty'))]));
  };
  const build = root => {
    told = null; asked = false; unit = root.dataset.focus || '';
    w = {
      root, name: el('p'), clock: el('strong', { class: 'now' }), taken: el('p', { class: 'taken' }), standing: el('ol', { class: 'lines' }), parts: el('div', { class: 'parts' }), log: el('ol', { class: 'log' }),
      entry: el('textarea', { id: 'entry', rows: 4 }), caption: el('label', { for: 'entry' }, say('handover.entry')), result: el('p', { role: 'status', class: 'result' }),
      since: el('select', { id: 'since' }, el('option', { value: '' }, say('handover.last')), ...HOURS.map(h => el('option', { value: h }, say('handover.hours', { hours: h })))), unit: el('select', { id: 'whose', 'aria-label': say('alarms.unit') }),
    };
    w.since.addEventListener('change', () => { since = w.since.value; load(); });
    w.unit.addEventListener('change', () => { unit = w.unit.value; load(); });
    const write = el('button', { type: 'button', class: 'act', id: 'write' }, say('handover.write'));
    write.addEventListener('click', async () => {
      if (await give({ command: 'write-log', unit: await whose(), text: w.entry.value, corrects })) { w.entry.value = ''; corrects = ''; put(w.caption, say('handover.entry')); }
    });
    const take = el('button', { type: 'button', class: 'act', id: 'take' }, say('handover.take'));
    take.addEventListener('click', async () => give({ command: 'take-over', unit: await whose() }));
    root.replaceChildren(
      el('header', { class: 'top' }, el('h1', {}, say('handover.title')), w.name, el('nav', {}, w.unit, el('label', { for: 'since' }, say('handover.since')), w.since, el('a', { href: '/council' }, say('wall.council')), el('a', { href: '/alarms' }, say('alarms.title')), el('a', { href: '/' }, say('desk.wall'))), w.clock),
      el('section', { class: 'left' }, w.taken, take, el('h2', {}, say('handover.standing')), w.standing),
      el('section', { class: 'middle' }, el('h2', {}, say('handover.changed')), w.parts),
      el('aside', {}, el('h2', {}, say('handover.log')), w.caption, w.entry, write, w.result, w.log));
  };
  room.mount('#handover', build);
  room.draw(() => {
    if (!w || !document.contains(w.root) || !state.viewer) return;
    put(w.clock, clock(room.now()));
    if (!asked) load();
    const units = [...state.units.values()];
    if (w.unit.options.length !== units.length) {
      w.unit.replaceChildren(...units.map(u => el('option', { value: u.id }, u.title || u.id)));
      w.unit.value = unit || state.focus;
    }
  });
})();
