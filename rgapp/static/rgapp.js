// What pages do beyond plain HTML. Everything works without this file; nothing here is needed to read or to submit.

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Tell screen readers, politely. */
function announce(words) {
  const place = document.getElementById("announce");
  if (!place) return;
  place.textContent = "";
  window.setTimeout(() => { place.textContent = words; }, 50);
}

// Copy buttons -------------------------------------------------------------------------------------------------

async function copyText(text) {
  if (navigator.clipboard && window.isSecureContext) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch { /* Permission refused: the old way below still works. */ }
  }
  const area = Object.assign(document.createElement("textarea"), { value: text, readOnly: true, className: "visually-hidden" });
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

async function onCopy(button) {
  const word = button.querySelector("[data-copy-word]");
  const before = word.dataset.before ?? (word.dataset.before = word.textContent);
  const done = await copyText(button.dataset.copy);
  button.focus();
  word.textContent = done ? "Copied" : "Select and copy";
  button.classList.toggle("is-copied", done);
  announce(done ? "Copied" : "Could not copy. Select the text and copy it.");
  window.clearTimeout(Number(button.dataset.timer));
  button.dataset.timer = String(window.setTimeout(() => {
    word.textContent = before;
    button.classList.remove("is-copied");
  }, 2000));
}

// Confirm dialogs: the panel that unfolds without JavaScript becomes a modal dialog ------------------------------

function upgradeConfirm(details) {
  const summary = details.querySelector("summary");
  const panel = details.querySelector("[data-confirm-panel]");
  const opener = document.createElement("button");
  opener.type = "button";
  opener.className = summary.className;
  opener.setAttribute("aria-haspopup", "dialog");
  if (summary.hasAttribute("aria-label")) opener.setAttribute("aria-label", summary.getAttribute("aria-label"));
  if (summary.hasAttribute("aria-label")) opener.setAttribute("aria-label", summary.getAttribute("aria-label"));
  opener.append(...summary.childNodes);
  const dialog = document.createElement("dialog");
  dialog.className = "confirm-dialog";
  for (const name of ["aria-labelledby", "aria-describedby"]) {
    dialog.setAttribute(name, panel.getAttribute(name));
    panel.removeAttribute(name);
  }
  panel.removeAttribute("role");
  const cancel = panel.querySelector("[data-close]");
  cancel.hidden = false;
  cancel.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  opener.addEventListener("click", () => {
    dialog.showModal();
    (panel.querySelector("input:not([type=hidden]), textarea, select") ?? cancel).focus();
  });
  dialog.append(panel);
  details.replaceWith(opener, dialog);
}

// Menus and the navigation on phones -------------------------------------------------------------------------------

function setUpMenus() {
  document.addEventListener("click", (event) => {
    for (const menu of all("[data-menu][open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.activeElement?.closest("[data-menu][open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
  for (const menu of all("[data-menu]")) {
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      menu.open = true;
      move(all(".menu-item", menu), event);
    });
  }
}

/** Move the focus up or down in a list of elements with the arrow keys. */
function move(items, event) {
  const here = items.indexOf(document.activeElement);
  const next = event.key === "ArrowDown" ? Math.min(here + 1, items.length - 1) : Math.max(here - 1, 0);
  items[next]?.focus();
  event.preventDefault();
}

function setUpNavigation(toggle) {
  const panel = document.getElementById(toggle.getAttribute("aria-controls"));
  const show = (open) => {
    toggle.setAttribute("aria-expanded", String(open));
    panel.classList.toggle("is-open", open);
  };
  toggle.addEventListener("click", () => show(toggle.getAttribute("aria-expanded") !== "true"));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && panel.classList.contains("is-open")) {
      show(false);
      toggle.focus();
    }
  });
}

function setUpSwitcher(form) {
  const select = form.querySelector("select");
  const button = form.querySelector("button");
  const first = select.value;
  const update = () => { button.hidden = select.value === first; };
  select.addEventListener("change", update);
  update();
}

// Tables: arrows between rows, Enter follows the row's link; from the search box down into the table ----------------

function setUpTables() {
  document.addEventListener("keydown", (event) => {
    if (!["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key) || event.altKey || event.ctrlKey || event.metaKey) return;
    const active = document.activeElement;
    if (active?.matches("[data-search]") && event.key === "ArrowDown") {
      const first = document.querySelector("[data-rows] .row-link");
      if (first) {
        first.focus();
        event.preventDefault();
      }
    } else if (active?.matches(".row-link")) {
      const links = all(".row-link", active.closest("[data-rows]"));
      if (event.key === "Home" || event.key === "End") {
        links.at(event.key === "Home" ? 0 : -1).focus();
        event.preventDefault();
      } else if (event.key === "ArrowUp" && links[0] === active) {
        const search = document.querySelector("[data-search]");
        if (search) {
          search.focus();
          event.preventDefault();
        }
      } else move(links, event);
    }
  });
}

function setUpSearch(input) {
  const end = input.value.length;
  input.setSelectionRange(end, end);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.target.closest("input, textarea, select, [contenteditable]")) {
      input.focus();
      event.preventDefault();
    }
  });
}

// Forms ------------------------------------------------------------------------------------------------------------

function setUpPasteFile(place) {
  const target = document.getElementById(place.dataset.pasteFile);
  const input = place.querySelector("input");
  place.hidden = false;
  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (!file) return;
    if (file.size > 1024 * 1024) {
      announce(`${file.name} is larger than 1 MB and was not read.`);
      return;
    }
    const text = await file.text();
    target.value = target.value.trim() ? `${target.value.trim()}\n${text}` : text;
    target.dispatchEvent(new Event("input", { bubbles: true }));
    target.focus();
    announce(`${file.name} was read.`);
    input.value = "";
  });
}

function setUpDirty(form) {
  let dirty = false;
  form.addEventListener("input", () => { dirty = true; });
  form.addEventListener("submit", () => { dirty = false; });
  window.addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });
}

/** A second click while the first one is under way sends nothing twice. */
function setUpSubmitOnce() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method === "get" || form.target) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    window.setTimeout(() => { delete form.dataset.sent; }, 5000);
  });
  window.addEventListener("pageshow", () => { for (const form of all("form[data-sent]")) delete form.dataset.sent; });
}

// Parts that are read again and again while somebody looks at them ------------------------------------------------

const LIVE_EVERY = 3_000;
const LIVE_FOR = 30 * 60_000;

function setUpLive(place) {
  const refresh = document.querySelector("[data-live-refresh]");
  const until = Date.now() + LIVE_FOR;
  refresh.hidden = true;
  const show = (fresh) => {
    const open = new Set(all("details[open]", place).map((details) => details.dataset.keep));
    const focused = place.contains(document.activeElement) ? document.activeElement : null;
    const held = focused?.closest("[data-keep]")?.dataset.keep;
    for (const details of all("details", fresh)) if (open.has(details.dataset.keep)) details.open = true;
    place.replaceChildren(fresh);
    if (held) place.querySelector(`[data-keep="${held}"] ${focused.localName}`)?.focus();
    if (place.dataset.liveWords) announce(place.dataset.liveWords);
  };
  const look = async () => {
    if (document.hidden) return;
    const answer = await fetch(place.dataset.live, { redirect: "error" });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-state]");
    // What has come to its end is shown with everything that can be done about it.
    if ("done" in fresh.dataset && "liveReload" in place.dataset) {
      stop();
      window.location.reload();
      return;
    }
    if (fresh.dataset.state !== place.querySelector("[data-state]").dataset.state) show(fresh);
  };
  const timer = window.setInterval(() => {
    if (Date.now() < until) return look().catch(stop);
    return stop();
  }, Number(place.dataset.liveEvery) || LIVE_EVERY);
  const stop = () => {
    window.clearInterval(timer);
    refresh.hidden = false;
  };
  look().catch(stop);
}

// Times -------------------------------------------------------------------------------------------------------------

function relative(then) {
  const seconds = (then - Date.now()) / 1000;
  const size = Math.abs(seconds);
  if (size < 45) return "just now";
  if (size >= 30 * 86400) return null;
  const [unit, name] = size >= 86400 ? [86400, "day"] : size >= 3600 ? [3600, "hour"] : [60, "minute"];
  const count = Math.max(1, Math.floor(size / unit));
  const phrase = `${count} ${name}${count === 1 ? "" : "s"}`;
  return seconds > 0 ? `in ${phrase}` : `${phrase} ago`;
}

function refreshTimes() {
  for (const time of all("time[data-relative]")) {
    const words = relative(Date.parse(time.dateTime));
    if (words && time.textContent !== words) time.textContent = words;
  }
}

// Start ---------------------------------------------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) onCopy(button);
});
for (const button of all("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
document.addEventListener("focusin", (event) => { if (event.target.matches("[data-select]")) event.target.select(); });
all("[data-confirm]").forEach(upgradeConfirm);
setUpMenus();
all("[data-nav-toggle]").forEach(setUpNavigation);
all("[data-switcher]").forEach(setUpSwitcher);
setUpTables();
all("[data-search]").forEach(setUpSearch);
all("[data-paste-file]").forEach(setUpPasteFile);
all("form[data-dirty]").forEach(setUpDirty);
setUpSubmitOnce();
all("[data-live]").forEach(setUpLive);
document.querySelector("[data-focus]")?.focus();
window.setInterval(refreshTimes, 60_000);
