// A plant in JavaScript (Node 22 on): node plant.mjs ws://HOST:PORT/telex TICKET [milliseconds between telexes] [memory file]
// What is not acknowledged is kept and sent again. Only signed orders are obeyed, each once, also after a restart: the answers lie
// in the memory file (an order that was begun and not done is not begun again). Figures that wait at a restart are lost.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
const [url, ticket, pause = "1000", memory = "plant-memory.json"] = process.argv.slice(2);
const [, link, token, room, key] = ticket.split(".");  // telex1.LINK.TOKEN.ROOM.KEY, from `opsroom link add`
const plant = "bakery", epoch = Math.floor(Date.now() / 1000), spool = new Map();  // seq -> telex
const signals = [{ id: 1, name: "loaves", unit: "1/h", period_s: Number(pause) / 1000, low: 0 }];
const orders = [{ name: "bake", title: "Bake more", parameters: { type: "object", properties: { trays: { type: "integer" } } } }];
const birth = { plant, epoch, title: "Bakery in JavaScript", signals, orders };
const answers = new Map(existsSync(memory) ? JSON.parse(readFileSync(memory, "utf8")) : []);  // order id -> receipt
let socket = null, up = false, seq = 0, wait = 100, rate = 240;
const say = (frame) => up && socket.send(JSON.stringify(frame));
const canonical = (value) => typeof value !== "object" || !value ? JSON.stringify(value)
  : Array.isArray(value) ? `[${value.map(canonical)}]`
  : `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`)}}`;  // RFC 8785
async function forged(what, { proof, ...said }) {  // why an order or invitation is not the room's, empty when it is
  if (!proof || proof.key !== key || said.room !== room || said.plant !== plant) return "it is not signed by my room";
  const named = await crypto.subtle.importKey("raw", Buffer.from(key, "base64url"), "Ed25519", false, ["verify"]);
  const bytes = new TextEncoder().encode(`opsroom ${what} v1\n` + canonical(said));
  return await crypto.subtle.verify("Ed25519", named, Buffer.from(proof.signature, "base64url"), bytes) ? "" : "it was altered";
}
function answer(order, state, reason = "", keep = true) {
  const receipt = { order: order.id, plant, state, time: new Date().toISOString(), reason };
  if (keep) answers.set(order.id, receipt);  // a forged order is not kept: it must not block the true one of its id
  writeFileSync(memory + ".new", JSON.stringify([...answers]), { flush: true }), renameSync(memory + ".new", memory);
  say({ receipts: [receipt] });
}
async function obey(order) {
  const why = await forged("order", order);  // before looking for its answer: a second copy may come meanwhile
  if (answers.has(order.id)) return say({ receipts: [answers.get(order.id)] });  // the same order again: the same answer
  if (why) return answer(order, "refused", why, false);
  if (order.revoked) return answer(order, "refused", "it was revoked");  // also before its time: it may come again later
  const [now, from, until] = [Date.now(), Date.parse(order.not_before), Date.parse(order.expires)];
  if (now + 5000 < from || now >= until) return answer(order, "refused", "it is not its time", false);
  answer(order, "accepted");  // remembered before anything is done
  rate += 10 * (order.parameters?.trays ?? 1), answer(order, "done");
}
async function invited(invitation) {  // a member that is not there has its default: open, nothing stated yet
  if ((invitation.state ?? "open") !== "open" || invitation.stated || await forged("invitation", invitation)) return;
  say({ statements: [{ plant, motion: invitation.motion, text: `We bake ${rate} loaves an hour; the flour lasts till noon.` }] });
}
function hear(frame) {
  for (const ack of frame.acks ?? []) if (ack.epoch === epoch) for (const n of spool.keys()) if (n <= ack.seq) spool.delete(n);
  if (frame.welcome) console.log(`${frame.welcome.room} listens; ${spool.size} telexes wait`);
  if (frame.welcome) { up = true; wait = 100; for (const telex of spool.values()) say({ telexes: [telex] }); }
  for (const refusal of frame.refusals ?? []) console.error(`${refusal.code}: ${refusal.reason}; ${refusal.cure}`);
  for (const order of frame.orders ?? []) obey(order);
  for (const invitation of frame.invitations ?? []) invited(invitation);
}
function connect() {
  socket = new WebSocket(url, "telex.v1.json");
  socket.onopen = () => socket.send(JSON.stringify({ hello: { link, token }, births: [birth] }));
  socket.onmessage = ({ data }) => hear(JSON.parse(data));
  socket.onclose = () => { up = false; setTimeout(connect, wait * (0.5 + Math.random() / 2)); wait = Math.min(2 * wait, 15000); };
}
connect(), setInterval(() => {
  spool.set(++seq, { plant, epoch, seq, time: new Date().toISOString(), readings: [[1, rate]] });
  say({ telexes: [spool.get(seq)] });
}, Number(pause));
