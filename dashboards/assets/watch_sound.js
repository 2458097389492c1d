// Sound on the wall: a short tone for an alarm that is new or has climbed, another one for each priority. A browser lets a page sound
// only after somebody has pressed something on it, so the wall says that it is off until then, and shows when it is muted.
'use strict';
(() => {
  const room = window.opsroom;
  const { el, put, set, say, state } = room;
  const TONES = { high: [[880, 0], [660, .18], [880, .36], [660, .54]], medium: [[660, 0], [660, .3]], low: [[440, 0]] };
  const RANK = ['low', 'medium', 'high'], LEAST_MS = 3000;
  let button = null, corner = null, sound = null, muted = false, known = null, last = 0;

  const mark = () => {
    const word = !sound ? 'off' : muted ? 'muted' : 'on';
    set(button, { 'data-sound': word, 'aria-pressed': String(word === 'on'), title: say('sound.why_' + word) });
    put(button, say('sound.' + word));
  };
  const play = priority => {
    if (!sound || muted || performance.now() - last < LEAST_MS) return;
    last = performance.now();
    for (const [pitch, after] of TONES[priority] || TONES.medium) {
      const tone = sound.createOscillator(), loud = sound.createGain(), at = sound.currentTime + after;
      tone.type = 'triangle'; tone.frequency.value = pitch;
      loud.gain.setValueAtTime(0, at); loud.gain.linearRampToValueAtTime(.25, at + .02); loud.gain.exponentialRampToValueAtTime(.001, at + .16);
      tone.connect(loud).connect(sound.destination);
      tone.start(at); tone.stop(at + .18);
    }
    set(button, { 'data-played': priority });
  };
  const press = () => {
    if (!sound) sound = new AudioContext();
    else muted = !muted;
    sound.resume();
    mark();
    if (!muted) play('low');
  };
  room.mount('#wall', root => {
    known = null;
    button = el('button', { type: 'button', class: 'sound' });
    button.addEventListener('click', press);
    corner = el('div', { class: 'corner' }, el('a', { href: '/alarms' }, say('alarms.title')), button);
    mark();
  });
  room.draw(() => {
    if (!button || !state.ready) return;
    const place = document.querySelector('#wall .status .more');
    if (!place) { button = null; return; }
    if (corner.parentNode !== place) place.append(corner);
    const now = new Map();
    for (const a of state.alarms.values()) if (['unacknowledged', 'acknowledged'].includes(a.state) && (!a.origin || a.origin === a.id)) now.set(a.id, [a.climbs.length, a.priority]);
    if (known) {
      const fresh = [...now].filter(([id, [rungs]]) => !known.has(id) || known.get(id)[0] < rungs).map(([, [, priority]]) => RANK.indexOf(priority));
      if (fresh.length) play(RANK[Math.max(0, ...fresh)]);
    }
    known = now;
  });
})();
