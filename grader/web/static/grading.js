"use strict";
// What the keyboard and small conveniences need; every form works without it.

const find = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
const form = find("#decide");
const field = form?.elements.points;
const [least, full, most] = ["least", "full", "most"].map((name) => Number(find(".points")?.dataset[name] ?? 0));
let changed = false;
let sent = false;

find("nav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

// A frame is as high as what it shows.
for (const frame of all("iframe.frame")) {
  const fit = () => {
    const body = frame.contentDocument?.body;
    if (body) frame.style.height = `${Math.min(Math.max(body.scrollHeight + 4, 80), 6000)}px`;
  };
  frame.addEventListener("load", () => {
    const body = frame.contentDocument?.body;
    if (!body) return;
    fit();
    new ResizeObserver(fit).observe(body);
    frame.contentWindow.addEventListener("keydown", keyPressed);
  });
  if (frame.contentDocument?.readyState === "complete") fit();
}

// Points: buttons, digits, and what comments add or take.
const number = () => (field.value.trim() === "" ? null : Number(field.value.replace(",", ".")));
const show = (points) => {
  field.value = points === null ? "" : String(Math.round(points * 1e6) / 1e6);
  mark();
};
const mark = () => {
  const value = number();
  for (const button of all(".steps button"))
    button.setAttribute("aria-pressed", value !== null && Math.abs(Number(button.dataset.points) - value) < 1e-9);
};
if (field) {
  for (const button of all(".steps button"))
    button.addEventListener("click", () => { changed = true; show(Number(button.dataset.points)); });
  field.addEventListener("input", mark);
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  form.addEventListener("change", (event) => {
    const change = Number(event.target.dataset.change ?? 0);
    if (!change) return;
    const start = number() ?? (change < 0 ? full : 0);
    if (!event.target.checked && number() === null) return;
    show(Math.min(Math.max(start + (event.target.checked ? change : -change), least), most));
  });
  mark();
  addEventListener("beforeunload", (event) => {
    if (!changed) return;
    event.preventDefault();
    setTimeout(() => { sent = false; }); // who stays may send again
  });
}

const letters = [..."qwetioasdhlzxvb"];
const markComments = () =>
  all(".comment").forEach((label, place) => { label.querySelector("kbd").textContent = letters[place] ?? ""; });
markComments();

// A new comment joins the list; what was typed stays.
const fresh = find("#new-comment form");
fresh?.addEventListener("submit", async (event) => {
  event.preventDefault();
  sent = true;
  const told = fresh.querySelector(".refused");
  const answer = await fetch(fresh.action, { method: "POST", body: new URLSearchParams(new FormData(fresh)) }).catch(() => null);
  const page = new DOMParser().parseFromString((await answer?.text()) ?? "", "text/html");
  const list = page.querySelector("#decide .palette .list");
  sent = false;
  told.hidden = Boolean(answer?.ok && list);
  if (!told.hidden) {
    told.textContent = page.querySelector("main p")?.textContent ?? "The server does not answer.";
    return;
  }
  const chosen = new Set(all(".comment :checked").map((box) => box.value));
  for (const box of list.querySelectorAll("input")) box.checked = chosen.has(box.value);
  find("#decide .palette .list").replaceWith(list);
  markComments();
  fresh.reset();
  fresh.closest("dialog").close();
});

let typed = "";
let last = 0;
const digit = (key) => {
  const now = Date.now();
  const more = now - last < 1500 ? typed + key : key;
  const begun = more === "." || more === "-" || more === "-.";
  const fits = Number(more) <= most && Number(more) >= least;
  typed = fits || begun ? more : key;
  last = now;
  changed = true;
  field.value = typed;
  mark();
};

function keyPressed(event) {
  if (sent) {
    if (event.key === "Escape") sent = false; // it stops the loading of the next page
    else if (event.key.length === 1 || event.key === "Enter") event.preventDefault();
    return;
  }
  const target = event.target;
  const typing = target.matches?.("textarea, select, input:not([type=checkbox])");
  if (typing && target !== field) {
    if (event.key === "Escape") target.blur();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) target.form?.requestSubmit(target.form.elements.go);
    const rows = event.key === "Enter" && target.dataset.filter ? [...find(target.dataset.filter).tBodies[0].rows].filter((row) => !row.hidden) : [];
    if (rows.length === 1) rows[0].querySelector("a")?.click();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || find("dialog[open]")) return;
  if (event.key === "/" && find("[data-filter]")) { event.preventDefault(); find("[data-filter]").focus(); return; }
  if (target === field && event.key === "Escape") { field.blur(); return; }
  if (form) {
    if (/^[0-9.,]$/.test(event.key) || (event.key === "-" && least < 0)) {
      if (target === field) return;
      event.preventDefault();
      digit(event.key.replace(",", "."));
      return;
    }
    const place = letters.indexOf(event.key);
    const box = place >= 0 ? all(".comment input")[place] : null;
    const focus = { c: "comment", r: "reason" }[event.key];
    const plain = target === document.body || target === field || !target.matches?.("button, a, summary");
    if (box) box.click();
    else if (focus && form.elements[focus]) form.elements[focus].focus();
    else if (event.key === "f") { changed = true; show(full); }
    else if (event.key === "Backspace" && target !== field) { typed = ""; changed = true; show(null); }
    else if (event.key === "Enter" && plain) form.requestSubmit(event.shiftKey ? form.elements.stay ?? form.elements.go : form.elements.go);
    else if (move(event)) return;
    else return;
    event.preventDefault();
    return;
  }
  move(event);
}

function move(event) {
  if (event.target === field && event.key.startsWith("Arrow")) return true;
  const key = { ArrowRight: "n", ArrowLeft: "p", j: "n", k: "p" }[event.key] ?? event.key;
  const target = all("[data-key]").find((each) => each.dataset.key === key);
  if (!target) return false;
  event.preventDefault();
  target.click();
  return true;
}
addEventListener("keydown", keyPressed);

// Dialogs, questions before what is large, tables that are searched.
for (const button of all("[data-opens]"))
  button.addEventListener("click", () => document.getElementById(button.dataset.opens).showModal());
for (const button of all("[data-closes]")) button.addEventListener("click", () => button.closest("dialog").close());
for (const each of all("[data-confirm]"))
  each.addEventListener("submit", (event) => { if (!confirm(each.dataset.confirm)) event.preventDefault(); });
// A form is sent once, and no key counts until the next page is there.
addEventListener("submit", (event) => {
  if (!sent) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);
addEventListener("submit", (event) => { if (!event.defaultPrevented) sent = true; });
addEventListener("pageshow", (event) => { if (event.persisted) sent = false; });
// The answer as it was typed, and back.
for (const link of all("[data-toggles]"))
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const isOn = link.getAttribute("aria-pressed") !== "true";
    link.setAttribute("aria-pressed", isOn);
    document.getElementById(link.dataset.toggles).contentWindow.location.replace(isOn ? link.href : link.dataset.back);
  });
for (const input of all("[data-filter]"))
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase();
    for (const row of find(input.dataset.filter).tBodies[0].rows) row.hidden = !row.textContent.toLowerCase().includes(words);
  });

// What a comment will look like.
for (const area of all("[data-preview]")) {
  const shown = area.closest("form").querySelector(".preview");
  let waiting;
  const render = async () => {
    shown.hidden = !/[$*_`\[#>|]/.test(area.value);
    if (shown.hidden) return;
    const body = new URLSearchParams({ comment: area.value, forgery: document.body.dataset.forgery });
    const answer = await fetch(area.dataset.preview, { method: "POST", body });
    if (answer.ok) shown.innerHTML = await answer.text();
  };
  area.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(render, 250); });
  if (area.value) render();
}

// While a batch runs, the overview follows it.
let stamp = null;
const follow = async () => {
  const live = find("#live");
  if (!live || document.hidden) return;
  const answer = await fetch(document.body.dataset.live);
  if (!answer.ok) return;
  const now = await answer.json();
  if (stamp !== null && stamp !== now.stamp) {
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    const fresh = page.querySelector("#live");
    if (fresh) live.replaceWith(fresh);
    const job = page.querySelector(".job");
    find(".job")?.remove();
    if (job) find("main").before(job);
  }
  stamp = now.stamp;
};
if (find("#live")) { follow(); setInterval(follow, 3000); }
