// Keeps a page alive: its connection when a link does not leave it, its texts when the browser translates them.

// Reflex closes the connection when the page is about to be left. A mail link, a download or an answer without a page
// announces that too and leaves nothing: then the page connects again, as it does when it becomes visible.
let stays = false;
addEventListener("click", (event) => {
  const link = event.target instanceof Element && event.target.closest("a[href]");
  stays = Boolean(link) && (link.hasAttribute("download") || !link.protocol.startsWith("http"));
}, true);
addEventListener("beforeunload", (event) => {
  if (stays) event.stopImmediatePropagation();
  setTimeout(() => document.dispatchEvent(new Event("visibilitychange")), stays ? 0 : 2000);
  stays = false;
}, true);

// A browser that translates a page puts <font> in the place of each text, and React goes on with the text it knows: what
// it writes there is not seen, and what it removes is not where it should be. So the text comes back first.
const standIns = new WeakMap();
const watch = new MutationObserver(note);

function note(records) {
  for (const { type, target, addedNodes, removedNodes, previousSibling, nextSibling } of records) {
    if (type === "characterData") bringBack(target);
    for (const text of removedNodes) {
      if (text.nodeType !== Node.TEXT_NODE || text.parentNode === target) continue;
      const font = [...addedNodes, previousSibling, nextSibling].find((node) => node?.nodeName === "FONT");
      if (!font || font.parentNode !== target) continue;
      standIns.set(text, outermost(font));
      watch.observe(text, { characterData: true });
    }
  }
}

// Translated again, a text stands in an element that stands in another one: the page itself has none of them.
function outermost(font) {
  return font.parentNode?.nodeName === "FONT" ? outermost(font.parentNode) : font;
}

function bringBack(text) {
  const font = standIns.get(text);
  standIns.delete(text);
  if (font?.parentNode) font.replaceWith(text);
}

for (const name of ["insertBefore", "removeChild"]) {
  const known = Node.prototype[name];
  Node.prototype[name] = function (node, ...others) {
    note(watch.takeRecords());
    for (const each of [node, ...others]) if (each?.nodeType === Node.TEXT_NODE) bringBack(each);
    return known.call(this, node, ...others);
  };
}
watch.observe(document, { childList: true, subtree: true });
