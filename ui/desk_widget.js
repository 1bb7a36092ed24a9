// <storewise-desk src="https://desk.shop.example" token="…">: the service desk on a shop's own pages.
// The token names the customer (see agent/desk/identity.py); a new one is set in the same attribute. Attributes:
// heading, greeting, theme (light or dark; else as the system has it), open (shown at once), inline (no button,
// fills its place). Events: storewise-signed-out, when the token is refused. Everything that comes from outside is
// put in place as text, never as markup.
"use strict";

(() => {
  const HERE = document.currentScript?.src ?? location.href;
  const LONGEST = 5000; // characters of a message, as the desk takes them
  const LOOK = 4000; // milliseconds between two looks for what a person of the shop wrote
  const LOST = "The desk cannot be reached just now. Your message is kept below; send it again in a moment.";
  const UNSIGNED = "Sign in to the shop to talk to the desk.";
  const ICONS = {
    talk: "M4 5h16v11H9l-5 4z",
    close: "M6 6l12 12M18 6L6 18",
    send: "M4 12h15M13 6l6 6-6 6",
    fresh: "M12 5v14M5 12h14",
  };

  /** Return an element with attributes and children; text becomes text and nothing else. */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value != null) element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child != null && child !== ""));
    return element;
  }

  function icon(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", ICONS[name]);
    svg.append(path);
    return svg;
  }

  /** Return a finding's cell as a person reads it. */
  function shown(value, column) {
    if (value == null) return "–";
    if (typeof value !== "number") return String(value);
    if (column.format === "money") return value.toLocaleString("en-US", { style: "currency", currency: "USD" });
    if (column.format === "percent") return value.toLocaleString("en-US", { style: "percent", maximumFractionDigits: 1 });
    return value.toLocaleString("en-US", { maximumFractionDigits: column.format === "integer" ? 0 : 2 });
  }

  /** Yield the server-sent events of a response as they arrive: [name, data]. */
  async function* events(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const lines = block.split("\n");
        const of = (field) => lines.find((line) => line.startsWith(`${field}: `))?.slice(field.length + 2);
        if (of("data")) yield [of("event"), JSON.parse(of("data"))];
      }
    }
  }

  /** What the desk answers instead of what was asked; the message is a sentence for the customer. */
  class Refused extends Error {
    constructor(status, sentence, wait = 0) {
      super(sentence);
      this.status = status;
      this.wait = wait;
    }
  }

  async function refusal(response) {
    const told = await response.json().catch(() => ({}));
    const wait = Number(response.headers.get("retry-after")) || 0;
    return new Refused(response.status, typeof told.detail === "string" ? told.detail : LOST, wait);
  }

  class StorewiseDesk extends HTMLElement {
    static observedAttributes = ["token", "src", "open", "heading"];

    #root = this.attachShadow({ mode: "open" });
    #parts = {};
    #conversation = "";
    #last = 0; // the number of the last message that is known
    #busy = false;
    #begun = false; // whether what was said before has been asked for
    #state = "desk";
    #timer = 0;

    connectedCallback() {
      if (!this.#parts.panel) this.#build();
      document.addEventListener("visibilitychange", this.#follow);
      this.#arrange();
    }

    disconnectedCallback() {
      document.removeEventListener("visibilitychange", this.#follow);
      clearTimeout(this.#timer);
    }

    attributeChangedCallback(name, before, now) {
      if (!this.#parts.panel || before === now) return;
      if (name === "open") this.#arrange();
      else if (name === "heading") this.#parts.heading.textContent = this.#heading;
      else this.#reset();
    }

    get #heading() { return this.getAttribute("heading") || "Service desk"; }
    get #signedIn() { return Boolean(this.getAttribute("token")); }

    /** The desk's address, or "" for one that is none of the web's. */
    get #address() {
      try {
        const url = new URL(this.getAttribute("src") || "/", HERE);
        return /^https?:$/.test(url.protocol) ? url.origin + url.pathname.replace(/\/+$/, "") : "";
      } catch {
        return "";
      }
    }

    #remember(conversation) {
      this.#conversation = conversation;
      try {
        if (conversation) sessionStorage.setItem(`storewise-desk ${this.#address}`, conversation);
        else sessionStorage.removeItem(`storewise-desk ${this.#address}`);
      } catch { /* a browser may keep nothing */ }
    }

    #remembered() {
      try {
        return sessionStorage.getItem(`storewise-desk ${this.#address}`) ?? "";
      } catch {
        return "";
      }
    }

    // ---- what it is made of ----
    #build() {
      const style = make("link", { rel: "stylesheet", href: new URL("desk_widget.css", HERE).href });
      const p = this.#parts;
      p.heading = make("h2", { id: "heading" }, this.#heading);
      p.launch = make("button", { type: "button", class: "launch", "aria-expanded": "false", "aria-controls": "panel",
        onclick: () => this.toggleAttribute("open") }, icon("talk"), make("span", {}, "Ask the desk"));
      p.fresh = make("button", { type: "button", class: "plain", "aria-label": "New conversation",
        title: "New conversation", onclick: () => this.#fresh() }, icon("fresh"));
      p.close = make("button", { type: "button", class: "plain close", "aria-label": "Close the desk", title: "Close",
        onclick: () => this.removeAttribute("open") }, icon("close"));
      p.banner = make("p", { class: "banner", role: "status", hidden: true });
      p.log = make("div", { class: "log", role: "log", "aria-live": "polite", "aria-label": "The conversation", tabindex: "0" });
      p.doing = make("div", { class: "doing", role: "status", hidden: true },
        make("span", { class: "dots", "aria-hidden": "true" }, make("i"), make("i"), make("i")), make("span", { class: "what" }));
      p.words = make("p", { class: "partial", "aria-hidden": "true", hidden: true });
      p.problem = make("p", { class: "problem", role: "alert" });
      p.text = make("textarea", { id: "text", rows: "1", maxlength: String(LONGEST), placeholder: "Write to the desk",
        onkeydown: (event) => this.#key(event), oninput: () => this.#grow() });
      p.send = make("button", { type: "submit", "aria-label": "Send" }, icon("send"));
      p.form = make("form", { novalidate: true, onsubmit: (event) => { event.preventDefault(); this.#write(); } },
        make("label", { for: "text", class: "unseen" }, "Your message"), p.text, p.send);
      p.panel = make("section", { id: "panel", class: "panel", role: "dialog", "aria-labelledby": "heading",
        onkeydown: (event) => { if (event.key === "Escape" && !this.hasAttribute("inline")) this.removeAttribute("open"); } },
        make("header", {}, p.heading, p.fresh, p.close), p.banner,
        make("div", { class: "talk" }, p.log, p.words, p.doing), p.problem, p.form);
      const all = make("div", { class: "all", hidden: true }, p.panel, p.launch);
      // Unstyled it would be a heap; it shows itself when its style is there, or never will be.
      for (const kind of ["load", "error"]) style.addEventListener(kind, () => { all.hidden = false; this.#arrange(); });
      this.#root.append(style, all);
    }

    #arrange() {
      const { panel, launch, close, text } = this.#parts;
      const inline = this.hasAttribute("inline");
      const open = inline || this.hasAttribute("open");
      const was = !panel.hidden;
      panel.hidden = !open;
      launch.hidden = inline;
      close.hidden = inline;
      launch.setAttribute("aria-expanded", String(open));
      if (open) this.#open();
      this.#follow();
      if (inline || open === was || panel.parentElement.hidden) return;
      if (open) text.focus();
      else launch.focus();
    }

    // ---- what was said before ----
    async #open() {
      if (this.#begun) return;
      this.#begun = true;
      this.#greet();
      const before = this.#remembered();
      if (!before || !this.#signedIn) return;
      try {
        const found = await this.#asked("GET", `/conversations/${encodeURIComponent(before)}`);
        this.#remember(before);
        if (found.messages.length) this.#parts.log.replaceChildren();
        found.messages.forEach((said, index) => {
          const ending = index === found.messages.length - 1 && said.who === "desk" && found.reply;
          if (ending) this.#reply({ ...found.reply, text: said.text });
          else this.#say(said.who, said.text);
          this.#last = said.number;
        });
        this.#stand(found.state);
      } catch (error) {
        if (error.status === 404) this.#remember("");
        else this.#fail(error);
      }
    }

    #greet() {
      const greeting = this.getAttribute("greeting")
        || "Hello. Ask about your orders, returns, exchanges, addresses or our products.";
      this.#say("desk", this.#signedIn ? greeting : UNSIGNED);
      this.#parts.form.classList.toggle("off", !this.#signedIn);
    }

    #reset() {
      this.#begun = false;
      this.#last = 0;
      this.#conversation = "";
      this.#parts.log.replaceChildren();
      this.#parts.problem.textContent = "";
      this.#stand("desk");
      this.#arrange();
    }

    #fresh() {
      if (this.#busy) return;
      this.#remember("");
      this.#reset();
      this.#parts.text.focus();
    }

    // ---- talking ----
    #key(event) {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#write();
    }

    #grow() {
      const { text } = this.#parts;
      text.style.height = "auto";
      text.style.height = `${Math.min(text.scrollHeight, 140)}px`;
    }

    #write() {
      const { text } = this.#parts;
      const said = text.value.trim();
      if (!said || this.#busy) return;
      text.value = "";
      this.#grow();
      this.#turn({ text: said }, said);
    }

    /** Send a message and show what comes back; what could not be sent returns to the box. */
    async #turn(body, said) {
      if (this.#busy) return;
      this.#working(true);
      this.#settle();
      const mine = this.#say("customer", said);
      let came = false;
      try {
        if (!this.#conversation) this.#remember((await this.#asked("POST", "/conversations")).conversation);
        for await (const [kind, data] of events(await this.#stream(body))) {
          if (kind === "typing") this.#parts.doing.querySelector(".what").textContent = data.what;
          if (kind === "words") this.#word(data.text);
          if (kind === "problem") throw new Refused(data.status, data.detail);
          if (kind === "replied") {
            came = true;
            this.#reply(data.reply);
            this.#stand(data.reply.state);
          }
        }
        if (!came) throw new Refused(0, LOST);
        await this.#look(["staff"]);
      } catch (error) {
        if (!came) {
          mine.remove();
          if (body.text && !this.#parts.text.value) this.#parts.text.value = body.text;
          this.#grow();
          if (body.proposal_id) this.#unsettle(body.proposal_id);
        }
        if (error.status === 404) this.#remember("");
        this.#fail(error);
      } finally {
        this.#working(false);
      }
    }

    #working(busy) {
      const { doing, words, problem, send, fresh } = this.#parts;
      this.#busy = busy;
      doing.hidden = !busy;
      doing.querySelector(".what").textContent = busy ? "The desk is typing" : "";
      words.hidden = true;
      words.textContent = "";
      if (busy) problem.textContent = "";
      send.setAttribute("aria-disabled", String(busy));
      fresh.setAttribute("aria-disabled", String(busy));
      if (busy) this.#down();
    }

    #word(piece) {
      const { words } = this.#parts;
      words.hidden = false;
      words.textContent += piece;
      this.#down();
    }

    #fail(error) {
      const { problem } = this.#parts;
      problem.textContent = error instanceof Refused ? error.message : LOST;
      if (error.status === 401) {
        this.dispatchEvent(new CustomEvent("storewise-signed-out", { bubbles: true, composed: true }));
      }
    }

    // ---- the desk's API ----
    async #fetch(method, path, body, accept) {
      if (!this.#signedIn) throw new Refused(401, UNSIGNED);
      if (!this.#address) throw new Refused(0, "This page names no address of the desk.");
      const headers = { Authorization: `Bearer ${this.getAttribute("token")}`, Accept: accept };
      if (body) headers["Content-Type"] = "application/json";
      let response;
      try {
        response = await fetch(`${this.#address}/v1/desk${path}`,
          { method, headers, body: body && JSON.stringify(body), credentials: "omit", cache: "no-store" });
      } catch {
        throw new Refused(0, LOST);
      }
      if (!response.ok) throw await refusal(response);
      return response;
    }

    async #asked(method, path) { return (await this.#fetch(method, path, undefined, "application/json")).json(); }

    #stream(body) {
      return this.#fetch("POST", "/messages", { conversation: this.#conversation, ...body }, "text/event-stream");
    }

    // ---- what a person of the shop writes ----
    #stand(state) {
      const { banner } = this.#parts;
      this.#state = state;
      banner.textContent = {
        waiting: "A person of the shop has been asked to come. You can go on writing.",
        person: "A person of the shop is answering you now.",
        closed: "This conversation is closed. Begin a new one with the plus sign.",
      }[state] ?? "";
      banner.hidden = !banner.textContent;
      this.#follow();
    }

    #follow = () => {
      clearTimeout(this.#timer);
      const waits = this.#state === "waiting" || this.#state === "person";
      if (!waits || !this.isConnected || this.#parts.panel.hidden || document.hidden) return;
      this.#timer = setTimeout(async () => {
        if (!this.#busy) await this.#look(["staff", "desk"]).catch(() => {});
        this.#follow();
      }, LOOK);
    };

    /** Look at what is new, and show what the named ones said. */
    async #look(names) {
      if (!this.#conversation || (this.#state === "desk" && names.length === 1)) return;
      const conversation = this.#conversation;
      const found = await this.#asked("GET", `/conversations/${encodeURIComponent(conversation)}?after=${this.#last}`);
      if (conversation !== this.#conversation) return;
      for (const said of found.messages) {
        if (said.number <= this.#last) continue;
        this.#last = said.number;
        if (names.includes(said.who)) this.#say(said.who, said.text);
      }
      if (found.state !== this.#state) this.#stand(found.state);
    }

    // ---- how it looks ----
    #say(who, text) {
      const whose = { customer: "You", desk: "The desk", staff: "A person of the shop" }[who] ?? "The desk";
      const lines = String(text).split(/\n+/).filter(Boolean).map((line) => make("p", {}, line));
      const turn = make("article", { class: `turn ${who === "customer" || who === "staff" ? who : "desk"}` },
        make("span", { class: who === "staff" ? "whose" : "unseen" }, `${whose}: `), ...lines);
      this.#parts.log.append(turn);
      this.#down();
      return turn;
    }

    #reply(reply) {
      // While a person of the shop answers, the desk says nothing.
      if (!reply.text && !reply.proposal && !reply.orders?.length) return;
      const turn = this.#say("desk", reply.text);
      for (const order of reply.orders ?? []) turn.append(this.#order(order));
      if (!reply.orders?.length && !reply.proposal) {
        for (const finding of reply.findings ?? []) turn.append(this.#table(finding) ?? "");
      }
      if (reply.note) turn.append(make("p", { class: "note" }, reply.note));
      if (reply.proposal) turn.append(this.#proposal(reply.proposal));
      else if (reply.choices?.length) {
        turn.append(make("div", { class: "choices", role: "group", "aria-label": "Short answers" },
          ...reply.choices.map((choice) =>
            make("button", { type: "button", onclick: () => this.#turn({ text: choice }, choice) }, choice))));
      }
      this.#down(turn.previousElementSibling);
    }

    #order(order) {
      const rows = [["Items", order.items.join("\n")], ["Total", order.total], ["Goes to", order.goes_to],
        ["Tracking", (order.tracking ?? []).join(", ")]];
      return make("section", { class: "order", "aria-label": `Order ${order.order_id}` },
        make("header", {}, make("strong", {}, order.order_id), make("span", { class: "status" }, order.status)),
        make("dl", {}, ...rows.filter(([, value]) => value).flatMap(([name, value]) =>
          [make("dt", {}, name), make("dd", {}, value)])));
    }

    #table(finding) {
      if (!finding.rows?.length || !finding.columns?.length) return null;
      const number = (column) => (column.format === "text" || column.format === "date" ? null : "number");
      return make("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Details" }, make("table", {},
        make("thead", {}, make("tr", {}, ...finding.columns.map((column) =>
          make("th", { scope: "col", class: number(column) }, column.label)))),
        make("tbody", {}, ...finding.rows.slice(0, 30).map((row) => make("tr", {}, ...row.map((cell, index) =>
          make("td", { class: number(finding.columns[index]) }, shown(cell, finding.columns[index]))))))));
    }

    #proposal(proposal) {
      const answer = (confirm) => () =>
        this.#turn({ proposal_id: proposal.proposal_id, confirm }, confirm ? "Yes, do it." : "No, leave it.");
      const finding = proposal.finding ?? {};
      return make("section", { class: "proposal", role: "group", "aria-label": "To confirm", "data-proposal": proposal.proposal_id },
        this.#table(finding),
        make("div", { class: "answers" },
          make("button", { type: "button", class: "yes", onclick: answer(true) }, "Yes, do it"),
          make("button", { type: "button", class: "no", onclick: answer(false) }, "No, leave it")));
    }

    /** What was offered in earlier turns can be pressed no more. */
    #settle() {
      this.#parts.log.querySelectorAll(".choices").forEach((choices) => choices.remove());
      this.#parts.log.querySelectorAll(".answers").forEach((answers) => { answers.hidden = true; });
      // What was pressed is gone; the keyboard goes on where one writes.
      if (!this.#root.activeElement?.checkVisibility()) this.#parts.text.focus();
    }

    #unsettle(proposal) {
      const found = this.#parts.log.querySelectorAll(`[data-proposal="${CSS.escape(proposal)}"] .answers`);
      found.forEach((answers) => { answers.hidden = false; });
    }

    /** Scroll to the end, but no farther than to `from`: a long reply is read from its beginning. */
    #down(from = null) {
      const talk = this.#parts.log.parentElement;
      talk.scrollTop = talk.scrollHeight;
      const above = from ? talk.getBoundingClientRect().top + 12 - from.getBoundingClientRect().top : 0;
      if (above > 0) talk.scrollTop -= above;
    }
  }

  if (!customElements.get("storewise-desk")) customElements.define("storewise-desk", StorewiseDesk);
})();
