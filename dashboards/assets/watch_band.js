// The band over every screen that has none of its own: the line is down, or the session has ended. It goes when the room is back.
'use strict';
(() => {
  const room = window.opsroom;
  const { el, put, show, say } = room;
  let band = null, text = null, way = null;
  room.draw(state => {
    if (!document.querySelector('#desk, .ledger, #chart')) { if (band) show(band, false); return; }
    if (!band) {
      text = el('strong');
      // In a tab beside: what was half written here would be gone with the page.
      way = el('a', { target: '_blank', rel: 'noopener' }, say('wall.again'));
      band = el('div', { class: 'band-down', role: 'alert', hidden: true }, room.shape('no'), text, way);
      document.body.append(band);
    }
    const cut = room.cut();
    put(text, cut);
    room.set(way, { href: location.pathname });
    show(way, state.ended);
    show(band, Boolean(cut));
    document.documentElement.toggleAttribute('data-cut', Boolean(cut));
    document.documentElement.toggleAttribute('data-ended', state.ended);
  });
})();
