// A card: one photograph, and what the model says of it.

import { ask, predict, words } from "./asking.js";
import { explained, paint } from "./heat.js";

export function element(kind, text, name) {
  const made = document.createElement(kind);
  if (text !== undefined) made.textContent = text;
  if (name) made.className = name;
  return made;
}

export function percent(share) {
  if (share > 0 && share < 0.0005) return "< 0.1%";
  if (share < 1 && share >= 0.9995) return "> 99.9%";
  return `${(100 * share).toFixed(1)}%`;
}

// With as many digits as show on which side of its threshold a probability is.
function beside(share, least) {
  if (least === undefined) return [percent(share)];
  const rounded = (value, digits) => Number((100 * value).toFixed(digits));
  const digits = [1, 2, 3, 4, 5].find(
    (count) => (share >= least) === (rounded(share, count) >= rounded(least, count)),
  );
  if (digits === 1) return [percent(share), percent(least)];
  return [share, least].map((value) => `${(100 * value).toFixed(digits ?? 6)}%`);
}

export class Card {
  constructor(file, about, { removed, signedOut }) {
    this.file = file;
    this.about = about;
    this.signedOut = signedOut;
    this.leaving = new AbortController();
    this.urls = [];
    this.turn = 0;
    this.shown = null;
    this.node = document.getElementById("card").content.firstElementChild.cloneNode(true);
    this.part(".name").textContent = file.name;
    this.part(".remove").setAttribute("aria-label", `Remove ${file.name}`);
    this.part(".remove").addEventListener("click", () => {
      this.leave();
      removed(this);
    });
    this.part(".retry").addEventListener("click", () => this.fill());
    this.part(".make-heat").addEventListener("click", () => this.reheat());
    this.preview();
    this.prepareHeat();
  }

  part(name) {
    return this.node.querySelector(name);
  }

  url(blob) {
    this.urls.push(URL.createObjectURL(blob));
    return this.urls.at(-1);
  }

  leave() {
    this.leaving.abort();
    this.urls.forEach(URL.revokeObjectURL);
    this.node.remove();
  }

  preview() {
    const image = this.part(".picture img");
    image.alt = `The photograph ${this.file.name}`;
    image.addEventListener("error", () => {
      if (this.upright) return;
      image.hidden = true;
      this.part(".cannot-show").hidden = false;
      this.part(".picture").classList.add("blank");
    });
    image.src = this.url(this.file);
  }

  // Browsers do not turn all files that the model is shown upright, and read fewer kinds.
  setUpright({ width, height, preview }) {
    const [picture, image] = [this.part(".picture"), this.part(".picture img")];
    picture.style.aspectRatio = `${width} / ${height}`;
    if (!preview) return;
    this.upright = true;
    image.src = preview;
    image.hidden = false;
    this.part(".cannot-show").hidden = true;
    picture.classList.remove("blank");
  }

  prepareHeat() {
    const [strength, select] = [this.part(".strength input"), this.part("select")];
    select.replaceChildren(...this.about.classes.map((name) => element("option", name)));
    select.setAttribute("aria-label", `Class of the heat map of ${this.file.name}`);
    strength.setAttribute("aria-label", `Strength of the heat map of ${this.file.name}`);
    const fade = () => { this.part("canvas").style.opacity = strength.value / 100; };
    strength.addEventListener("input", fade);
    select.addEventListener("change", () => this.reheat());
    fade();
  }

  async fill() {
    this.part(".trouble").hidden = true;
    this.part(".columns").hidden = this.part(".looking").hidden = false;
    const answer = await this.asked({ heat: !this.about.heat_is_slow, preview: true });
    if (!answer) return;
    this.part(".looking").hidden = true;
    this.part(".said").hidden = false;
    this.setUpright(answer);
    this.part("select").value = answer.top;
    this.speak(answer);
    if (this.about.heat_is_slow) this.part(".make-heat").hidden = false;
    else this.showHeat(answer.heat, answer.top);
  }

  async reheat() {
    this.part(".trouble").hidden = this.part(".make-heat").hidden = true;
    this.part("canvas").hidden = true;
    const [label, turn] = [this.part("select").value, ++this.turn];
    this.part(".way").textContent = `Making the heat map of ${label} …`;
    const answer = await this.asked({ heat: true, label }, () => turn === this.turn);
    if (turn !== this.turn) return;
    if (answer) this.showHeat(answer.heat, label);
    else if (this.shown) this.showHeat(...this.shown);
    else this.part(".make-heat").hidden = !this.about.heat_is_slow;
  }

  async asked(wish, wanted = () => true) {
    const looking = this.part(".looking");
    try {
      looking.textContent = "Looking …";
      const waits = () => { looking.textContent = "The server is busy. Trying again …"; };
      const answer = await predict(this.file, { ...wish, waits, signal: this.leaving.signal });
      if (!answer.error) return answer;
      if (wanted()) this.fail(answer.error);
    } catch (error) {
      if (this.leaving.signal.aborted || !wanted()) return null;
      this.fail(error.code ? error : { message: String(error) }, { again: true });
      if (error.code === "no_token") this.signedOut();
    }
    return null;
  }

  fail(error, { again = false } = {}) {
    const known = !this.part(".said").hidden;
    this.part(".trouble").hidden = false;
    this.part(".trouble .error").textContent = words(error);
    this.part(".retry").hidden = !again || known;
    this.part(".columns").hidden = this.part(".nearest").hidden = !known;
    this.part(".way").textContent = "";
  }

  speak(answer) {
    this.sayVerdict(answer);
    const ranked = Object.entries(answer.probabilities).sort((a, b) => b[1] - a[1]);
    this.part(".bars tbody").replaceChildren(...ranked.map(([name, share]) => this.bar(name, share, answer)));
    this.part(".marks").textContent = this.about.marks;
    this.part(".calibration").textContent = this.about.calibration;
    this.sayUnlike(answer.unlike);
    this.part(".nearest").hidden = !answer.cases?.length;
    this.part(".near").replaceChildren(...(answer.cases || []).map((near) => this.near(near)));
  }

  sayVerdict({ top, decision, probabilities }) {
    const differ = top !== decision;
    const lines = differ
      ? [["Most probable", top, percent(probabilities[top])], ["Decision", decision, percent(probabilities[decision])]]
      : [["Most probable, and the decision", top, percent(probabilities[top])]];
    this.part(".verdict").replaceChildren(...lines.map(([what, name, share]) => {
      const box = element("div");
      const value = element("dd", name);
      value.append(" ", element("span", share));
      box.append(element("dt", what), value);
      return box;
    }));
    this.part(".why").hidden = !differ;
    this.part(".why").textContent = `They differ. ${this.about.decides}`;
  }

  bar(name, share, answer) {
    const row = element("tr", undefined, name === answer.top ? "top" : "");
    const head = element("th", name);
    head.scope = "row";
    head.title = name;
    const [cell, track, ink] = [element("td", undefined, "track"), element("div"), element("i")];
    ink.style.width = `${100 * share}%`;
    track.append(ink);
    const least = this.about.thresholds[name];
    const [shown, from] = beside(share, least);
    const above = answer.above_threshold.includes(name);
    if (least !== undefined) {
      const tick = element("b");
      tick.style.left = `${100 * least}%`;
      track.append(tick);
      track.title = `${name} is marked from ${from} on`;
    }
    track.setAttribute("aria-hidden", "true");
    cell.append(track);
    const number = element("td", shown, "share");
    const mark = element("td", above ? "▲" : "", "mark");
    if (above) {
      mark.title = `Marked: from ${from} on`;
      mark.replaceChildren(element("span", "▲"), element("span", `marked, from ${from} on`, "unseen"));
      mark.firstChild.setAttribute("aria-hidden", "true");
    }
    row.append(head, cell, number, mark);
    return row;
  }

  sayUnlike(unlike) {
    const line = this.part(".unlike");
    line.hidden = !unlike;
    if (!unlike) return;
    const percents = Math.floor(100 * unlike.score);
    line.classList.toggle("marked", unlike.marked);
    const than = unlike.score > 0
      ? `stranger than ${percents || "less than 1"}% of its lesions`
      : "no lesion of it is less strange";
    line.textContent = unlike.marked
      ? `⚠ Unlike the training data: ${than}. The probabilities may mean nothing.`
      : `Like the training data: ${than}.`;
    line.title = this.about.false_alarms;
  }

  near({ image_id: id, diagnosis, similarity, thumbnail }) {
    const item = element("li");
    item.append(element("b", diagnosis), element("span", id), element("span", `similarity ${similarity.toFixed(2)}`));
    if (thumbnail) this.picture(item, thumbnail, `Training case ${id}: ${diagnosis}`);
    return item;
  }

  async picture(item, path, alt) {
    try {
      const blob = await (await ask(path, { signal: this.leaving.signal })).blob();
      const image = element("img");
      image.alt = alt;
      image.src = this.url(blob);
      item.prepend(image);
    } catch { /* the case is told without it */ }
  }

  showHeat(map, label) {
    this.shown = [map, label];
    this.part("select").value = label;
    this.part(".controls").hidden = false;
    this.part("canvas").hidden = true;
    if (map) paint(this.part("canvas"), map);
    this.part(".strength").hidden = !map;
    this.part(".way").textContent = map ? explained(map) : `No heat map: the model has never seen an image of ${label}.`;
  }
}
