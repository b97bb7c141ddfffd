// Puts the plots in place of the pictures, and answers to what a reader does.

const page = { data: null, plots: [], errors: [] };

addEventListener("error", (e) => failed(e.message));
addEventListener("securitypolicyviolation", (e) => failed("forbidden: " + e.violatedDirective));

function failed(what) {
  page.errors.push(what);
  document.documentElement.dataset.errors = page.errors.join("; ");
}

// say tells a screen reader what the keys found.
function say(text) {
  document.getElementById("said").textContent = text;
}

// show draws what is chosen in one figure of the page.
function show(place) {
  const chosen = place.querySelector("select")?.value ?? place.dataset.figure;
  const host = place.querySelector(".live");
  place.classList.add("drawn"); // first: a hidden plot has no width
  page.plots = page.plots.filter((p) => p.host !== host);
  try {
    const timeline = (page.data.timelines || []).find((t) => "requests-" + (t.run + 1) === chosen);
    const fig = page.data.figures.find((f) => f.id === chosen);
    page.plots.push(timeline ? new Timeline(host, timeline, page) : new Plot(host, fig, page));
    notes(place, (timeline || fig).notes);
  } catch (e) {
    place.classList.remove("drawn");
    failed(place.id + ": " + e.message);
  }
}

function notes(place, all) {
  const list = place.querySelector(".notes");
  list.replaceChildren(...(all || []).map((note) => {
    const item = document.createElement("li");
    item.textContent = note;
    return item;
  }));
}

// redraw makes all plots anew: their width or their colours have changed.
function redraw() {
  for (const p of page.plots) {
    p.colours = theme();
    p.make();
  }
}

// choose follows a choice in the other figures that offer it: one cell, one run.
function choose(select) {
  const label = select.selectedOptions[0].textContent;
  for (const place of document.querySelectorAll("figure[data-figure]")) {
    const other = place.querySelector("select");
    const option = [...(other?.options || [])].find((o) => o.textContent === label);
    if (!option) continue;
    if (other !== select && other.value === option.value) continue;
    other.value = option.value;
    show(place);
  }
}

async function copy(button) {
  const text = document.getElementById("data").textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch { // a page from disk may be denied the clipboard
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy data (JSON)"), 2000);
}

// toPaper opens what is folded and draws in the colours of paper; fromPaper takes it back.
function toPaper() {
  document.documentElement.classList.add("paper");
  redraw();
  for (const d of document.querySelectorAll("details:not([open])")) {
    d.open = true;
    d.dataset.closed = "";
  }
}

function fromPaper() {
  document.documentElement.classList.remove("paper");
  redraw();
  for (const d of document.querySelectorAll("details[data-closed]")) {
    d.open = false;
    delete d.dataset.closed;
  }
}

function begin() {
  page.data = JSON.parse(document.getElementById("data").textContent);
  for (const f of page.data.figures) {
    if (!timed(f)) continue;
    f.x.ticks = null; // round ones, as the requests have them
    f.bands = (page.data.bands[f.choice] || []).map(([from, to, kind, label]) => ({ from, to, kind, label }));
  }
  for (const place of document.querySelectorAll("figure[data-figure]")) show(place);
  for (const select of document.querySelectorAll("figure select")) select.onchange = () => choose(select);
  const button = document.getElementById("copy");
  button.hidden = false;
  button.onclick = () => copy(button);
  let width = document.documentElement.clientWidth, waiting = 0;
  addEventListener("resize", () => {
    if (width === document.documentElement.clientWidth) return;
    width = document.documentElement.clientWidth;
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(redraw);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("beforeprint", toPaper);
  addEventListener("afterprint", fromPaper);
  document.documentElement.dataset.drawn = page.plots.length;
}

begin();
