// Files of a message, sent by tus 1.0.0 in pieces: a lost line or a reload costs one piece at most.
const TUS = { "Tus-Resumable": "1.0.0" }, ROUTE = "/api/uploads";
const PIECE = 1024 * 1024, AT_ONCE = 2, POLL_MS = 2000, WAITS = [500, 1000, 3000, 5000, 10_000];
// What may pass by itself: another piece arrives, too many calls, or the server is away.
const PASSING = new Set([408, 423, 429, 500, 502, 503, 504]);
let place = null, draft = "", entries = [], poll = 0;

const part = (node, name) => node.querySelector(`[data-part="${name}"]`);
const told = (name, values = {}) =>
  Object.entries(values).reduce((text, [key, value]) => text.replace(`{${key}}`, () => value), place.dataset[name] ?? "");
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const inBase64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

// Show the files of a draft in an element, and take new ones there.
export async function open(id, key) {
  place = document.getElementById(id);
  entries.forEach((entry) => entry.calls?.abort());
  draft = key;
  entries = [];
  if (!place.dataset.bound) bind();
  await list();
}

function bind() {
  place.dataset.bound = "yes";
  const input = part(place, "input");
  input.addEventListener("change", () => (add(input.files), (input.value = "")));
  const form = place.closest("form") ?? place;
  form.addEventListener("dragover", (event) => event.preventDefault());
  for (const [kind, brought] of [["drop", "dataTransfer"], ["paste", "clipboardData"]]) {
    form.addEventListener(kind, (event) => {
      if (!event[brought]?.files.length) return;
      event.preventDefault();
      add(event[brought].files);
    });
  }
  addEventListener("online", () => entries.forEach((entry) => entry.wake?.()));
}

// What the server has; what this page is sending is known better here.
async function list() {
  clearTimeout(poll);
  const key = draft;
  const answer = await fetch(`${ROUTE}?draft=${encodeURIComponent(key)}`).catch(() => null);
  const { items = [] } = answer?.ok ? await answer.json() : {};
  if (key !== draft) return;
  for (const item of items) {
    // It stays in this list as words alone: what is there twice is sent once.
    if (item.state === "duplicate") fetch(`${ROUTE}/${item.id}`, { method: "DELETE", headers: TUS }).catch(() => {});
    const known = entries.find((entry) => entry.id === item.id);
    if (!known) entries.push({ ...item });
    else if (!known.busy) Object.assign(known, { state: item.state, refusal: item.refusal, name: item.name });
  }
  draw();
  if (entries.some((entry) => entry.state === "received")) poll = setTimeout(list, POLL_MS);
}

const cutOf = (file) => entries.find((entry) => entry.state === "receiving" && !entry.file && entry.size === file.size);

function add(files) {
  const isOne = !part(place, "input").multiple;
  for (const file of isOne ? [...files].slice(0, 1) : files) {
    const cut = cutOf(file);
    // Where one file is asked for, it takes the place of an earlier one.
    if (isOne) entries.filter((other) => other !== cut).forEach(remove);
    const entry = cut ?? { name: file.name, size: file.size, received: 0, state: "receiving" };
    entry.file = entry.chosen = file;
    if (!cut) entries.push(entry);
    if (file.size > Number(place.dataset.most)) refuse(entry, told("large"));
    else if (file.size === 0) refuse(entry, told("empty"));
    send(entry);
  }
  draw();
}

function refuse(entry, words) {
  Object.assign(entry, { state: "refused", refusal: words, file: null });
}

async function send(entry) {
  if (entry.busy) return;
  entry.busy = true;
  let failures = 0;
  while (entry.file && !entry.paused && entry.state === "receiving" && entries.includes(entry)) {
    if (entries.filter((other) => other.running).length >= AT_ONCE) {
      await pause(200);
      continue;
    }
    entry.running = true;
    const goes = await step(entry).catch(() => false);
    entry.running = false;
    failures = goes ? 0 : failures + 1;
    draw();
    if (!goes && !entry.paused) await Promise.race([pause(WAITS[Math.min(failures, WAITS.length) - 1]), woken(entry)]);
  }
  entry.busy = false;
  draw();
  if (entry.state === "received") list();
}

const woken = (entry) => new Promise((done) => (entry.wake = done));

// One call. True: go on; false: wait and look where the server stands.
async function step(entry) {
  entry.calls = new AbortController();
  const { signal } = entry.calls;
  if (!entry.id) return begin(entry, signal);
  if (entry.unsure) {
    const known = await fetch(`${ROUTE}/${entry.id}`, { method: "HEAD", headers: TUS, signal });
    return take(entry, known);
  }
  entry.unsure = true;
  const headers = { ...TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": entry.received };
  const body = entry.file.slice(entry.received, entry.received + PIECE);
  return take(entry, await fetch(`${ROUTE}/${entry.id}`, { method: "PATCH", headers, body, signal }));
}

async function begin(entry, signal) {
  entry.key ??= crypto.randomUUID();
  const metadata = `filename ${inBase64(entry.name)},draft ${inBase64(draft)}`;
  const headers = { ...TUS, "Idempotency-Key": entry.key, "Upload-Length": entry.size, "Upload-Metadata": metadata };
  const answer = await fetch(ROUTE, { method: "POST", headers, signal });
  if (!answer.ok) return failed(entry, answer);
  entry.id = answer.headers.get("Location").split("/").pop();
  return true;
}

async function take(entry, answer) {
  const offset = answer.headers.get("Upload-Offset");
  if (offset === null) return failed(entry, answer);
  entry.received = Number(offset);
  entry.unsure = false;
  if (entry.received === entry.size) entry.state = "received";
  return true;
}

async function failed(entry, answer) {
  if (answer.status === 404 || answer.status === 410) {
    // Deleted meanwhile: this page still has the file.
    Object.assign(entry, { id: "", key: undefined, received: 0, unsure: false });
    return true;
  }
  if (PASSING.has(answer.status)) return false;
  const problem = await answer.json().catch(() => ({}));
  refuse(entry, Object.values(problem.fields ?? {})[0] ?? problem.detail ?? told("failed"));
  return true;
}

function turn(entry) {
  entry.paused = !entry.paused;
  if (entry.paused) entry.calls?.abort();
  else send(entry);
  draw();
}

function remove(entry) {
  entries = entries.filter((other) => other !== entry);
  entry.calls?.abort();
  const gone = entry.id && fetch(`${ROUTE}/${entry.id}`, { method: "DELETE", headers: TUS }).catch(() => {});
  if (entry.state === "checked" || entry.state === "received") takeAgain(gone);
  draw();
}

// The file that others were the same as may be gone: those are sent again, and the server says what they are now.
function takeAgain(gone) {
  entries = entries.filter((entry) => entry.state !== "duplicate" || entry.chosen);
  for (const entry of entries.filter((other) => other.state === "duplicate")) {
    Object.assign(entry, { id: "", key: undefined, received: 0, unsure: false, state: "receiving", file: entry.chosen });
    gone.then(() => send(entry));
  }
}

function words(entry) {
  if (entry.state === "refused") return entry.refusal;
  if (entry.state === "received") return told("checking");
  if (entry.state === "checked") return told("ready");
  if (entry.state === "duplicate") return told("same");
  if (!entry.file) return told("again");
  if (entry.paused) return told("paused");
  return told("arriving", { percent: Math.floor((entry.received / entry.size) * 100) });
}

function draw() {
  const shown = part(place, "list"), pattern = part(place, "pattern");
  const rows = entries.map((entry) => {
    const row = pattern.cloneNode(true);
    row.removeAttribute("data-part");
    row.hidden = false;
    part(row, "name").textContent = entry.name;
    const told_as = part(row, "words");
    told_as.textContent = words(entry);
    told_as.dataset.tone = { refused: "problem", checked: "ok" }[entry.state] ?? "info";
    const bar = part(row, "bar"), hold = part(row, "hold"), away = part(row, "remove");
    bar.hidden = hold.hidden = entry.state !== "receiving" || !entry.file;
    Object.assign(bar, { max: entry.size, value: entry.received });
    bar.setAttribute("aria-label", entry.name);
    hold.textContent = told(entry.paused ? "resume" : "pause");
    hold.addEventListener("click", () => turn(entry));
    away.setAttribute("aria-label", `${away.textContent}: ${entry.name}`);
    away.addEventListener("click", () => remove(entry));
    return row;
  });
  const focused = [...shown.children].findIndex((row) => row.contains(document.activeElement));
  const name = document.activeElement?.dataset.part;
  shown.replaceChildren(...rows);
  // A list that is drawn again must not take the keyboard's place away.
  if (focused >= 0) {
    const row = rows[Math.min(focused, rows.length - 1)];
    const stays = row && [part(row, name), part(row, "remove")].find((each) => each && !each.hidden);
    (stays ?? part(place, "input")).focus();
  }
  const sendable = entries.filter((entry) => entry.state === "received" || entry.state === "checked");
  part(place, "ids").value = sendable.map((entry) => entry.id).join(",");
  const others = entries.filter((entry) => entry.state !== "duplicate");
  part(place, "waiting").value = others.length > sendable.length ? "yes" : "";
  const ready = others.length && others.every((entry) => entry.state === "checked");
  const refused = entries.filter((entry) => entry.state === "refused").at(-1);
  // What stands beside a file is not read aloud, for its figures change all the time.
  const said = refused ? told("refused", { name: refused.name }) : ready ? told("all") : "";
  const note = part(place, "note");
  if (note.textContent !== said) note.textContent = said;
}
