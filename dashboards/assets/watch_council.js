// The council's own page: how much was asked of it, how it decided, how its orders ended, how good its forecasts were.
'use strict';
(() => {
  const room = window.opsroom;
  const { el, put, say, clock, state, figure } = room;
  const DAYS = [1, 7, 30, 365], AGAIN_MS = 60000;
  let w = null, days = 7, asked = 0;

  const span = seconds => {
    const minutes = Math.round(seconds / 60);
    return minutes < 120 ? say('alarms.minutes', { count: minutes }) : Math.floor(minutes / 60) + ' h ' + String(minutes % 60).padStart(2, '0');
  };
  const get = async path => {
    const answer = await fetch(path), body = await answer.json();
    if (!answer.ok) throw new Error([body.reason, body.cure].filter(Boolean).join('. '));
    return body;
  };
  const tile = (name, value, caption, told, bad = false) =>
    el('li', { class: 'measured', 'data-name': name, 'data-bad': String(bad) }, el('strong', {}, value), el('span', {}, caption), el('small', {}, told));
  const bars = (rows, none) => {
    const most = Math.max(1, ...rows.map(([, count]) => count));
    if (!rows.length) return [el('li', { class: 'calm' }, none)];
    return rows.map(([caption, count]) => el('li', { class: 'counted' }, el('span', {}, caption),
      el('i', { style: 'width:' + (100 * count / most).toFixed(1) + '%', 'aria-hidden': 'true' }), el('b', {}, String(count))));
  };
  const paint = (load, seen) => {
    const share = load.motions ? load.expired / load.motions : 0, bad = share > 0.2;
    w.tiles.replaceChildren(
      tile('motions', String(load.motions), say('council.motions'), say('council.session', { each: figure(load.a_session), hours: load.session_s / 3600, busiest: load.busiest })),
      tile('decided', load.decide_s === null ? '\u2013' : span(load.decide_s), say('council.decided'), load.decide_s_90 === null ? say('council.undecided') : say('council.decided_most', { span: span(load.decide_s_90) })),
      tile('expired', String(load.expired), say('council.expired'), load.expired ? say('council.expired_share', { share: Math.round(100 * share) + ' %' }) : say('council.expired_none'), bad),
      tile('repeated', String(load.repeated), say('council.repeated'), say('council.repeated_why')),
      tile('reversed', String(load.reversed), say('council.reversed'), say('council.reversed_why')));
    put(w.told, load.motions ? (bad ? say('council.too_many') : '') : say('council.none'));
    const outcomes = ['carried', 'lost', 'expired', 'withdrawn', 'open'].map(name => [say('council.' + name), load[name]]).filter(([, count]) => count);
    w.outcomes.replaceChildren(...bars(outcomes, say('council.none')));
    w.movers.replaceChildren(...bars(Object.entries(load.by_seat).map(([seat, count]) => [say('council.seat', { seat }), count]), say('council.none')));
    w.more.replaceChildren(el('li', {}, say('council.amended') + ': ' + load.amended), el('li', {}, say('council.ballots') + ': ' + load.ballots));
    const ended = Object.entries(seen.endings).map(([name, count]) => [say('council.' + (name === 'reversed' ? 'reversed_order' : name)), count]);
    w.endings.replaceChildren(...bars(ended, say('council.no_endings')));
    const kinds = seen.kinds.filter(kind => kind.scored);
    w.kinds.replaceChildren(...(kinds.length ? kinds.map(kind => el('li', {}, el('p', {}, kind.said.split(':')[0]), el('p', {}, say('council.kind', { came: kind.in90, scored: kind.scored })),
      el('details', {}, el('summary', {}, say('council.deeper')), el('p', {}, kind.said)))) : [el('li', { class: 'calm' }, say('council.no_forecasts'))]));
  };
  const load = async () => {
    asked = performance.now();
    try {
      const [told, seen] = await Promise.all([get('/api/council/load?days=' + days), get('/api/forecasts')]);
      paint(told, seen);
    } catch (trouble) { put(w.told, trouble instanceof TypeError ? say('council.failed') : trouble.message); }
  };
  room.mount('#council', root => {
    asked = 0;
    w = {
      root, clock: el('strong', { class: 'now' }), tiles: el('ol', { class: 'load' }), told: el('p', { class: 'lack', role: 'status' }), outcomes: el('ol', { class: 'bars' }), movers: el('ol', { class: 'bars' }),
      more: el('ul', { class: 'calm' }), endings: el('ol', { class: 'bars' }), kinds: el('ol', { class: 'kinds' }),
      days: el('select', { id: 'days' }, ...DAYS.map(n => el('option', { value: n }, n === 1 ? say('council.day') : say('council.days', { days: n })))),
    };
    w.days.value = String(days);
    w.days.addEventListener('change', () => { days = Number(w.days.value); load(); });
    root.replaceChildren(
      el('header', { class: 'top' }, el('h1', {}, say('council.title')), el('p', {}, say('council.why')),
        el('nav', {}, el('label', { for: 'days' }, say('council.over')), w.days, el('a', { href: '/handover' }, say('alarms.handover')), el('a', { href: '/alarms' }, say('alarms.title')), el('a', { href: '/' }, say('desk.wall'))), w.clock),
      el('section', { class: 'left', 'aria-label': say('council.title') }, w.tiles, w.told),
      el('section', { class: 'middle' }, el('h2', {}, say('council.outcomes')), w.outcomes, w.more, el('h2', {}, say('council.movers')), w.movers),
      el('aside', {}, el('h2', {}, say('council.endings')), w.endings, el('h2', {}, say('council.foreseen')), w.kinds));
  });
  room.draw(() => {
    if (!w || !document.contains(w.root) || !state.viewer) return;
    put(w.clock, clock(room.now()));
    if (!asked || performance.now() - asked > AGAIN_MS) load();
  });
})();
