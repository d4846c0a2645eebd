// The line to the server as the customer has to know it: whether it is lost, and whether a press was lost with it.
import { useSyncExternalStore } from "react";

const EVENT = '42/_event,["event"', JOINED = "40/_event,", LOADED = '"is_hydrated_rx_state_":true';
const LONGEST_LOAD_MS = 10_000;
// What a page sends by itself, and sends again when it has reconnected.
const BY_ITSELF = /"name":"[^"]*\.(load|hydrate\w*|on_load_internal|set_is_hydrated|handle_frontend_exception|update_vars\w*)"/;
const FINE = { lost: false, unsent: false };
let line = FINE;
let current = null;
// The events that are on their way, oldest first: whether each is a press.
let underway = [];
// Presses made while the line was lost: they follow when the page has loaded again, which would wipe what they bring.
let held = null;
const watchers = new Set();

function tell(change) {
  line = { ...line, ...change };
  watchers.forEach((watcher) => watcher());
}

// The server confirms that events came in: by a 6 for each, or by a space for each at the end of an update.
function received(data) {
  if (data.startsWith("6")) return data.length;
  return data.startsWith("42") ? data.length - data.trimEnd().length : 0;
}

function end(socket) {
  if (socket !== current) return;
  current = null;
  tell({ lost: true, unsent: line.unsent || underway.includes(true) || Boolean(held?.length) });
  underway = [];
  held = null;
}

function release(socket) {
  if (socket !== current || !held) return;
  const presses = held;
  held = null;
  presses.forEach((press) => socket.send(press));
}

function begin(socket) {
  current = socket;
  if (line.lost) {
    held = [];
    setTimeout(() => release(socket), LONGEST_LOAD_MS);
  }
  socket.addEventListener("close", () => end(socket));
  socket.addEventListener("message", ({ data }) => {
    if (socket !== current || typeof data !== "string") return;
    underway.splice(0, received(data));
    if (line.lost && data.startsWith(JOINED)) tell({ lost: false });
    else if (held && data.includes(LOADED)) release(socket);
  });
}

if (typeof WebSocket !== "undefined" && typeof window !== "undefined") {
  const { send, close } = WebSocket.prototype;
  WebSocket.prototype.send = function (data) {
    const isEvent = typeof data === "string" && data.startsWith(EVENT);
    if (this !== current && (isEvent || String(data).startsWith(JOINED))) begin(this);
    if (isEvent) {
      const isPress = !BY_ITSELF.test(data.slice(0, 400));
      if (isPress && held) return void held.push(data);
      underway.push(isPress);
    }
    return send.call(this, data);
  };
  WebSocket.prototype.close = function (...reasons) {
    end(this);
    return close.apply(this, reasons);
  };
}

export const dismiss = () => tell({ unsent: false });

export function useLine() {
  const watch = (watcher) => (watchers.add(watcher), () => watchers.delete(watcher));
  return useSyncExternalStore(watch, () => line, () => FINE);
}
