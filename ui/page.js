// The page's own behaviour: it puts the blocks that the server renders in place, draws the charts, and
// passes clicks on. All markup comes escaped from the server; nothing here makes markup from text.
"use strict";

window.storewise = (() => {
  const THREAD = "storewise.thread";
  const THEME = "storewise.theme";
  const asset = (name) => new URL(`storewise/${name}`, document.baseURI).href;

  // ---- light and dark ----
  const systemDark = window.matchMedia("(prefers-color-scheme: dark)");

  function applyTheme() {
    const chosen = localStorage.getItem(THEME);
    document.body.classList.toggle("dark", chosen ? chosen === "dark" : systemDark.matches);
    document.querySelectorAll(".chart").forEach(colour);
  }

  function switchTheme() {
    localStorage.setItem(THEME, document.body.classList.contains("dark") ? "light" : "dark");
    applyTheme();
  }

  // ---- the header ----
  // The address says which tab is open, so that a reload stays there and the way back works.
  function openTab() {
    const tab = ["reviews", "inbox"].find((name) => location.hash.startsWith(`#${name}`)) ?? "ask";
    document.body.dataset.tab = tab;
    current(document, "tab-link", tab, "page");
  }

  function header(element, trigger, events) {
    applyTheme();
    openTab();
    window.addEventListener("hashchange", openTab);
    systemDark.addEventListener("change", () => setTimeout(applyTheme));
    element.addEventListener("click", (click) => {
      const button = click.target.closest("button");
      if (!button) return;
      if (button.hasAttribute("data-theme")) switchTheme();
      if (events.includes(button.dataset.event)) trigger(button.dataset.event);
      element.querySelector("details.menu")?.removeAttribute("open");
    });
    document.addEventListener("click", (click) => {
      const menu = element.querySelector("details.menu[open]");
      if (menu && !menu.contains(click.target)) menu.removeAttribute("open");
    });
    document.addEventListener("keydown", (key) => {
      if (key.key === "Escape") element.querySelector("details.menu")?.removeAttribute("open");
    });
  }

  // Of links with data-KIND, only the one with this value leads to what is open.
  function current(root, kind, value, what = "true") {
    root.querySelectorAll(`[data-${kind}]`).forEach((link) => {
      if (link.getAttribute(`data-${kind}`) === value) link.setAttribute("aria-current", what);
      else link.removeAttribute("aria-current");
    });
  }

  // ---- the conversation ----
  let judging = false; // a thumb went down, so the box for a correction is to be written in

  function talk(element, props, watch, trigger) {
    const root = element.querySelector(".talk");
    const show = () => {
      const value = props.value;
      if (!value || !value.turns) return;
      sessionStorage.setItem(THREAD, value.thread);
      const before = root.lastElementChild?.dataset.key;
      patch(root, value.turns, "section", "turn", (turn, place) =>
        patch(turn, value.turns[place].blocks, "div", "block", fill));
      const last = root.lastElementChild;
      if (last && last.dataset.key !== before && last.dataset.key !== "welcome")
        last.scrollIntoView({ block: "start", behavior: before?.startsWith("t") ? "smooth" : "instant" });
    };
    watch("value", show);
    show();
    root.addEventListener("click", (click) => clicked(click, trigger));
    root.addEventListener("submit", (submit) => {
      submit.preventDefault();
      const turn = turnOf(submit.target);
      trigger("thumb", { turn, thumb: "down", correction: submit.target.elements.correction.value });
    });
  }

  // Make the children of `parent` match `items` by key, and leave those that have not changed alone.
  function patch(parent, items, tag, name, update) {
    items.forEach((item, place) => {
      let child = parent.children[place];
      if (!child || child.dataset.key !== item.key) {
        child = document.createElement(tag);
        child.className = name;
        child.dataset.key = item.key;
        parent.insertBefore(child, parent.children[place] ?? null);
      }
      update(child, place, item);
    });
    while (parent.children.length > items.length) parent.lastElementChild.remove();
  }

  // Show markup in a place, unless it is there already, and say whether it was not; what was unfolded stays so.
  function put(where, html) {
    if (where.storewiseHtml === html) return false;
    const open = new Map([...where.querySelectorAll("[data-fold]")].map((fold) => [fold.dataset.fold, fold.open]));
    where.storewiseHtml = html;
    where.innerHTML = html;
    where.querySelectorAll("[data-fold]").forEach((fold) => { fold.open = open.get(fold.dataset.fold) ?? fold.open; });
    return true;
  }

  function fill(block, _place, item) {
    block.classList.toggle("told", Boolean(item.told));
    if (!put(block, item.html)) return;
    drawIn(block);
    if (judging) block.querySelector(".correction textarea")?.focus();
  }

  const turnOf = (element) => Number(element.closest(".turn").dataset.key.slice(1));

  function clicked(click, trigger) {
    const button = click.target.closest("button");
    if (!button) return;
    if (button.dataset.ask) trigger("example", { question: button.dataset.ask });
    if (button.dataset.thumb) judging = button.dataset.thumb === "down";
    if (button.dataset.thumb) trigger("thumb", { turn: turnOf(button), thumb: button.dataset.thumb });
    if (button.hasAttribute("data-copy")) copy(button);
    tabled(button);
  }

  // What the buttons of a table do, on either tab.
  function tabled(button) {
    if (button.hasAttribute("data-sort")) sort(button);
    if (button.hasAttribute("data-more")) {
      button.closest(".table").classList.add("whole");
      button.remove();
    }
  }

  async function copy(button) {
    const text = button.closest(".turn").querySelector(".answer").innerText;
    await navigator.clipboard?.writeText(text);
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), 1500);
  }

  function sort(button) {
    const head = button.closest("th");
    const place = [...head.parentElement.children].indexOf(head);
    const number = head.classList.contains("number");
    const down = head.getAttribute("aria-sort") ? head.getAttribute("aria-sort") === "ascending" : number;
    for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const table = head.closest("table");
    const value = (record) => record.rows[0].cells[place].dataset.value;
    const missing = (record) => value(record) === "";
    const compare = (a, b) => number ? value(a) - value(b) : value(a).localeCompare(value(b), "en", { numeric: true });
    const records = [...table.tBodies].sort((a, b) =>
      missing(a) || missing(b) ? missing(a) - missing(b) : compare(a, b) * (down ? -1 : 1));
    records.forEach((record, index) => record.toggleAttribute("data-more", index >= 10));
    table.append(...records);
  }

  // ---- charts ----
  let plotly;

  // Plotly comes with the program and is large, so it is fetched once, when a first chart is to be drawn.
  function loadPlotly() {
    plotly ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = asset("plotly.js");
      script.onload = () => resolve(window.Plotly);
      script.onerror = reject;
      document.head.append(script);
    });
    return plotly;
  }

  function colours() {
    const style = getComputedStyle(document.body);
    const named = (name) => style.getPropertyValue(`--${name}`).trim();
    return {
      way: [1, 2, 3, 4, 5].map((number) => named(`chart-${number}`)),
      ink: named("ink"), muted: named("muted"), line: named("line"), raised: named("raised"),
    };
  }

  function axes(layout, tone, width) {
    const axis = { gridcolor: tone.line, linecolor: tone.line, zerolinecolor: tone.line, tickcolor: tone.line };
    // Lines only across the way the bars or the series run; few labels where there is little room.
    const lying = layout.yaxis.ticktext !== undefined;
    const few = width < 480 ? { nticks: 4 } : {};
    return {
      xaxis: { ...layout.xaxis, ...axis, ...few, tickangle: 0, showgrid: lying },
      yaxis: { ...layout.yaxis, ...axis, showgrid: !lying, zeroline: !lying },
    };
  }

  function painted(layout, width) {
    const tone = colours();
    const font = { family: '"IBM Plex Sans", system-ui, sans-serif', size: 12.5, color: tone.muted };
    return {
      ...layout, ...axes(layout, tone, width), font, colorway: tone.way,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 8, r: 16, t: 10, b: 8 }, autosize: true, dragmode: false, bargap: 0.35,
      legend: { orientation: "h", y: 1.12, x: 0 },
      hoverlabel: { bgcolor: tone.raised, bordercolor: tone.line, font: { ...font, color: tone.ink } },
    };
  }

  // A chart in a fold has no width before the fold is opened.
  function drawIn(block) {
    for (const chart of block.querySelectorAll(".chart"))
      if (!chart.storewiseLayout && !chart.closest("details:not([open])")) draw(chart);
  }
  document.addEventListener("toggle", (toggled) => { if (toggled.target.open) drawIn(toggled.target); }, true);

  async function draw(element) {
    const figure = JSON.parse(element.dataset.figure);
    try {
      const Plotly = await loadPlotly();
      if (!element.isConnected) return;
      for (const trace of figure.data) {
        if (trace.type === "scatter") {
          trace.line = { width: 2.5 };
          trace.marker = { size: 6 };
          trace.cliponaxis = false;
          if (figure.data.length === 1) trace.fill = "tozeroy";
        }
      }
      element.storewiseLayout = figure.layout;
      await Plotly.newPlot(element, figure.data, painted(figure.layout, element.clientWidth), { displayModeBar: false, responsive: true });
      colour(element);
    } catch {
      element.textContent = "The chart could not be drawn; its figures are in the table below.";
    }
  }

  function colour(element) {
    if (!element.storewiseLayout) return;
    const style = getComputedStyle(document.body);
    const tone = (trace, place) =>
      trace.meta?.tone ? style.getPropertyValue(`--${trace.meta.tone}`).trim() : way[place % way.length];
    const way = colours().way;
    const faint = (hex) => `${hex}22`;
    window.Plotly.relayout(element, painted(element.storewiseLayout, element.clientWidth));
    window.Plotly.restyle(element, {
      "line.color": element.data.map((_, place) => way[place % way.length]),
      "marker.color": element.data.map(tone),
      fillcolor: element.data.map((_, place) => faint(way[place % way.length])),
    });
  }

  // ---- what the other scripts wait and tell with ----
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const LOST = { problem: '<p class="problem"><span>The page\'s server does not answer. Trying again …</span></p>' };

  // ---- what Gradio calls ----
  function download(file) {
    if (!file?.text) return [];
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([file.text], { type: "text/plain;charset=utf-8" }));
    link.download = file.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    return [];
  }

  return { header, talk, download, patch, put, fill, current, tabled, pause, LOST };
})();
