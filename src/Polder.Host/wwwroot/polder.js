// Polder: the one script. Pages work without it; it keeps them live, lays new stones and copies keys.
"use strict";
(() => {
  const livePath = document.body.dataset.live;
  const own = document.body.dataset.node;
  const SILENCE_MS = 15000;      // the node says something every few seconds
  const RETRY_MS = 2000;
  const waiting = new Map();     // fragments that somebody is using, to be swapped later
  let source = null, watch = 0, retry = 0, lost = false;

  // ── fragments ──

  function isInUse(element) {
    const active = document.activeElement;
    if (active && active !== document.body && element.contains(active)) return true;
    const selection = document.getSelection();
    if (selection && selection.type === "Range" && selection.containsNode(element, true)) return true;
    return element.hasAttribute("data-calm") && element.matches(":hover");
  }

  const scrollers = element =>
    [...(element.matches(".horizon, .stones-run") ? [element] : []), ...element.querySelectorAll(".horizon, .stones-run")];
  const newest = element =>
    Math.max(0, ...[...element.querySelectorAll("[data-stone]")].map(stone => Number(stone.dataset.stone)));

  function swap(old, fresh) {
    const lengths = scrollers(old).map(scroller => scroller.scrollLeft);
    const open = [...old.querySelectorAll("details")].map(details => details.open);
    const last = newest(old);
    const hadStones = old.querySelector(".stones") !== null;
    fresh.querySelectorAll("details").forEach((details, i) => { if (i in open) details.open = open[i]; });
    if (hadStones) {
      fresh.querySelectorAll("[data-stone]").forEach(stone => {
        if (Number(stone.dataset.stone) > last) stone.classList.add("stone-new");
      });
    }
    old.replaceWith(fresh);
    scrollers(fresh).forEach((scroller, i) => { if (i in lengths) scroller.scrollLeft = lengths[i]; });
    addCopyButtons(fresh);
  }

  function take(fresh) {
    const old = document.getElementById(fresh.id);
    waiting.delete(fresh.id);
    if (!old || old.isEqualNode(fresh)) return;
    if (isInUse(old)) waiting.set(fresh.id, fresh);
    else swap(old, fresh);
  }

  function takeAll(html) {
    const template = document.createElement("template");
    template.innerHTML = html;
    [...template.content.children].filter(element => element.id).forEach(element => take(element));
  }

  setInterval(() => { [...waiting.values()].forEach(fresh => take(fresh)); }, 500);

  function say(sentence) {
    const region = document.getElementById("live-say");
    if (region) region.textContent = sentence;
  }

  // ── the line to the node ──

  function heard() {
    clearTimeout(watch);
    watch = setTimeout(silent, SILENCE_MS);
    if (!lost) return;
    lost = false;
    document.getElementById("live-lost")?.remove();
    say("Your node answers again.");
  }

  function silent() {
    close();
    showLost();
    retry = setTimeout(open, RETRY_MS);
  }

  function showLost() {
    if (lost) return;
    lost = true;
    const pulse = document.getElementById("live-pulse");
    if (pulse) {
      pulse.className = "pulse pulse-lost";
      pulse.textContent = "node does not answer";
    }
    const stamp = document.getElementById("live-stamp");
    if (stamp && stamp.firstChild) stamp.firstChild.textContent = "Not live since ";
    const notice = document.createElement("p");
    notice.id = "live-lost";
    notice.className = "notice notice-bad";
    notice.innerHTML = "<b>Your node does not answer.</b> Start it again with <code></code>; nothing is lost.";
    notice.querySelector("code").textContent = document.body.dataset.start;
    document.getElementById("live-warnings")?.before(notice);
    say("Your node does not answer.");
  }

  function close() {
    clearTimeout(watch);
    clearTimeout(retry);
    if (source) source.close();
    source = null;
  }

  function open() {
    close();
    source = new EventSource(livePath);
    watch = setTimeout(silent, SILENCE_MS);
    // Another node at the same address is another page.
    source.addEventListener("node", event => { heard(); if (event.data !== own) location.reload(); });
    source.addEventListener("fragments", event => { heard(); takeAll(event.data); });
    source.addEventListener("say", event => { heard(); say(event.data); });
    source.onerror = silent;
  }

  // ── keys ──

  function addCopyButtons(root) {
    if (!navigator.clipboard) return;
    root.querySelectorAll(".key:not(.key-short)").forEach(key => {
      if (key.nextElementSibling?.matches(".copy")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy quiet";
      button.textContent = "Copy";
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(key.textContent);
          button.textContent = "Copied";
          say("Copied.");
        } catch {
          button.textContent = "Select it and copy";
        }
        setTimeout(() => { button.textContent = "Copy"; }, 2000);
      });
      key.after(button);
    });
  }

  // ── chat: forms of a conversation are sent without leaving it ──

  async function sendQuietly(form, submitter) {
    const body = new FormData(form, submitter);
    const composer = form.hasAttribute("data-composer");
    const multipart = form.enctype === "multipart/form-data";
    const kept = document.getElementById("say")?.value ?? "";
    form.querySelectorAll("button").forEach(button => { button.disabled = true; });
    try {
      const answer = await fetch(form.action, { method: "POST", body: multipart ? body : new URLSearchParams(body), headers: { Accept: "text/html" } });
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("talk");
      if (!fresh) { location.reload(); return; }
      if (answer.redirected) history.replaceState(null, "", answer.url);
      document.getElementById("talk").replaceWith(fresh);
      const say = document.getElementById("say");
      // What was being written stays, whatever else was pressed.
      if (say && !composer && kept) say.value = kept;
      say?.focus();
      addCopyButtons(fresh);
    } catch {
      form.querySelectorAll("button").forEach(button => { button.disabled = false; });
      showLost();
    }
  }

  document.addEventListener("submit", event => {
    if (!event.target.matches("form[data-quiet]")) return;
    event.preventDefault();
    sendQuietly(event.target, event.submitter);
  });

  document.addEventListener("keydown", event => {
    if (event.target.id !== "say" || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (event.target.value.trim() || document.querySelector("#composer input[type=file]")?.files.length) event.target.form.requestSubmit();
  });

  document.addEventListener("change", event => {
    if (!event.target.matches("#composer input[type=file]")) return;
    const line = document.getElementById("composer-files");
    const names = [...event.target.files].map(file => file.name);
    line.hidden = names.length === 0;
    line.textContent = names.length > 0 ? "With " + names.join(", ") : "";
    document.getElementById("say").focus();
  });

  // An open menu closes when one looks elsewhere.
  document.addEventListener("click", event => {
    document.querySelectorAll(".talk details[open]").forEach(details => { if (!details.contains(event.target)) details.open = false; });
  });

  // ── files dropped on the page Send ──

  const drop = document.querySelector("[data-drop]");
  if (drop) {
    const bar = drop.querySelector("progress");

    // A browser that drops a folder gives entries; each file goes with its path below what was dropped.
    async function filesOf(entry, path) {
      if (entry.isFile) return [[await new Promise((yes, no) => entry.file(yes, no)), path + entry.name]];
      const reader = entry.createReader(), all = [];
      for (;;) {
        const some = await new Promise((yes, no) => reader.readEntries(yes, no));
        if (some.length === 0) return all;
        for (const inner of some) all.push(...await filesOf(inner, path + entry.name + "/"));
      }
    }

    function upload(files) {
      if (files.length === 0) return;
      const body = new FormData(), request = new XMLHttpRequest();
      files.forEach(([file, name]) => body.append("file", file, name));
      bar.hidden = false;
      drop.querySelector("button").disabled = true;
      say("Taking the files in.");
      request.upload.onprogress = event => { if (event.lengthComputable) bar.value = 100 * event.loaded / event.total; };
      request.onerror = () => { bar.hidden = true; drop.querySelector("button").disabled = false; say("The files could not be taken."); };
      request.onload = () => {
        if (request.status === 200) { location.assign("/send"); return; }
        const answer = new DOMParser().parseFromString(request.responseText, "text/html").getElementById("drop");
        bar.hidden = true;
        drop.querySelector("button").disabled = false;
        drop.querySelector(".field-error")?.remove();
        const words = document.createElement("p");
        words.className = "field-error";
        words.textContent = answer?.querySelector(".field-error")?.textContent ?? "The files could not be taken.";
        drop.append(words);
        say(words.textContent);
      };
      request.open("POST", drop.action);
      request.send(body);
    }

    drop.addEventListener("submit", event => {
      event.preventDefault();
      upload([...drop.querySelector("input[type=file]").files].map(file => [file, file.name]));
    });
    for (const kind of ["dragenter", "dragover"])
      drop.addEventListener(kind, event => { event.preventDefault(); drop.classList.add("drop-over"); });
    for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("drop-over"));
    // Beside the field, a browser would leave the page to show the file.
    for (const kind of ["dragover", "drop"]) addEventListener(kind, event => event.preventDefault());
    drop.addEventListener("drop", async event => {
      event.preventDefault();
      const entries = [...event.dataTransfer.items].map(item => item.webkitGetAsEntry?.()).filter(Boolean);
      if (entries.length === 0) { upload([...event.dataTransfer.files].map(file => [file, file.name])); return; }
      const files = [];
      for (const entry of entries) files.push(...await filesOf(entry, ""));
      upload(files);
    });
  }

  const code = document.querySelector("[data-code]");
  if (code) {
    const words = document.getElementById(code.getAttribute("list"));
    code.addEventListener("input", async () => {
      const typed = code.value;
      if (!typed.includes("-")) { words.replaceChildren(); return; }
      try {
        const answer = await fetch("/send/words?typed=" + encodeURIComponent(typed));
        const all = await answer.json();
        if (code.value !== typed) return;
        words.replaceChildren(...all.slice(0, 12).map(word => { const option = document.createElement("option"); option.value = word; return option; }));
      } catch { /* The node is gone; the page says so elsewhere. */ }
    });
  }

  addCopyButtons(document);

  // A notice is shown once; its name in the address is of no further use.
  const address = new URL(location.href);
  if (address.searchParams.has("notice")) {
    address.searchParams.delete("notice");
    history.replaceState(null, "", address);
  }

  if (livePath) {
    // A browser keeps only six connections to one address: pages that nobody sees give theirs back.
    document.addEventListener("visibilitychange", () => { if (document.hidden) close(); else open(); });
    addEventListener("pagehide", close);
    addEventListener("pageshow", event => { if (event.persisted) open(); });
    if (!document.hidden) open();
  }
})();
