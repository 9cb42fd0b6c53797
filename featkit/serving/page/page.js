// The page: signing in, choosing photographs, and the cards of what was chosen.

import { ask, useToken, words } from "./asking.js";
import { Card, element } from "./card.js";

const AT_ONCE = 3;

const $ = (id) => document.getElementById(id);
const cards = new Set();
const queue = [];
let about = null;
let working = 0;

async function begin() {
  $("again").hidden = true;
  $("status").textContent = "";
  try {
    about = await (await ask("/api/model")).json();
  } catch (error) {
    if (error.code === "no_token") return signIn(error);
    $("status").textContent = words(error);
    $("again").hidden = false;
    return undefined;
  }
  const asked = !$("sign-in").hidden;
  $("sign-in").hidden = true;
  $("choose").hidden = $("about").hidden = false;
  if (asked) $("files").focus();
  describe();
  return undefined;
}

function signIn(error) {
  const tried = $("token").value !== "";
  $("choose").hidden = true;
  $("sign-in").hidden = false;
  $("sign-in-error").textContent = tried ? words({ message: error.message }) : "";
  $("token").value = "";
  $("token").focus();
}

function describe() {
  $("model").textContent = `· ${about.name}`;
  document.title = `${about.name} · featkit`;
  const { megabytes, megapixels } = about.takes;
  $("takes").textContent = `JPEG, PNG, TIFF, WebP, BMP or GIF, up to ${megabytes} MB and ${megapixels} megapixels each`;
  const facts = {
    Classes: about.classes.join(", "),
    "Most probable": about.calibration,
    Decision: about.decides,
    "Right on average": `Balanced accuracy of decisions: ${about.balanced_accuracy}.`,
    Marks: about.marks,
    "Unlike the training data": about.false_alarms,
    "Heat map": about.heat,
    Backbone: about.backbone,
  };
  const rows = Object.entries(facts).filter(([, value]) => value);
  $("facts").replaceChildren(...rows.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
  $("limits").replaceChildren(...about.limits.map((limit) => element("li", limit)));
}

function show(files) {
  if (!about || $("choose").hidden) return;
  const chosen = [...files].map((file) => new Card(file, about, { removed, signedOut: begin }));
  chosen.forEach((card) => cards.add(card));
  $("results").prepend(...chosen.map((card) => card.node));
  queue.push(...chosen);
  for (; working < AT_ONCE && queue.length; working += 1) work().finally(() => { working -= 1; tell(); });
  tell();
}

async function work() {
  for (let card = queue.shift(); card; card = queue.shift()) {
    if (!cards.has(card)) continue;
    card.waiting = true;
    try {
      await card.fill();
    } finally {
      card.waiting = false;
      tell();
    }
  }
}

function tell() {
  const left = queue.filter((card) => cards.has(card)).length + [...cards].filter((card) => card.waiting).length;
  const all = cards.size === 1 ? "1 photograph" : `${cards.size} photographs`;
  $("status").textContent = left ? `Looking at ${left} of ${all} …` : cards.size ? `${all}, done.` : "";
  $("clear").hidden = cards.size < 2;
}

function removed(card) {
  cards.delete(card);
  tell();
  ($("results").querySelector(".remove") || $("files")).focus();
}

$("clear").addEventListener("click", () => {
  cards.forEach((card) => card.leave());
  cards.clear();
  tell();
  $("files").focus();
});
$("again").addEventListener("click", begin);
$("files").addEventListener("change", (event) => {
  show(event.target.files);
  event.target.value = "";
});
$("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  useToken($("token").value);
  begin();
});
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    const outside = kind === "dragleave" && event.relatedTarget === null;
    $("drop").classList.toggle("over", kind !== "drop" && !outside);
    if (kind === "drop") show(event.dataTransfer.files);
  });
}
document.addEventListener("paste", (event) => show(event.clipboardData.files));
begin();
