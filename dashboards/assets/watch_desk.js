// A seat's, a unit's or the operator's screen: clocks, keys, and one number that tells Dash when the council's rows changed.
// Nothing that streams ever becomes a Dash property; `pulse` moves only with alarms, motions, orders, seats and stops.
'use strict';
(() => {
  const room = window.opsroom;
  const { put, set, say, span, clock, state } = room;
  const FRESH_MS = 20000, LEAST_MS = 250, LOST_MS = 60000;
  const BALLOT = { a: 'a', b: 'b', c: 'c', d: 'd', e: 'e', 0: 'abstain' };
  let desk = null, pulsed = 0, at = 0, told = 0, waiting = true, snapshots = 0;

  const tell = (id, props) => { if (window.dash_clientside && window.dash_clientside.set_props) window.dash_clientside.set_props(id, props); };
  // Dash throws away an answer when it has asked again meanwhile: a room that is slower than its news would never be drawn,
  // so it is asked again only when the last answer stands on the screen, when it is lost, or when the line is new.
  const pulse = () => {
    const now = performance.now(), parts = document.getElementById('parts');
    if (waiting && parts && parts.dataset.pulse === String(told)) { waiting = false; at = now; }
    const stale = now - at, anew = state.snapshots !== snapshots && snapshots > 0;
    if ((state.pulse !== pulsed && stale > LEAST_MS && (!waiting || anew)) || stale > (waiting ? LOST_MS : FRESH_MS)) {
      pulsed = state.pulse;
      at = now;
      told = Math.floor(at);
      waiting = true;
      snapshots = state.snapshots;
      tell('pulse', { data: told });
    }
  };
  const clocks = () => {
    const now = room.now();
    for (const node of document.querySelectorAll('[data-until]')) put(node, span(Number(node.dataset.until) - now));
    const shown = document.getElementById('room-clock'), line = document.getElementById('room-line');
    if (!shown || !line) return;
    put(shown, clock(now));
    put(line, state.connected ? say('desk.up') : say('desk.down', { age: span(room.age()) }));
    set(desk, { 'data-line': state.connected ? 'up' : 'down' });
  };
  room.mount('#desk', node => { desk = node; pulsed = 0; at = performance.now(); told = 0; waiting = true; snapshots = 0; });
  room.draw(() => {
    if (!desk || !document.contains(desk)) return;
    clocks();
    pulse();
  });

  document.addEventListener('click', event => {
    const entry = event.target.closest('[data-pick]');
    if (entry) {
      tell('picked', { data: entry.dataset.pick });
      // In one column the matter stands below the whole agenda: who takes a line up is brought to it.
      if (getComputedStyle(desk).display === 'block') desk.querySelector('.matter').scrollIntoView({ block: 'start' });
      return;
    }
    const way = event.target.closest('[data-goto]');
    if (way) {
      const form = document.getElementById(way.dataset.goto).closest('.form');
      form.scrollIntoView({ block: 'start' });
      (form.querySelector('input') || form.querySelector('button')).focus({ preventScroll: true });
      return;
    }
    const keys = event.target.closest('#keys');
    if (keys) {
      const list = document.getElementById('keylist');
      list.hidden = !list.hidden;
      set(keys, { 'aria-expanded': String(!list.hidden) });
      return;
    }
    if (event.target.closest('#leave')) fetch('/api/logout', { method: 'POST' }).finally(leave);
  });

  // ---- leaving: what was half written, here or in another tab, is nobody else's to read, and no way back leads to it
  const left = new BroadcastChannel('opsroom-left');
  const leave = () => { left.postMessage('left'); location.replace('/'); };
  left.addEventListener('message', () => { if (document.querySelector('[data-role]:not([data-role=viewer])')) location.replace(location.pathname); });
  window.addEventListener('pageshow', event => { if (event.persisted) location.reload(); });

  // ---- focus: Dash draws the agenda anew when the room changes; who stood on a line of it still stands there
  let stood = null;
  document.addEventListener('focusin', event => { stood = event.target.dataset ? event.target.dataset.pick || null : null; });
  document.addEventListener('pointerdown', event => { if (!event.target.closest('[data-pick]')) stood = null; });
  new MutationObserver(() => {
    if (!stood || document.activeElement !== document.body) return;
    const entry = [...document.querySelectorAll('[data-pick]')].find(node => node.dataset.pick === stood);
    if (entry) entry.focus({ preventScroll: true });
  }).observe(document.documentElement, { childList: true, subtree: true });

  // ---- keys: only where nothing is being written, and only while their box is ticked
  const writing = node => node && (node.isContentEditable || node.tagName === 'TEXTAREA' || node.tagName === 'SELECT'
    || (node.tagName === 'INPUT' && !['radio', 'checkbox', 'button'].includes(node.type)));
  const choice = value => document.querySelector('#choice input[value="' + value + '"]');
  const seen = node => node && node.offsetParent !== null;
  document.addEventListener('keydown', event => {
    if (!desk || !document.contains(desk) || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === 'Enter' && event.target.closest && event.target.closest('#choice')) {
      event.preventDefault();
      const cast = document.getElementById('cast');
      if (seen(cast)) cast.click();
      return;
    }
    const box = document.querySelector('#single-keys input');
    if (writing(event.target) || (box && !box.checked)) return;
    const entry = /^[1-9]$/.test(event.key) ? document.querySelector('[data-key="' + event.key + '"]') : null;
    if (entry) { event.preventDefault(); entry.focus(); entry.click(); return; }
    const input = BALLOT[event.key.toLowerCase()] ? choice(BALLOT[event.key.toLowerCase()]) : null;
    if (seen(input && input.closest('label'))) { event.preventDefault(); input.click(); input.focus(); }
  });

  // ---- login
  let words = null;
  // Who comes to the door writes at once: the passphrase where the address says whose screen it is.
  const greet = (tries = 120) => {
    const account = document.getElementById('account'), entry = document.getElementById('passphrase');
    if (!account || !entry) { if (tries) requestAnimationFrame(() => greet(tries - 1)); return; }
    if (document.activeElement === document.body) (account.value ? entry : account).focus();
  };
  room.mount('#login', node => { words = JSON.parse(node.dataset.words); greet(); });
  document.addEventListener('submit', async event => {
    if (event.target.id !== 'login-form') return;
    event.preventDefault();
    const field = name => document.getElementById(name).value, told = document.getElementById('login-result');
    try {
      const answer = await fetch('/api/login', {
        method: 'POST', headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ account: field('account').trim(), passphrase: field('passphrase') }),
      });
      const body = await answer.json();
      if (!answer.ok) { put(told, [body.reason, body.cure].filter(Boolean).join(' ')); return; }
      const viewer = body.viewer || {}, way = document.getElementById('login').dataset.way;
      const own = viewer.role === 'seat' ? '/seat/' + viewer.seat : viewer.role === 'unit' ? '/unit/' + viewer.unit : viewer.role === 'operator' ? '/operator' : '/';
      location.assign(way && (way === own || way === '/line' || way === '/alarms' || way === '/handover' || way === '/council' || way.startsWith('/signal/') || viewer.role === 'operator') ? way : own);
    } catch { put(told, words['login.unreachable']); }
  }, true);
})();
