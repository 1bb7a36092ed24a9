// The customers' desk: signing in, what was said, and what is sent. All markup comes escaped from the server.
// The token lies in this tab's own storage and goes along with every request; nothing else says who asks.
"use strict";

window.storewiseDesk = (element, server) => {
  const page = window.storewise;
  const { put } = page;
  const TOKEN = "storewise.desk.token";
  const CONVERSATION = "storewise.desk.conversation";
  const PLACES = { starting: ".starting", signin: ".sign-in", talk: ".talking" };
  const SHORTEST = 4000; // milliseconds between questions to a server that did not answer
  const header = document.getElementById("header");
  const find = (selector) => element.querySelector(selector);
  const log = find(".talk");
  const box = find("#say");
  let token = sessionStorage.getItem(TOKEN) ?? "";
  let conversation = sessionStorage.getItem(CONVERSATION) ?? "";
  let fresh = false; // a new conversation was asked for
  let seen = "";
  let busy = false;
  let asking = 0; // counts the askings, so that an answer that comes late is told from the newest
  let timer;
  let searching;

  const LOST = { problem: '<p class="problem"><span>The desk does not answer. Trying again …</span></p>', wait: SHORTEST };
  const ask = async (what) => {
    try {
      return (await server.desk({ ...what, token })) ?? LOST;
    } catch {
      return LOST;
    }
  };

  // A shop of one's own hands the token over in the address, from which it is taken at once.
  function handed() {
    const given = new URLSearchParams(location.hash.slice(1)).get("token");
    if (!given) return;
    keep(given);
    history.replaceState(null, "", location.pathname + location.search);
  }

  function keep(given) {
    token = given;
    sessionStorage.setItem(TOKEN, given);
    begin("");
  }

  function begin(named) {
    conversation = named;
    seen = "";
    sessionStorage.setItem(CONVERSATION, named);
  }

  // ---- what is shown ----
  async function look() {
    const mine = (asking += 1);
    clearTimeout(timer);
    const got = await ask({ do: "look", conversation, fresh, seen });
    if (mine !== asking) return;
    show(got);
    timer = setTimeout(look, document.hidden ? Math.max(got.wait ?? SHORTEST, 5000) : got.wait ?? SHORTEST);
  }

  function show(got) {
    if (got.page) place(got.page);
    if (got.demo !== undefined) find("[data-demo-note]").hidden = !got.demo;
    if (got.page === "starting") put(find("[data-starting]"), got.html);
    if (got.page === "signin") signin(got);
    else put(find(".talking").hidden ? find("[data-starting]") : find("[data-problem]"), got.problem ?? (got.page === "starting" ? got.html : ""));
    if (got.page === "talk") talk(got);
  }

  function place(name) {
    find(".desk").dataset.page = name;
    for (const [key, selector] of Object.entries(PLACES)) find(selector).hidden = key !== name;
    header.querySelectorAll("[data-new], [data-out]").forEach((button) => { button.hidden = name !== "talk"; });
    if (name !== "talk") put(header.querySelector("[data-who]"), "");
  }

  function talk(got) {
    put(header.querySelector("[data-who]"), got.who);
    busy = got.busy;
    if (got.conversation !== conversation) begin(got.conversation);
    if (got.unsent && !box.value) box.value = got.unsent;
    box.disabled = got.closed;
    find(".write button").disabled = busy || got.closed;
    seen = got.seen;
    if (!got.blocks) return;
    const keys = () => [...log.children].map((block) => block.dataset.key).join(" ");
    const before = keys();
    page.patch(log, got.blocks, "div", "block", page.fill);
    if (keys() !== before && keys() !== "welcome") follow(before ? "smooth" : "instant");
  }

  // To the end, but not past what was said last: a long answer is read from its beginning.
  function follow(behavior) {
    const asked = [...log.querySelectorAll(".question")].pop();
    const top = asked ? asked.getBoundingClientRect().top + window.scrollY - 80 : Infinity;
    window.scrollTo({ top: Math.min(top, document.documentElement.scrollHeight), behavior });
  }

  // ---- who ----
  async function signin(got) {
    put(find("[data-signin-problem]"), got.problem ?? "");
    find("[data-demo]").hidden = !got.demo;
    find(".sign-in h1").textContent = got.demo ? "Who would you like to be?" : "You are not signed in";
    find(".sign-in h1 + p").hidden = !got.demo;
    if (got.demo && !find("[data-customers]").storewiseHtml) search();
  }

  async function search() {
    const got = await ask({ do: "customers", said: find("#customer").value.trim() });
    put(find("[data-customers]"), got.html ?? got.problem);
  }

  async function enter(customer) {
    const got = await ask({ do: "sign_in", customer });
    if (!got.token) {
      put(find("[data-signin-problem]"), got.problem);
      return;
    }
    keep(got.token);
    fresh = false;
    await look();
    box.focus();
  }

  function leave() {
    sessionStorage.removeItem(TOKEN);
    token = "";
    begin("");
    page.patch(log, [], "div", "block", page.fill);
    box.value = "";
    look();
  }

  // ---- what is sent ----
  async function send(what, text) {
    if (busy) return;
    busy = true;
    find(".write button").disabled = true;
    element.querySelectorAll("[data-press], [data-say]").forEach((button) => { button.disabled = true; });
    const got = await ask({ ...what, conversation });
    if (got.conversation) begin(got.conversation);
    fresh = false;
    await look();
    // A refusal stands until something else is shown.
    if (got.problem) {
      element.querySelectorAll("[data-press], [data-say]").forEach((button) => { button.disabled = false; });
      put(find("[data-problem]"), got.problem);
      clearTimeout(timer);
      timer = setTimeout(look, SHORTEST);
      if (text && !box.value) box.value = text;
    }
    grow();
    box.focus();
  }

  function say(text) {
    if (!text.trim() || busy) return;
    box.value = "";
    send({ do: "say", text }, text);
  }

  function grow() {
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight, 168)}px`;
  }

  // ---- events ----
  element.addEventListener("click", (click) => {
    const button = click.target.closest("button");
    if (!button || button.disabled) return;
    if (button.dataset.customer) enter(button.dataset.customer);
    if (button.dataset.say) say(button.dataset.say);
    if (button.dataset.press)
      send({ do: "press", proposal: button.dataset.proposal, yes: button.dataset.press === "yes" });
    page.tabled(button);
  });
  header.addEventListener("click", (click) => {
    const button = click.target.closest("button");
    if (button?.hasAttribute("data-out")) leave();
    if (button?.hasAttribute("data-new")) {
      fresh = true;
      begin("");
      look();
      box.focus();
    }
  });
  find("form").addEventListener("submit", (submit) => {
    submit.preventDefault();
    say(box.value);
  });
  box.addEventListener("keydown", (key) => {
    if (key.key !== "Enter" || key.shiftKey || key.isComposing) return;
    key.preventDefault();
    say(box.value);
  });
  box.addEventListener("input", grow);
  find("#customer").addEventListener("input", () => {
    clearTimeout(searching);
    searching = setTimeout(search, 250);
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  window.addEventListener("hashchange", () => {
    handed();
    look();
  });
  handed();
  look();
};
