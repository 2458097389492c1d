// A plant in JavaScript: node plant.mjs ws://HOST:PORT/telex TICKET [milliseconds between telexes]
// It says hello and birth, tells figures, keeps what is not acknowledged and resends it, obeys only signed orders, and states
// what it knows when the council invites it.
const [url, ticket, pause = "1000"] = process.argv.slice(2);
const [, link, token, room, key] = ticket.split(".");  // telex1.LINK.TOKEN.ROOM.KEY, from `opsroom link add`
const plant = "bakery", epoch = Math.floor(Date.now() / 1000);  // no file to remember numbers in: a new epoch at each start
const birth = {
  plant, epoch, title: "Bakery in JavaScript",
  signals: [{ id: 1, name: "loaves", unit: "1/h", period_s: Number(pause) / 1000, low: 0 }],
  orders: [{ name: "bake", title: "Bake more", parameters: { type: "object", properties: { trays: { type: "integer" } } } }],
};
const spool = new Map(), answers = new Map();  // seq -> telex, order id -> receipt
let socket = null, up = false, seq = 0, wait = 100, rate = 240;

const say = (frame) => up && socket.send(JSON.stringify(frame));
const canonical = (value) => value === null || typeof value !== "object" ? JSON.stringify(value)
  : Array.isArray(value) ? `[${value.map(canonical)}]`
  : `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`)}}`;  // RFC 8785

async function forged(what, { proof, ...said }) {  // why an order or invitation is not the room's, empty when it is
  if (!proof || proof.key !== key || said.room !== room || said.plant !== plant) return "it is not signed by my room";
  const named = await crypto.subtle.importKey("raw", Buffer.from(key, "base64url"), "Ed25519", false, ["verify"]);
  const bytes = new TextEncoder().encode(`opsroom ${what} v1\n` + canonical(said));
  return await crypto.subtle.verify("Ed25519", named, Buffer.from(proof.signature, "base64url"), bytes) ? "" : "it was altered";
}

async function whyNot(order) {  // the reason to refuse an order, empty when it is the room's and in time
  const why = await forged("order", order);
  if (why) return why;
  if (Date.now() + 5000 < Date.parse(order.not_before) || Date.now() >= Date.parse(order.expires)) return "it is not its time";
  return order.revoked ? "it was revoked" : "";
}

async function obey(order) {
  const answer = (state, reason = "", keep = true) => {
    const receipt = { order: order.id, plant, state, time: new Date().toISOString(), reason };
    if (keep) answers.set(order.id, receipt);  // a forged order is not kept: it must not block the true one of its id
    say({ receipts: [receipt] });
  };
  const reason = await whyNot(order);  // before looking for its answer: a second copy may come meanwhile
  if (answers.has(order.id)) return say({ receipts: [answers.get(order.id)] });  // the same order again: the same answer
  if (reason) return answer("refused", reason, reason === "it was revoked");
  answer("accepted");
  rate += 10 * (order.parameters?.trays ?? 1);
  answer("done");
}

async function invited(invitation) {  // a member that is not there has its default: open, nothing stated yet
  if ((invitation.state ?? "open") !== "open" || invitation.stated || await forged("invitation", invitation)) return;
  say({ statements: [{ plant, motion: invitation.motion, text: `We bake ${rate} loaves an hour; the flour lasts till noon.` }] });
}

function connect() {
  socket = new WebSocket(url, "telex.v1.json");
  socket.onopen = () => socket.send(JSON.stringify({ hello: { link, token }, births: [birth] }));
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    for (const ack of frame.acks ?? []) if (ack.epoch === epoch) for (const n of spool.keys()) if (n <= ack.seq) spool.delete(n);
    if (frame.welcome) { up = true; wait = 100; for (const telex of spool.values()) say({ telexes: [telex] }); }
    for (const refusal of frame.refusals ?? []) console.error(`${refusal.code}: ${refusal.reason}; ${refusal.cure}`);
    for (const order of frame.orders ?? []) obey(order);
    for (const invitation of frame.invitations ?? []) invited(invitation);
  };
  socket.onclose = () => { up = false; setTimeout(connect, wait * (0.5 + Math.random() / 2)); wait = Math.min(2 * wait, 15000); };
}
setInterval(() => {
  spool.set(++seq, { plant, epoch, seq, time: new Date().toISOString(), readings: [[1, rate]] });
  say({ telexes: [spool.get(seq)] });
}, Number(pause));
connect();
