// The alarm page: what is wrong now by cause, what one alarm means and where it began, how well the alarms serve their people.
// Live rows come from /watch; groups, notices and measures are asked for when the alarms change, and twice a minute.
'use strict';
(() => {
  const room = window.opsroom;
  const { el, svg, put, set, show, say, span, clock, state, count } = room;
  const BACK = new Set(['returned', 'recovered', 'latched', 'latched-acknowledged']), QUIET = new Set(['suppressed', 'out-of-service']);
  const RANK = { high: 0, medium: 1, low: 2 }, MARK = { high: 'called', medium: 'alarm', low: 'suspected' };
  const FRESH_MS = 30000, DAYS = 30, ALL = '*', SHOWN = 100, CALM_MS = 2000;
  // Whom the measures are about: who watches the whole room, until a unit is chosen.
  let w = null, picked = '', unit = '', drawn = '', paintedAt = 0, asked = 0, facts = { groups: [], notices: [], services: [], kpi: null }, pulse = -1;

  const get = async path => { const answer = await fetch(path); return answer.ok ? answer.json() : null; };
  const give = async command => {
    const key = crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2) + Date.now();
    const answer = await fetch('/api/commands', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ command, key }) });
    const body = await answer.json();
    set(w.result, { 'data-ok': String(answer.ok) });
    put(w.result, answer.ok ? say('alarms.done') : [body.reason, body.cure].filter(Boolean).join('. '));
    asked = 0;
    return answer.ok;
  };
  const button = (words, press, attributes = {}) => {
    const node = el('button', { type: 'button', class: 'act', ...attributes }, words);
    node.addEventListener('click', press);
    return node;
  };
  const reason = () => w.reason.value.trim();
  const role = () => (state.viewer || {}).role || 'viewer';
  const title = id => { const u = state.units.get(id); return u ? u.title || u.id : id; };
  const open = () => [...state.alarms.values()].filter(a => a.state !== 'closed');

  // ---- what is asked for beside the live rows
  const refresh = async () => {
    asked = performance.now(); pulse = state.pulse;
    const where = unit || (role() === 'unit' ? state.focus : ALL);
    const [groups, notices, services, kpi] = await Promise.all([get('/api/groups'), get('/api/notices'), get('/api/services'), where === ALL ? get('/api/performance?days=' + DAYS) : where ? get('/api/units/' + where + '/performance?days=' + DAYS) : null]);
    facts = { groups: groups || [], notices: notices || [], services: services || [], kpi };
    drawn = '';
  };

  // ---- the list by cause: an origin, and under it those that follow
  const causes = () => {
    const rows = open(), shown = new Map(rows.map(a => [a.id, a]));
    const lead = rows.filter(a => !a.origin || a.origin === a.id || !shown.has(a.origin));
    const weight = a => [BACK.has(a.state) || QUIET.has(a.state) ? 1 : 0, RANK[a.priority] ?? 1, -(a.climbs || []).length, a.deadline ?? 1e18];
    lead.sort((a, b) => { const x = weight(a), y = weight(b); for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return x[i] - y[i]; return 0; });
    return lead.map(a => ({ alarm: a, followers: (a.followers || []).map(id => shown.get(id)).filter(Boolean) }));
  };
  const line = (alarm, follower) => {
    const mark = room.shape(BACK.has(alarm.state) ? 'calm' : QUIET.has(alarm.state) || alarm.state === 'shelved' ? 'stopped' : MARK[alarm.priority] || 'alarm');
    const time = alarm.deadline && !alarm.waits && !BACK.has(alarm.state) ? el('span', { class: 'time', 'data-until': alarm.deadline }, span(alarm.deadline - room.now())) : el('span', { class: 'time' }, alarm.waits ? (follower ? say('alarms.waits_here') : say('alarms.waits', { origin: alarm.origin_title || alarm.origin })) : '');
    const more = alarm.followers && alarm.followers.length ? el('em', {}, say('alarms.follow', { count: alarm.followers.length })) : '';
    const node = el('button', { type: 'button', class: 'cause' + (follower ? ' follower' : ''), 'data-alarm': alarm.id, 'data-priority': alarm.priority, 'aria-current': alarm.id === picked ? 'true' : null },
      mark, el('strong', {}, alarm.title), el('small', {}, say('alarm.' + alarm.state) + ' · ' + title(alarm.at_unit)), time, more);
    node.addEventListener('click', () => { picked = alarm.id; drawn = ''; if (role() !== 'viewer' && alarm.told) give({ command: 'look-at-alarm', alarm: alarm.id }); });
    return el('li', {}, node);
  };

  // ---- one alarm
  const facing = (term, text) => (text ? [el('dt', {}, term), el('dd', {}, text)] : []);
  const detail = alarm => {
    if (!alarm) { w.detail.replaceChildren(el('p', { class: 'calm' }, say('alarms.calm'))); return; }
    const m = alarm.meaning, group = facts.groups.find(g => g.id === alarm.group);
    const until = alarm.deadline && !alarm.waits && !BACK.has(alarm.state) ? el('span', { 'data-until': alarm.deadline }, span(alarm.deadline - room.now())) : null;
    const parts = [
      el('h2', {}, alarm.title), el('p', { class: 'sentence' }, room.uom(alarm.sentence)),
      el('dl', { class: 'facts' }, ...facing(say('alarms.stands'), title(alarm.at_unit)), ...(until ? [el('dt', {}, (state.units.get(alarm.at_unit) || {}).parent ? say('alarms.clock') : say('alarms.reminds')), el('dd', {}, until)] : []), ...facing(say('alarms.told'), alarm.told),
        ...(alarm.signal.includes('/') ? [el('dt', {}, say('alarms.signal')), el('dd', {}, el('a', { class: 'way', href: '/signal/' + alarm.signal }, say('alarms.course')))] : []),
        el('dt', {}, say('alarms.unit')), el('dd', {}, title(alarm.unit) + ' · ' + say('alarms.priority', { priority: alarm.priority }))),
      alarm.asked_of ? el('p', { class: 'asked' }, say('alarms.asked', { unit: title(alarm.asked_of), minutes: Math.round(alarm.asked_s / 60), reason: alarm.asked_reason })) : '',
      el('h3', {}, say('alarms.meaning')),
      m ? el('dl', { class: 'facts meaning' }, ...facing(say('alarms.means'), m.means), ...facing(say('alarms.response'), m.response), ...facing(say('alarms.owner'), m.owner), ...facing(say('alarms.soon'), say('alarms.minutes', { count: Math.round(m.respond_s / 60) })))
        : el('p', { class: 'lack' }, say('alarms.no_meaning')),
    ];
    if (group) {
      const bars = group.candidates.map(c => el('li', {}, el('span', { class: 'bar', style: 'width:' + Math.max(2, 100 * c.share).toFixed(0) + '%' }), el('b', {}, say('alarms.share', { share: (100 * c.share).toFixed(0) })), el('span', {}, c.title), el('small', {}, c.why)));
      parts.push(el('h3', {}, say('alarms.why')), el('p', { class: 'sentence' }, group.sentence + (group.fixed_by && !group.sentence.startsWith(group.fixed_by) ? ' ' + say('alarms.fixed', { who: group.fixed_by }) : '')),
        el('details', {}, el('summary', {}, say('alarms.candidates')), el('ul', { class: 'weighed' }, ...bars)));
    }
    w.detail.replaceChildren(...parts);
  };
  const actions = alarm => {
    const me = role(), acts = [];
    const ask = (words, command) => acts.push(button(words, () => give(command())));
    if (alarm && me !== 'viewer') {
      const at = alarm.id, own = me === 'unit' || me === 'operator', people = me === 'seat' || me === 'operator';
      if (own && !alarm.acknowledged_by && !QUIET.has(alarm.state)) ask(say('alarms.acknowledge'), () => ({ command: 'acknowledge-alarm', alarm: at }));
      if (own && alarm.state.startsWith('latched')) ask(say('alarms.reset'), () => ({ command: 'reset-alarm', alarm: at }));
      if (me === 'operator' && alarm.state === 'shelved') ask(say('alarms.unshelve'), () => ({ command: 'unshelve-alarm', alarm: at }));
      else if (me === 'operator' && !QUIET.has(alarm.state)) ask(say('alarms.shelve'), () => ({ command: 'shelve-alarm', alarm: at, minutes: 30, reason: reason() }));
      if (me === 'unit' && alarm.deadline && (state.viewer || {}).unit === alarm.at_unit && !alarm.asked_of) ask(say('alarms.ask_time'), () => ({ command: 'ask-for-time', alarm: at, minutes: 15, reason: reason() }));
      if (alarm.asked_of && (me !== 'unit' || (state.viewer || {}).unit === alarm.asked_of)) {
        ask(say('alarms.grant'), () => ({ command: 'answer-time', alarm: at, accept: true, reason: reason() }));
        ask(say('alarms.deny'), () => ({ command: 'answer-time', alarm: at, accept: false, reason: reason() }));
      }
      if (people && alarm.group) {
        ask(say('alarms.split'), () => ({ command: 'split-alarm', alarm: at, reason: reason() }));
        ask(say('alarms.fix'), () => ({ command: 'fix-origin', alarm: at, reason: reason() }));
      }
      const others = open().filter(a => a.id !== at && (!a.group || a.group !== alarm.group)).slice(0, SHOWN);
      if (people && others.length) {
        const choose = el('select', { 'aria-label': say('alarms.join') }, ...others.map(a => el('option', { value: a.id }, a.title)));
        acts.push(el('span', { class: 'join' }, button(say('alarms.join'), () => give({ command: 'join-alarm', alarm: at, other: choose.value, reason: reason() })), choose));
      }
      if (own && !alarm.service) ask(say('alarms.service'), () => ({ command: 'take-out-of-service', signal: alarm.signal, until: room.now() + 4 * 3600, reason: reason(), returns: true }));
    }
    w.acts.replaceChildren(...acts);
    show(w.doing, acts.length > 0);
  };

  // ---- measures
  const chart = kpi => {
    const wide = 96, tall = 30, most = Math.max(1, ...kpi.hours), each = (kpi.end - kpi.start) / kpi.hours.length;
    const flooded = at => kpi.floods.some(([first, last]) => at < last && at + each > first);
    const bars = kpi.hours.map((n, i) => svg('rect', { x: i + .08, y: tall - tall * n / most, width: .84, height: tall * n / most, class: flooded(kpi.start + i * each) ? 'flood' : '' }));
    const top = svg('text', { x: 0, y: 4, class: 'most' });
    top.textContent = count(most);
    const day = at => new Date(at * 1000).toISOString().slice(5, 16).replace('T', ' ');
    return el('figure', { class: 'chart' }, svg('svg', { viewBox: `0 0 ${wide} ${tall}`, preserveAspectRatio: 'none', role: 'img' }, ...bars), el('figcaption', {}, el('b', {}, count(most)), ' ', say('alarms.chart', { from: day(kpi.start), to: day(kpi.end) })));
  };
  const number = x => (Number.isInteger(x) ? String(x) : Math.abs(x) >= 10 ? x.toFixed(0) : Math.abs(x) >= 1 ? x.toFixed(1) : x.toPrecision(2));
  const measures = kpi => {
    w.kpi.replaceChildren();
    if (!kpi) return;
    const judged = { good: say('alarms.judged_good'), bearable: say('alarms.judged_bearable'), 'to act on': say('alarms.judged_act'), 'too few to say': say('alarms.judged_few') };
    // A share is told in per cent: nobody reads 0.010.
    const told = (m, value) => (m.name.includes('share') ? say('alarms.share', { share: number(100 * value) }) : number(value));
    const rows = kpi.measures.map(m => el('tr', { 'data-judged': m.judged }, el('th', { scope: 'row' }, m.name), el('td', {}, told(m, m.value)), el('td', {}, told(m, m.good)), el('td', { class: 'judged' }, judged[m.judged])));
    const head = el('tr', {}, el('th', { scope: 'col' }, say('alarms.measure')), el('th', { scope: 'col' }, say('alarms.figure')), el('th', { scope: 'col' }, say('alarms.good')), el('td', {}));
    w.kpi.append(kpi.warning ? el('p', { class: 'warning' }, kpi.warning) : '', chart(kpi), el('table', {}, el('thead', {}, head), el('tbody', {}, ...rows)),
      el('p', { class: 'mix' }, say('alarms.mix', kpi.priorities) + (kpi.unwritten ? ' · ' + say('alarms.unwritten', { count: kpi.unwritten }) : '')),
      el('h3', {}, say('alarms.actors')), kpi.actors.length ? el('ol', { class: 'actors' }, ...kpi.actors.slice(0, 6).map(actor)) : el('p', { class: 'calm' }, say('alarms.none')));
  };
  // One click from a bad actor to the motion that would change its agreement, or the key of its place; others propose it themselves.
  // What a whole can do follows from its parts: it has no agreement of its own.
  const owned = signal => signal.includes('/') && ![...state.units.values()].some(u => u.parent === signal.split('/')[0]);
  const moved = (a, n) => el('a', { class: 'act move', href: '/seat/' + state.viewer.seat + '?agreement=' + encodeURIComponent(a.signal), 'data-move': n + 1, title: say('agree.key', { key: n + 1 }) }, el('kbd', { 'aria-hidden': 'true' }, String(n + 1)), say('agree.move'));
  const actor = (a, n) => {
    const me = role(), text = say('alarms.actor', { alarms: a.alarms, share: Math.round(100 * a.share), chattered: a.chattered, fleeting: a.fleeting, stale: a.stale });
    return el('li', {}, el('strong', {}, a.title || a.signal), el('small', {}, text), me === 'seat' && owned(a.signal) ? moved(a, n) : me !== 'viewer' && me !== 'seat' && owned(a.signal) ? button(say('alarms.propose'), () => propose(a.signal), { 'data-propose': a.signal }) : '');
  };
  const propose = async signal => {
    const known = await get('/api/signals/' + signal) || {};
    const field = (name, value) => { const entry = el('input', { type: 'number', step: 'any', name, value: value ?? '' }); return [entry, el('label', {}, el('span', {}, say('alarms.' + name)), entry)]; };
    const fields = Object.fromEntries([['capability', known.capability], ['potentiality', known.potentiality], ['recovery', known.recovery_s ? known.recovery_s / 60 : ''], ['low', null], ['high', null]].map(([name, value]) => [name, field(name, value)]));
    const why = el('input', { type: 'text', name: 'why' }), read = name => (fields[name][0].value === '' ? null : Number(fields[name][0].value));
    const send = button(say('alarms.send'), async () => {
      const minutes = read('recovery');
      const command = { command: 'propose-agreement', signal, capability: read('capability'), potentiality: read('potentiality'), recovery_s: minutes === null ? null : 60 * minutes, normal_low: read('low'), normal_high: read('high'), reason: why.value.trim() };
      if (await give(command)) w.terms.close();
    });
    w.terms.replaceChildren(el('h2', {}, say('alarms.terms', { signal })), el('div', { class: 'fields' }, ...Object.values(fields).map(f => f[1]), el('label', { class: 'wide' }, el('span', {}, say('alarms.reason')), why)), el('p', { class: 'buttons' }, send, button(say('alarms.cancel'), () => w.terms.close())));
    w.terms.showModal();
  };

  // ---- notices, and what is out of service
  const notice = n => el('li', { 'data-state': n.state }, el('strong', {}, n.title), el('code', {}, n.key), el('small', {}, n.deliveries.map(d => d.who + ' · ' + d.channel + ' · ' + d.state + (d.reason ? ' (' + d.reason + ')' : '')).slice(-3).join('; ') || n.state));
  const service = s => el('li', {}, el('strong', {}, s.title), el('small', {}, say(s.returns ? 'alarms.until' : 'alarms.review', { at: clock(s.next_at, false) }) + ' · ' + s.by + ': ' + s.reason), ['unit', 'operator'].includes(role()) ? button(say('alarms.back'), () => give({ command: 'return-to-service', service: s.id })) : '');

  const build = root => {
    const link = new URLSearchParams(location.search).get('alarm');
    if (link) picked = link;
    drawn = ''; asked = 0; unit = root.dataset.focus || ''; made.clear();
    w = {
      root, list: el('ol', { class: 'causes' }), detail: el('div', { class: 'detail' }), acts: el('div', { class: 'acts' }), reason: el('input', { type: 'text', id: 'why', autocomplete: 'off' }),
      result: el('p', { role: 'status', class: 'result' }), kpi: el('div', { class: 'kpi' }), notices: el('ul', { class: 'notices' }), services: el('ul', { class: 'notices' }), head: el('h2'),
      unit: el('select', { id: 'kpi-unit', 'aria-label': say('alarms.unit') }), clock: el('strong', { class: 'now' }), terms: el('dialog', { class: 'terms' }), out: el('h3', {}, say('alarms.out')),
    };
    w.doing = el('section', { class: 'doing' }, el('h3', {}, say('alarms.do')), el('label', { for: 'why' }, say('alarms.reason')), w.reason, w.acts, w.result);
    w.unit.addEventListener('change', () => { unit = w.unit.value; refresh(); });
    root.replaceChildren(
      el('header', { class: 'top' }, el('h1', {}, say('alarms.title')), el('p', {}, root.dataset.title || ''), el('nav', {}, el('a', { href: '/handover' }, say('alarms.handover')), el('a', { href: '/' }, say('desk.wall'))), w.clock),
      el('section', { class: 'left', 'aria-label': say('alarms.causes') }, el('h2', {}, say('alarms.causes')), w.list, w.out, w.services),
      el('section', { class: 'middle' }, w.detail, w.doing),
      el('aside', {}, el('div', { class: 'whose' }, w.head, w.unit), w.kpi, el('h3', {}, say('alarms.outside')), w.notices), w.terms);
  };
  const made = new Map();
  const once = (name, of, make) => { const text = JSON.stringify(of); if (made.get(name) !== text) { made.set(name, text); make(); } };
  const paint = () => {
    const list = causes(), rows = list.flatMap(c => [c.alarm, ...c.followers]);
    if (!rows.some(a => a.id === picked)) picked = rows.length ? rows[0].id : '';
    const key = [state.pulse, state.snapshots, picked, role()].join();
    if (key === drawn || (drawn && rows.length > SHOWN && performance.now() - paintedAt < CALM_MS && key.split(',')[2] === drawn.split(',')[2])) return;
    drawn = key; paintedAt = performance.now();
    const held = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.alarm : null;
    const shown = list.slice(0, SHOWN);
    w.list.replaceChildren(...shown.flatMap(c => [line(c.alarm, false), ...c.followers.slice(0, SHOWN).map(f => line(f, true))]), list.length > SHOWN ? el('li', { class: 'calm' }, say('alarms.rest', { count: count(list.length - SHOWN) })) : '');
    if (!rows.length) w.list.replaceChildren(el('li', { class: 'calm' }, say('alarms.calm')));
    if (held) { const again = w.list.querySelector('[data-alarm="' + held + '"]'); if (again) again.focus({ preventScroll: true }); }
    const alarm = rows.find(a => a.id === picked);
    const group = alarm && facts.groups.find(g => g.id === alarm.group), others = open().slice(0, SHOWN).map(a => a.id + a.group);
    // What nobody has changed stays as it is: a list that is open, a box that has the focus.
    once('detail', [alarm, group], () => detail(alarm));
    once('acts', [alarm, role(), others], () => actions(alarm));
    once('kpi', [facts.kpi, role()], () => measures(facts.kpi));
    const whose = unit || (role() === 'unit' ? state.focus : ALL);
    put(w.head, whose === ALL ? say('alarms.kpi_all') : say('alarms.kpi', { unit: title(whose) }));
    w.notices.replaceChildren(...(facts.notices.length ? facts.notices.slice(0, 6).map(notice) : [el('li', { class: 'calm' }, say('alarms.no_notices'))]));
    show(w.out, facts.services.length > 0);
    w.services.replaceChildren(...facts.services.map(service));
    const units = [...state.units.values()];
    const all = role() === 'unit' ? [] : [el('option', { value: ALL }, say('alarms.everything'))];
    if (w.unit.options.length !== units.length + all.length) {
      w.unit.replaceChildren(...all, ...units.map(u => el('option', { value: u.id }, u.title || u.id)));
      w.unit.value = whose;
    }
  };
  room.mount('#alarms', build);
  room.draw(() => {
    if (!w || !document.contains(w.root) || !state.viewer) return;
    put(w.clock, clock(room.now()));
    for (const node of w.root.querySelectorAll('[data-until]')) put(node, span(Number(node.dataset.until) - room.now()));
    if ((state.pulse !== pulse && performance.now() - asked > 1000) || performance.now() - asked > FRESH_MS) refresh();
    paint();
  });
})();
