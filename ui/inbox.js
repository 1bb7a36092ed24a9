// The Inbox tab: the lists, the conversation that the address names (#inbox/…), and what a person does in it.
// All markup comes escaped from the server.
"use strict";

window.storewiseInbox = (element, server) => {
  const page = window.storewise;
  const { put, pause, LOST } = page;
  const STAFF = "storewise.staff";
  const find = (selector) => element.querySelector(selector);
  const form = find("form");
  const staff = form.elements.staff;
  const link = document.querySelector('[data-tab-link="inbox"]');
  let conversation = ""; // the one that is shown
  let seen = "";
  let asking = 0; // counts the askings, so that an answer that comes late is told from the newest
  let listing;

  const ask = async (what) => {
    try {
      return (await server.inbox(what)) ?? LOST;
    } catch {
      return LOST;
    }
  };
  const here = () => location.hash.startsWith("#inbox");

  // ---- which place the address names ----
  function goto() {
    asking += 1;
    if (!here()) return;
    const named = location.hash.match(/^#inbox\/([A-Za-z0-9_-]{1,100})$/)?.[1] ?? "";
    find(".inbox").classList.toggle("with-case", named !== "");
    if (named !== conversation) {
      conversation = named;
      seen = "";
      page.patch(find(".log"), [], "div", "block", page.fill);
      put(find("[data-head]"), "");
      put(find("[data-acts]"), "");
      put(find("[data-problem]"), "");
      form.hidden = true;
    }
    list();
    if (conversation) follow();
  }

  // ---- the lists, and on other tabs how many wait ----
  async function list() {
    clearTimeout(listing);
    const got = await ask({ do: here() ? "list" : "count" });
    put(find("[data-list-problem]"), got.problem ?? got.none ?? "");
    element.querySelectorAll("aside section").forEach((part) => { part.hidden = Boolean(got.none); });
    find(".nothing").hidden = Boolean(got.none);
    if (got.tickets !== undefined) put(find("[data-tickets]"), got.tickets);
    if (got.conversations !== undefined) put(find("[data-conversations]"), got.conversations);
    page.current(element, "conversation", conversation);
    if (got.waiting !== undefined) {
      const count = got.waiting ? `<b class="waits">${Number(got.waiting)}</b>` : "";
      put(link.querySelector("span"), count);
      link.setAttribute("aria-label", got.waiting ? `Inbox, ${got.waiting} waiting` : "Inbox");
    }
    // Without a desk there is nothing to wait for, except while one may still be starting.
    if (got.none && !got.starting && !here()) return;
    listing = setTimeout(list, here() ? 4000 : 20000);
  }

  // ---- the conversation ----
  async function follow() {
    const mine = (asking += 1);
    while (mine === asking) {
      const got = await ask({ do: "look", conversation, seen });
      if (mine !== asking) return;
      if (got.problem || got.head) put(find("[data-problem]"), got.problem ?? "");
      if (got.head) look(got);
      if (got.none) return;
      await pause(got.problem ? 5000 : document.hidden ? 10000 : 2000);
    }
  }

  // Times come in UTC and are told as the reader's clock has them.
  function local() {
    element.querySelectorAll("time:not([data-local])").forEach((time) => {
      const at = new Date(time.dateTime);
      const day = time.hasAttribute("data-day") ? { year: "numeric", month: "short", day: "numeric" } : {};
      time.textContent = at.toLocaleString("en-GB", { ...day, hour: "2-digit", minute: "2-digit" });
      time.dataset.local = "";
    });
  }

  function look(got) {
    put(find("[data-head]"), got.head);
    put(find("[data-acts]"), got.acts);
    form.hidden = !got.answering;
    seen = got.seen;
    local();
    if (!got.blocks) return;
    const log = find(".log");
    const before = log.lastElementChild?.dataset.key;
    page.patch(log, got.blocks, "div", "block", page.fill);
    local();
    if (before && before !== log.lastElementChild?.dataset.key) log.lastElementChild.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  async function act(what, then = () => {}) {
    const buttons = element.querySelectorAll("[data-act], .reply button");
    buttons.forEach((button) => { button.disabled = true; });
    const got = await ask({ ...what, conversation, staff: staff.value });
    element.querySelectorAll("[data-act], .reply button").forEach((button) => { button.disabled = false; });
    if (!got.problem) {
      then();
      await Promise.race([follow(), pause(300)]);
      list();
    } else put(find("[data-problem]"), got.problem);
  }

  // ---- events ----
  element.addEventListener("click", (click) => {
    const button = click.target.closest("button[data-act]");
    if (button) act({ do: button.dataset.act });
  });
  form.addEventListener("submit", async (submit) => {
    submit.preventDefault();
    const box = form.elements.answer;
    const text = box.value;
    if (!text.trim()) return;
    await act({ do: "say", text }, () => { box.value = ""; });
    box.focus();
  });
  staff.value = localStorage.getItem(STAFF) ?? "";
  staff.addEventListener("change", () => localStorage.setItem(STAFF, staff.value.trim()));
  window.addEventListener("hashchange", goto);
  goto();
  if (!here()) list();
};
