// One's own sealed ballot, read again on one's own wish: asked of the room there and then, kept nowhere.
'use strict';
(() => {
  const room = window.opsroom;
  const { el, say } = room;
  const letters = ids => ids.map(id => id.toUpperCase()).join(', ');
  const line = one => {
    const words = one.abstain ? say('own.abstain') : letters(one.options);
    const objects = one.objections.length ? [say('own.objects', { options: letters(one.objections) })] : [];
    const reason = one.reason ? [say('own.because', { reason: one.reason })] : [];
    return el('p', {}, [say('own.said', { seat: one.seat, round: one.round, what: words || letters(one.options) }), ...objects, ...reason].join('; '));
  };
  const clear = () => { const told = document.getElementById('own-ballot'); if (told) told.replaceChildren(); };
  document.addEventListener('click', async event => {
    if (event.target.closest('[data-pick]')) clear();
    if (!event.target.closest('#reread')) return;
    const told = document.getElementById('own-ballot'), of = document.getElementById('parts').dataset.of.split(' ')[0];
    try {
      const answer = await fetch('/api/motions/' + encodeURIComponent(of) + '/ballot');
      const body = await answer.json();
      if (!answer.ok) { told.replaceChildren(el('p', {}, [body.reason, body.cure].filter(Boolean).join(' '))); return; }
      told.replaceChildren(...(body.length ? body.map(line) : [el('p', {}, say('own.none'))]));
    } catch { told.replaceChildren(el('p', {}, say('own.failed'))); }
  });
  // It is not left standing for whoever comes by, nor once the round is over.
  document.addEventListener('toggle', event => { if (event.target.querySelector && event.target.querySelector('#own-ballot')) clear(); }, true);
  room.mount('#parts', node => new MutationObserver(clear).observe(node, { attributes: true, attributeFilter: ['data-of'] }));
})();
