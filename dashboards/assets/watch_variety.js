// In the corner of the wall's hive: what the level in focus took in during the last day, and what went on from it. From /api/variety.
'use strict';
(() => {
  const room = window.opsroom;
  const { el, say, put, set, count, state } = room;
  const EVERY_MS = 10000;
  let line = null, words = null, way = null, rows = new Map(), asked = -EVERY_MS, shown = '';

  const ask = async () => {
    asked = performance.now();
    const answered = await fetch('/api/variety').catch(() => null);
    if (answered && answered.ok) rows = new Map((await answered.json()).map(row => [row.unit, row]));
  };
  room.draw(() => {
    const hive = document.querySelector('#wall svg.hive');
    if (!hive) return;
    if (!line || !line.isConnected) {
      words = el('span', {});
      way = el('a', { href: '/' }, say('wall.chart'));
      line = el('p', { class: 'variety' }, words, ' ', way);
      hive.parentNode.append(line);
      shown = '';
    }
    if (performance.now() - asked > EVERY_MS) ask();
    const row = rows.get(state.focus);
    const text = row ? say('wall.variety', { readings: count(row.readings_day), came: count(row.came_day), went: count(row.went_day) }) : '';
    if (text + state.focus === shown) return;
    shown = text + state.focus;
    put(words, text);
    set(way, { href: '/chart/' + state.focus, title: row ? say('wall.variety_all', { readings: count(row.readings), came: count(row.came), went: count(row.went) }) : '' });
  });
})();
