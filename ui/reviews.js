// The Reviews tab: its form, and the job that the address names (#reviews/job_…), asked after until it ends.
// All markup comes escaped from the server; names that are picked become text and nothing else.
"use strict";

window.storewiseReviews = (element, server, upload) => {
  const page = window.storewise;
  const { pause, LOST } = page;
  const LARGEST = 100 * 1024 * 1024; // bytes of a file, as the API takes them
  const PAGE = 20; // summaries shown at first, and added at a time
  const find = (selector) => element.querySelector(selector);
  const form = find("form");
  const chosen = new Set();
  let offer = {};
  let file = null;
  let job = ""; // the one that is shown
  let shown = PAGE;
  let seen = "";
  let opening; // the timer that asks again for what can be picked
  let asking = 0; // counts the askings, so that an answer that comes late is told from the newest

  const ask = (what) => server.reviews(what);

  // ---- which place the address names ----
  const here = () => location.hash.startsWith("#reviews");

  function goto() {
    asking += 1;
    if (!here()) return;
    const named = location.hash.match(/^#reviews\/(job_[0-9a-f]{20})$/)?.[1] ?? "";
    find(".reviews").classList.toggle("with-job", named !== "");
    if (named !== job || !named) empty(named);
    open();
    if (job) follow();
  }

  function empty(named) {
    job = named;
    shown = PAGE;
    seen = "";
    page.patch(find(".panel"), [], "div", "block", page.fill);
    page.patch(find(".results"), [], "article", "slip", page.fill);
    find("[data-problem]").replaceChildren();
    find("[data-more-groups]").hidden = true;
    find("[data-said]").textContent = "";
  }

  // ---- what can be picked, and the jobs so far ----
  async function open() {
    const got = (await ask({ do: "open" })) ?? LOST;
    if (got.problem) find("[data-note]").innerHTML = got.problem;
    else show(got);
    const waits = got.problem || !got.ready || !got.shop;
    clearTimeout(opening);
    if (waits && here()) opening = setTimeout(open, 2500);
  }

  function show(got) {
    offer = got;
    const put = (name, html) => { if (find(name).innerHTML !== html) find(name).innerHTML = html; };
    put("[data-note]", got.note);
    put("[data-none]", got.none);
    put("#pick-options", got.options);
    put(".picks", got.picks);
    put("[data-jobs]", got.jobs);
    const lacks = [got.rated || "stars", got.dated || "dates"].filter((name) => name !== true);
    find("[data-missing]").textContent = got.count && lacks.length ? `The shop's reviews have no ${lacks.join(" and no ")}.` : "";
    for (const name of ["rating_min", "rating_max"]) form.elements[name].disabled = !got.rated;
    for (const name of ["since", "until"]) form.elements[name].disabled = !got.dated;
    choose();
    page.current(element, "job", job);
  }

  // ---- the job ----
  async function follow() {
    const mine = (asking += 1);
    const place = job;
    while (mine === asking) {
      const got = (await ask({ do: "look", job: place, shown, seen })) ?? LOST;
      if (mine !== asking) return;
      find("[data-problem]").innerHTML = got.problem ?? "";
      if (!got.problem) look(got);
      else if (got !== LOST) return;
      if (!got.problem && !got.live) {
        open();
        return;
      }
      await pause(got === LOST ? 3000 : 1000);
    }
  }

  function look(got) {
    page.patch(find(".panel"), got.panel, "div", "block", page.fill);
    if (got.results) page.patch(find(".results"), got.results, "article", "slip", page.fill);
    seen = got.seen;
    const more = find("[data-more-groups]");
    more.hidden = got.more === 0;
    more.textContent = `Show more summaries (${got.more.toLocaleString("en")} are there)`;
    if (find("[data-said]").textContent !== got.said) find("[data-said]").textContent = got.said;
  }

  // ---- the form ----
  function choose() {
    const list = find(".chosen");
    list.replaceChildren(...[...chosen].map((name) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.drop = name;
      button.setAttribute("aria-label", `Remove ${name}`);
      button.textContent = name;
      item.append(button);
      return item;
    }));
    element.querySelectorAll("[data-pick]").forEach((pick) =>
      pick.setAttribute("aria-pressed", chosen.has(pick.dataset.pick)));
    const all = offer.count ? `Nothing chosen: all ${offer.count.toLocaleString("en")} reviews of the shop.` : "";
    find("[data-all]").textContent = chosen.size ? "" : all;
    const named = chosen.size > 0 && source() === "shop";
    const [each, category] = form.elements.group_by.options;
    each.textContent = named ? "for each of them" : "for each product";
    category.hidden = category.disabled = named;
    if (named && form.elements.group_by.value === "category") form.elements.group_by.value = "product";
  }

  const source = () => form.elements.source.value;

  function add() {
    const box = find("#pick");
    const name = box.value.trim();
    if (name) chosen.add(name);
    box.value = "";
    choose();
  }

  function take(given) {
    file = given ?? null;
    find("[data-file]").textContent = file ? `${file.name} (${(file.size / 1024 / 1024).toFixed(file.size < 1e6 ? 2 : 1)} MB)` : "Drop a file here, or choose one";
    hint("");
  }

  function hint(html) {
    find("[data-hint]").innerHTML = html;
  }

  const sentence = (text) => `<p class="problem"><span>${text}</span></p>`;

  async function start() {
    if (source() === "shop" && find("#pick").value.trim()) add();
    const button = find(".start");
    button.disabled = true;
    hint("");
    const said = button.textContent;
    button.textContent = source() === "file" ? "Sending …" : "Starting …";
    try {
      const got = (await (source() === "file" ? sent() : asked())) ?? { problem: sentence("The page's server does not answer. Try again in a moment.") };
      if (got.problem) hint(got.problem);
      else {
        location.hash = `#reviews/${got.job}`;
        find(".job").scrollIntoView({ block: "start" });
      }
    } finally {
      button.disabled = false;
      button.textContent = said;
    }
  }

  function asked() {
    const data = Object.fromEntries(new FormData(form));
    delete data.file;
    return ask({ ...data, do: "start", names: [...chosen], key: crypto.randomUUID() });
  }

  async function sent() {
    if (!file) return { problem: sentence("Choose a file first: JSON lines or CSV, with a column “text”.") };
    if (file.size === 0) return { problem: sentence("The file is empty. Send a file with a review on each line.") };
    if (file.size > LARGEST) return { problem: sentence("The file is larger than 100 MB. Send it in several files, a job each.") };
    let there;
    try {
      there = await upload(file);
    } catch {
      return { problem: sentence("The file could not be sent. Is it still there, and does the page's server run? Try again.") };
    }
    const { group_by, length } = form.elements;
    return ask({ do: "send", file: there.path, group_by: group_by.value, length: length.value, key: crypto.randomUUID() });
  }

  // ---- what is behind a claim, and further lines ----
  async function whole(button) {
    button.disabled = true;
    const got = (await ask({ do: "reviews", job, claim: button.dataset.whole, after: button.dataset.after })) ?? LOST;
    const place = button.parentElement.querySelector(".whole");
    place.insertAdjacentHTML("beforeend", got.problem ?? got.html);
    button.disabled = false;
    if (got.problem) return;
    button.dataset.after = Number(button.dataset.after) + 10;
    button.textContent = `Read ${got.left.toLocaleString("en")} more`;
    if (!got.left) button.remove();
  }

  async function further(button) {
    button.disabled = true;
    const got = (await ask({ do: "lines", job, after: button.dataset.lines })) ?? LOST;
    button.disabled = false;
    if (got.problem) return;
    button.previousElementSibling.insertAdjacentHTML("beforeend", got.html);
    button.dataset.lines = got.after;
    if (got.after === null) button.remove();
  }

  async function cancel(button) {
    button.disabled = true;
    const got = (await ask({ do: "cancel", job })) ?? LOST;
    if (got.problem) find("[data-problem]").innerHTML = got.problem;
    follow();
  }

  // ---- events ----
  element.addEventListener("click", (click) => {
    const button = click.target.closest("button");
    if (!button) return;
    const { pick, drop } = button.dataset;
    if (pick !== undefined) {
      if (!chosen.delete(pick)) chosen.add(pick);
      choose();
    }
    if (drop !== undefined) {
      chosen.delete(drop);
      choose();
      find("#pick").focus();
    }
    if (button.hasAttribute("data-add")) add();
    if (button.hasAttribute("data-cancel")) cancel(button);
    if (button.dataset.whole) whole(button);
    if (button.dataset.lines) further(button);
    if (button.hasAttribute("data-more-groups")) {
      shown += PAGE;
      follow();
    }
    page.tabled(button);
  });
  find("#pick").addEventListener("keydown", (key) => {
    if (key.key !== "Enter") return;
    key.preventDefault();
    add();
  });
  find("#pick").addEventListener("change", (change) => {
    // A name taken from those proposed is chosen at once.
    if ([...find("#pick-options").options].some((option) => option.value === change.target.value)) add();
  });
  form.addEventListener("change", (change) => {
    if (change.target.name === "source") {
      element.querySelectorAll("[data-for]").forEach((part) => { part.hidden = part.dataset.for !== source(); });
      choose();
      hint("");
    }
    if (change.target.name === "file") take(change.target.files[0]);
  });
  form.addEventListener("submit", (submit) => {
    submit.preventDefault();
    start();
  });
  const drop = find(".drop");
  for (const name of ["dragenter", "dragover"])
    drop.addEventListener(name, (drag) => { drag.preventDefault(); drop.classList.add("over"); });
  for (const name of ["dragleave", "drop"])
    drop.addEventListener(name, (drag) => { drag.preventDefault(); drop.classList.remove("over"); });
  drop.addEventListener("drop", (drag) => take(drag.dataTransfer.files[0]));
  window.addEventListener("hashchange", goto);
  goto();
};
