// Credentials in the browser: proofs are sent from here, so that the page stays open and its socket connected.

async function send(path, body) {
  const key = crypto.randomUUID();
  const headers = { "Content-Type": "application/json", Accept: "application/json", "Idempotency-Key": key };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(Object.values(content.fields ?? {})[0] ?? content.detail ?? answer.statusText);
  return content;
}

// Do something; say below it what went wrong.
async function trying(place, deed) {
  const problem = document.getElementById(`${place}-problem`);
  const button = document.activeElement?.closest("button") ?? document.activeElement?.form?.querySelector("[type=submit]");
  problem.textContent = "";
  button?.setAttribute("aria-busy", "true");
  try {
    await deed();
  } catch (error) {
    // A DOMException is the browser's own: closed by the customer, timed out, or this device knows no such passkey.
    problem.textContent = error instanceof DOMException ? problem.dataset.stopped : error.message;
  } finally {
    button?.removeAttribute("aria-busy");
  }
}

function supported(place) {
  if (window.PublicKeyCredential?.parseRequestOptionsFromJSON) return true;
  const problem = document.getElementById(`${place}-problem`);
  problem.textContent = problem.dataset.unsupported;
  return false;
}

async function assertion(optionsPath) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await send(optionsPath, {}));
  return JSON.stringify(await navigator.credentials.get({ publicKey }));
}

// Send the fields of a form as proof; then press the page's own button that goes on.
export function confirmBy(form) {
  return trying("step-up", async () => {
    const element = document.getElementById(form);
    await send(element.action, Object.fromEntries(new FormData(element)));
    document.getElementById("step-up-done").click();
  });
}

export function confirmByPasskey(path) {
  if (!supported("step-up")) return undefined;
  return trying("step-up", async () => {
    await send(path, { passkey: await assertion(`${path}/passkey-options`) });
    document.getElementById("step-up-done").click();
  });
}

// Sign in, or take the second step, with a passkey; then leave for the page that was asked for.
export function signInBy(optionsPath, path) {
  if (!supported("passkey")) return undefined;
  return trying("passkey", async () => {
    const next = new URLSearchParams(window.location.search).get("next") ?? "";
    const answer = await send(path, { passkey: await assertion(optionsPath), next });
    window.location.assign(answer.next);
  });
}

export function addPasskey(path) {
  if (!supported("passkey")) return undefined;
  return trying("passkey", async () => {
    const field = document.getElementById("passkey-name");
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(await send(`${path}/options`, {}));
    const made = await navigator.credentials.create({ publicKey });
    await send(path, { passkey: JSON.stringify(made), name: field.value });
    field.value = "";
    document.getElementById("passkey-added").click();
  });
}

export function copyText(place) {
  return navigator.clipboard.writeText(document.getElementById(place).innerText);
}
