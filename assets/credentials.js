// Credentials in the browser: proofs are sent from here, so that the page stays open and its socket connected.

async function send(path, body) {
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(Object.values(content.fields ?? {})[0] ?? content.detail ?? answer.statusText);
  return content;
}

async function trying(place, deed) {
  const problem = document.getElementById(`${place}-problem`);
  const button = document.activeElement?.closest("button");
  problem.textContent = "";
  button?.setAttribute("aria-busy", "true");
  try {
    await deed();
  } catch (error) {
    problem.textContent = error.message;
  } finally {
    button?.removeAttribute("aria-busy");
  }
}

// Send the fields of a form; then press the page's own button that goes on.
export function confirmBy(form) {
  return trying("step-up", async () => {
    const element = document.getElementById(form);
    await send(element.action, Object.fromEntries(new FormData(element)));
    element.reset();
    document.getElementById("step-up-done").click();
  });
}
