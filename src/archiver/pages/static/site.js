/* The viewer of photos and slides, and subtitles. Pages work without it. */
"use strict";
(() => {
  const make = (name, className, text) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text) element.textContent = text;
    return element;
  };

  class Viewer {
    constructor(gallery) {
      this.links = [...gallery.querySelectorAll("a[data-caption]")];
      this.at = 0;
      this.dialog = make("dialog", "viewer");
      this.dialog.setAttribute("aria-label", document.title);
      this.stage = make("div", "stage");
      this.image = make("img");
      this.image.alt = "";
      this.image.draggable = false;
      this.caption = make("p");
      this.caption.setAttribute("aria-live", "polite");
      this.original = make("a");
      this.previous = this.button(gallery.dataset.previous, () => this.step(-1));
      this.next = this.button(gallery.dataset.next, () => this.step(1));
      const close = this.button(gallery.dataset.close, () => this.dialog.close());
      close.classList.add("close");
      const bar = make("div", "bar");
      this.stage.append(this.image);
      bar.append(this.previous, this.caption, this.original, this.next);
      this.dialog.append(this.stage, bar, close);
      this.dialog.addEventListener("keydown", (event) => this.key(event));
      this.dialog.addEventListener("close", () => this.leave());
      this.stage.addEventListener("click", (event) => {
        if (event.target === this.stage) this.dialog.close();
      });
      this.swipe();
      document.body.append(this.dialog);
      this.links.forEach((link, at) => link.addEventListener("click", (event) => this.click(event, at)));
    }

    button(text, action) {
      const button = make("button", "", text);
      button.type = "button";
      button.addEventListener("click", action);
      return button;
    }

    click(event, at) {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      this.show(at);
      this.dialog.showModal();
      document.documentElement.classList.add("viewing");
    }

    leave() {
      document.documentElement.classList.remove("viewing");
      this.links[this.at].focus();
    }

    show(at) {
      if (at < 0 || at >= this.links.length) return;
      this.at = at;
      const link = this.links[at];
      const thumbnail = link.querySelector("img");
      this.image.src = link.href;
      this.image.alt = thumbnail ? thumbnail.alt : "";
      this.caption.textContent = link.dataset.deck ? link.dataset.caption : `${at + 1} / ${this.links.length} · ${link.dataset.caption}`;
      this.original.hidden = !link.dataset.original;
      if (link.dataset.original) {
        this.original.href = link.dataset.original;
        this.original.textContent = link.dataset.originalLabel;
      }
      this.previous.disabled = at === 0;
      this.next.disabled = at === this.links.length - 1;
      for (const near of [at + 1, at - 1]) {
        if (this.links[near]) new Image().src = this.links[near].href;
      }
    }

    step(by) { this.show(this.at + by); }

    key(event) {
      const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -1, PageDown: 1 };
      if (event.key in steps) { event.preventDefault(); this.step(steps[event.key]); }
      if (event.key === "Home") { event.preventDefault(); this.show(0); }
      if (event.key === "End") { event.preventDefault(); this.show(this.links.length - 1); }
    }

    swipe() {
      let begin = null;
      this.stage.addEventListener("pointerdown", (event) => { begin = { x: event.clientX, y: event.clientY }; });
      this.stage.addEventListener("pointercancel", () => { begin = null; });
      this.stage.addEventListener("pointerup", (event) => {
        if (!begin) return;
        const across = event.clientX - begin.x;
        const down = event.clientY - begin.y;
        begin = null;
        if (Math.abs(across) > 45 && Math.abs(across) > 1.5 * Math.abs(down)) this.step(across < 0 ? 1 : -1);
      });
    }
  }

  /* Browsers refuse subtitle files to pages opened from a disk, so they come as scripts. */
  window.archiveCues = (key, cues) => {
    for (const place of document.querySelectorAll(`track[data-key="${CSS.escape(key)}"]`)) {
      const video = place.parentElement;
      const language = place.dataset.language;
      const track = video.addTextTrack("subtitles", language, language.split(/[^A-Za-z0-9-]/)[0]);
      for (const [begin, end, text] of cues) track.addCue(new VTTCue(begin, end, text));
      place.remove();
    }
  };
  const load = (address) => {
    const script = document.createElement("script");
    script.src = address;
    document.head.append(script);
  };
  for (const place of document.querySelectorAll("track[data-cues]")) load(place.dataset.cues);
  for (const gallery of document.querySelectorAll("[data-gallery]")) new Viewer(gallery);
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest && event.target.closest("input, select, textarea, dialog");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const box = document.getElementById("q");
    const link = document.querySelector('.top nav a[href$="search.html"]');
    event.preventDefault();
    if (box) box.focus(); else if (link) link.click();
  });
})();
