/* Browsers start no Worker from a page that was opened from a folder. The search of this site needs one: there it
   runs in a hidden frame instead. From a server nothing is changed.

   The file's name matters: the site builder looks for "iframe-worker", and without it loads such a script from another
   host. */
"use strict";

if (location.protocol === "file:") {
  window.Worker = class {
    constructor(address) {
      this.onmessage = null;
      this.waiting = [];
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.append(this.frame);
      this.inside = this.frame.contentWindow;
      this.inside.postMessage = (data) => this.later(() => this.onmessage, data);
      const script = this.inside.document.createElement("script");
      script.src = new URL(address, document.baseURI).href;
      script.onload = () => this.started();
      script.onerror = () => this.onerror?.(new Event("error"));
      this.inside.document.body.append(script);
    }

    started() {
      const waiting = this.waiting;
      this.waiting = null;
      waiting.forEach((data) => this.postMessage(data));
    }

    postMessage(data) {
      if (this.waiting) {
        this.waiting.push(data);
      } else {
        this.later(() => this.inside.onmessage, data);
      }
    }

    // As with a real Worker, each side has a copy: both change what they were given.
    later(receiver, message) {
      const data = structuredClone(message);
      setTimeout(() => receiver()?.({ data }));
    }

    terminate() {
      this.frame.remove();
    }
  };
}
