/* Search without a server. The index comes as scripts, since a page opened from a disk may load nothing
   else; only the scripts for the first letters of the words looked for are loaded. Words are cut like in
   archiver/catalog/words.py, groups are numbered like in archiver/pages/searching.py. */
"use strict";
(() => {
  const GROUPS = 64;
  const SHOWN = 60;
  const UNSPACED = "\\u0e00-\\u0eff\\u0f00-\\u0fff\\u1000-\\u109f\\u1780-\\u17ff\\u3005-\\u3007\\u3040-\\u30ff\\u31f0-\\u31ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\uac00-\\ud7a3\\uf900-\\ufaff\\u{20000}-\\u{3ffff}";
  const PIECE = new RegExp(`([${UNSPACED}]+)|(?:(?![${UNSPACED}])[\\p{L}\\p{N}\\p{M}])+`, "gu");
  const groups = new Map();
  const waiting = new Map();
  let listing = null;

  const fold = (text) => text.normalize("NFKD").toLowerCase().replaceAll("ß", "ss").normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "").normalize("NFC");

  /* Cut what was typed into words: {word, prefix}. */
  const cut = (text) => {
    const words = [];
    for (const found of fold(text.slice(0, 500)).matchAll(PIECE)) {
      if (found[1]) {
        const run = [...found[1]];
        if (run.length === 1) words.push({ word: run[0], prefix: true });
        for (let at = 0; at + 1 < run.length; at += 1) words.push({ word: run[at] + run[at + 1], prefix: false });
      } else {
        const letters = [...found[0]].slice(0, 64);
        words.push({ word: letters.join(""), prefix: letters.length > 1 });
      }
    }
    return words.slice(0, 24);
  };

  const groupOf = (word) => {
    const [first, second] = [...word];
    const code = first.codePointAt(0);
    if (code >= 0x0e00) return GROUPS + (code % GROUPS);
    return (code * 31 + (second ? second.codePointAt(0) : 0)) % GROUPS;
  };

  window.archiveWords = (number, flat) => {
    const words = new Map();
    for (let at = 0; at < flat.length; at += 2) words.set(flat[at], flat[at + 1]);
    groups.set(number, words);
  };

  const load = (number) => {
    if (groups.has(number)) return Promise.resolve();
    if (!waiting.has(number)) {
      waiting.set(number, new Promise((done) => {
        const script = document.createElement("script");
        script.src = `search/w${number}.js`;
        script.addEventListener("load", done);
        script.addEventListener("error", done);
        document.head.append(script);
      }));
    }
    return waiting.get(number);
  };

  /* Item → score of one word: what stands in a title weighs most, a rare word more than a common one. */
  const WEIGHTS = [1, 2, 5, 12];
  const scoresOf = ({ word, prefix }) => {
    const scores = new Map();
    const words = groups.get(groupOf(word)) || new Map();
    const add = (packed, share) => {
      const parts = packed.split(" ");
      const rarity = Math.log(1 + listing.items.length / parts.length);
      let number = 0;
      for (const part of parts) {
        number += parseInt(part, 36);
        const item = number >> 2;
        const score = WEIGHTS[number & 3] * rarity * share;
        if (score > (scores.get(item) || 0)) scores.set(item, score);
      }
    };
    if (words.has(word)) add(words.get(word), 1);
    if (prefix) for (const [each, packed] of words) if (each !== word && each.startsWith(word)) add(packed, 0.5);
    return scores;
  };

  const find = async (text) => {
    const words = cut(text);
    if (!words.length) return null;
    await Promise.all(words.map(({ word }) => load(groupOf(word))));
    let total = null;
    for (const word of words) {
      const scores = scoresOf(word);
      const both = new Map();
      for (const [item, score] of scores) {
        if (total === null) both.set(item, score);
        else if (total.has(item)) both.set(item, score + total.get(item));
      }
      total = both;
    }
    return [...total].sort((one, other) => other[1] - one[1] || one[0] - other[0]).map(([item]) => item);
  };

  const form = document.getElementById("find");
  const list = document.getElementById("results");
  const count = document.getElementById("count");
  const kinds = list.dataset.kinds.split(" ");

  const passes = (item) => {
    const [, , bits, event, year, speakers] = item;
    const chosen = form.elements;
    return (!chosen.event.value || event === Number(chosen.event.value))
      && (!chosen.kind.value || (bits >> Number(chosen.kind.value)) & 1)
      && (!chosen.year.value || year === chosen.year.value)
      && (!chosen.speaker.value || speakers.includes(Number(chosen.speaker.value)));
  };

  const mark = (element, text, query) => {
    const sought = [...fold(query).matchAll(PIECE)].map((found) => found[0]);
    const escaped = sought.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    if (!escaped.length) { element.textContent = text; return; }
    for (const part of text.split(new RegExp(`(${escaped.join("|")})`, "giu"))) {
      const hit = part && sought.some((word) => fold(part) === word);
      const piece = hit ? document.createElement("mark") : document.createTextNode(part);
      if (hit) piece.textContent = part;
      element.append(piece);
    }
  };

  const row = (item, query) => {
    const [title, page, bits, event, year, speakers, excerpt, picture] = item;
    const line = document.createElement("li");
    const link = document.createElement("a");
    link.href = page;
    const image = document.createElement(picture ? "img" : "span");
    if (picture) { image.src = picture; image.alt = ""; image.loading = "lazy"; } else image.className = "nothing";
    const text = document.createElement("span");
    text.className = "text";
    const head = document.createElement("b");
    mark(head, title, query);
    const meta = document.createElement("span");
    meta.className = "meta";
    const isOf = kinds.filter((_, at) => (bits >> at) & 1);
    meta.textContent = [isOf.join(", "), speakers.map((at) => listing.speakers[at]).join(", "),
      event >= 0 ? listing.events[event] : "", year].filter(Boolean).join(" · ");
    const said = document.createElement("span");
    said.className = "excerpt";
    mark(said, excerpt, query);
    text.append(head, meta, said);
    link.append(image, text);
    line.append(link);
    return line;
  };

  let turn = 0;
  const search = async () => {
    if (!listing) return; // it comes as the last script, and is searched then for what was typed
    turn += 1;
    const mine = turn;
    const text = form.elements.q.value;
    const began = performance.now();
    const found = await find(text);
    if (mine !== turn) return;
    const filtered = ["event", "kind", "speaker", "year"].some((name) => form.elements[name].value);
    const all = found === null ? (filtered && !text.trim() ? listing.items.map((_, at) => at) : []) : found;
    const hits = all.filter((at) => passes(listing.items[at]));
    list.replaceChildren(...hits.slice(0, SHOWN).map((at) => row(listing.items[at], text)));
    const asked = text.trim() || filtered;
    count.textContent = !asked ? "" : hits.length ? form.dataset.count.replace("{count}", hits.length) : form.dataset.none;
    list.dataset.milliseconds = String(Math.round(performance.now() - began));
    list.dataset.query = text;
  };

  const option = (name, value, text) => {
    const each = document.createElement("option");
    each.value = value;
    each.textContent = text;
    form.elements[name].append(each);
  };

  const begin = () => {
    listing.events.forEach((title, at) => option("event", at, title));
    kinds.forEach((kind, at) => option("kind", at, kind));
    [...listing.speakers.entries()].sort((one, other) => one[1].localeCompare(other[1]))
      .forEach(([at, name]) => option("speaker", at, name));
    [...new Set(listing.items.map((item) => item[4]).filter(Boolean))].sort().forEach((year) => option("year", year, year));
    const asked = new URLSearchParams(location.search).get("q");
    if (asked) form.elements.q.value = asked;
    search();
  };

  form.addEventListener("submit", (event) => { event.preventDefault(); search(); });
  form.addEventListener("input", search);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const links = [...list.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (at < 0 && document.activeElement !== form.elements.q) return;
    const target = event.key === "ArrowDown" ? links[at + 1] : links[at - 1] || form.elements.q;
    if (target) { event.preventDefault(); target.focus(); }
  });
  /* Not by `autofocus`: it takes effect with the first frame that is drawn, what is typed before is lost. */
  form.elements.q.focus();
  window.archiveItems = (data) => { listing = data; begin(); };
})();
