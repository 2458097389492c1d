// The parts of a motion as tabs, and a refusal shown at the control that caused it.
// Which part stands open is the reader's own: a new matter opens its first part, a redrawn one leaves it as it was.
'use strict';
(() => {
  const room = window.opsroom;
  const { set, el } = room;
  const ORDER = ['outcome', 'proposed', 'said', 'happened'];
  let shown = null;

  const desk = () => document.getElementById('desk');
  const tabs = () => document.getElementById('parts');
  const tab = name => document.getElementById('tab-' + name);
  const open = name => {
    const node = desk();
    if (!node || node.dataset.part === name) return;
    set(node, { 'data-part': name });
    for (const other of ORDER) set(tab(other), { 'aria-selected': String(other === name), tabindex: other === name ? '0' : '-1' });
    // The figure is drawn to the width that it has now.
    if (name === 'happened') requestAnimationFrame(() => window.dispatchEvent(new Event('resize')));
  };
  const keep = () => {
    const list = tabs();
    if (!list) return;
    const key = list.dataset.of || '';
    set(desk(), { 'data-motion': key ? 'yes' : 'no' });
    if (key !== shown || !desk().dataset.part) { shown = key; open(key ? list.dataset.first : 'happened'); }
  };
  room.mount('#parts', () => { shown = null; keep(); });
  new MutationObserver(keep).observe(document.documentElement, { subtree: true, attributes: true, attributeFilter: ['data-of'] });
  document.addEventListener('click', event => {
    const pressed = event.target.closest('#parts [data-part]');
    if (pressed) open(pressed.dataset.part);
  });
  document.addEventListener('keydown', event => {
    const at = event.target.closest && event.target.closest('#parts [data-part]');
    if (!at) return;
    const there = ORDER.filter(name => tab(name).getClientRects().length), place = there.indexOf(at.dataset.part);
    const ways = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: there.length - 1 };
    if (!(event.key in ways)) return;
    event.preventDefault();
    const name = there[(ways[event.key] + there.length) % there.length];
    open(name);
    tab(name).focus();
  });

  // ---- a refusal stands at the button that was pressed; the status line says it aloud
  let pressed = null, stays = null;
  const forget = () => { for (const old of document.querySelectorAll('.refusal')) old.remove(); };
  const beside = (lines, spoken) => {
    const inside = pressed.querySelector('details[open] .folded') || pressed;
    const near = el('p', { class: 'refusal', ...(spoken ? { 'aria-hidden': 'true' } : { role: 'alert' }) }, ...lines.map(line => el('span', {}, line)));
    inside.append(near);
    near.scrollIntoView({ block: 'nearest' });
  };
  const note = event => {
    const form = event.target.closest && event.target.closest('#forms .form');
    if (!form || !(event.type === 'click' ? event.target.closest('button') : event.key === 'Enter')) return;
    pressed = form;
    forget();
    if (event.type === 'click' && !room.state.connected && !room.state.ended) beside([room.say('desk.unsent'), room.say('desk.unsent_cure')]);
  };
  document.addEventListener('click', note, true);
  document.addEventListener('keydown', note, true);
  // Once the next thing is begun, what was answered covers nothing any more.
  const read = event => {
    const told = document.getElementById('result');
    if (told && event.target.closest && event.target.closest('#forms')) told.classList.add('read');
  };
  document.addEventListener('pointerdown', read, true);
  document.addEventListener('keydown', read, true);
  // A form that was unfolded for one thing folds when it is done; who stood in it stands at its title.
  const fold = () => {
    const open = pressed && pressed.querySelector(':scope > details[open]');
    if (!open) return;
    const inside = open.contains(document.activeElement);
    open.open = false;
    if (inside) open.querySelector('summary').focus({ preventScroll: true });
  };
  // Enter sends what was written, also over several lines.
  document.addEventListener('keydown', event => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.target.tagName !== 'TEXTAREA') return;
    const form = event.target.closest('#forms .form'), button = form && form.querySelector('button:is(.act, .folded > .lesser)');
    if (!button) return;
    event.preventDefault();
    button.click();
  });
  // Who has begun to write stays at the matter, whatever else comes to the head of the agenda.
  document.addEventListener('input', event => {
    if (!event.target.closest('#forms') || !window.dash_clientside || !window.dash_clientside.set_props) return;
    const current = document.querySelector('#agenda [aria-current=true]');
    if (current && current.dataset.pick !== stays) { stays = current.dataset.pick; window.dash_clientside.set_props('picked', { data: stays }); }
  });
  const bring = () => {
    const told = document.getElementById('result');
    const refused = told && told.querySelector('.refused');
    if (!told) return;
    forget();
    told.classList.remove('read');
    if (told.querySelector('.done')) fold();
    const there = refused && pressed && document.contains(pressed) && pressed.getClientRects().length;
    told.classList.toggle('unseen', Boolean(there));
    if (!there) return;
    beside([...refused.querySelectorAll('span > strong, span > span')].map(part => part.textContent), true);
  };
  room.mount('#result', node => new MutationObserver(bring).observe(node, { childList: true, subtree: true, characterData: true }));
})();
