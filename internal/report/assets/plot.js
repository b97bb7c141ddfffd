// A figure as a uPlot: axes, cursor and zoom are uPlot's, what is drawn in it is draw.js's.

const NARROW = 560; // px: below it, or with more lines than fit, lines are named under the plot, not at their ends

// full is the range of an axis: the figure's own, else that of the lines.
function full(fig, axis) {
  const { min, max, scale } = fig[axis];
  if (min !== max) return [min, max];
  let low = Infinity, high = -Infinity;
  for (const l of fig.lines) {
    l[axis].forEach((v, i) => {
      if (!l.void?.[i]) low = Math.min(low, v), high = Math.max(high, v);
    });
  }
  if (low > high) return scale === "linear" ? [0, 1] : [1, 10];
  if (scale !== "linear") return [low / 1.1, high * 1.1];
  return [Math.min(low, 0), high > low ? high : low + 1];
}

// joined gives every line a value at every x, undefined where it has no point.
function joined(lines) {
  const xs = [...new Set(lines.flatMap((l) => l.x))].sort((a, b) => a - b);
  const at = new Map(xs.map((x, i) => [x, i]));
  return [xs, ...lines.map((l) => {
    const ys = new Array(xs.length);
    l.x.forEach((x, i) => { if (!l.void?.[i]) ys[at.get(x)] = l.y[i]; });
    return ys;
  })];
}

// A Plot is a figure drawn in host. Plots over time share their axis with the
// others of their run.
class Plot {
  constructor(host, fig, page, more = {}) {
    Object.assign(this, { host, fig, page, colours: theme(), ...more });
    this.axis = fig.id === "requests" || timed(fig) ? fig.choice : null;
    this.start = this.axis === null ? full(fig, "x") : spanOf(page.data, fig.choice);
    this.view = this.start;
    this.make();
    host.onkeydown = (e) => this.key(e);
    host.onpointermove = () => { this.byKey = false; };
    host.onblur = () => this.point(null);
  }

  make() {
    const { host, fig, colours } = this, width = host.clientWidth || 640;
    this.u?.destroy();
    host.textContent = "";
    const y = document.createElement("div");
    y.className = "ylabel";
    y.textContent = fig.y.label;
    host.append(y);
    this.narrow = width < NARROW || this.named().length * 15 > this.height(width) - 50;
    this.u = new uPlot(this.options(width), this.data(), host);
    this.tip = document.createElement("div");
    this.tip.className = "tip";
    this.tip.hidden = true;
    this.u.over.append(this.tip);
    this.u.over.ondblclick = () => this.zoom(this.start);
    if (this.narrow) host.append(key(this.named(), colours));
  }

  // named are the lines that have a label.
  named() { return this.fig.lines.filter((l) => l.label && l.x.length); }

  data() { return joined(this.fig.lines); }

  height(width) {
    if (this.axis !== null) return 210; // several stand below each other
    return Math.round(Math.min(Math.max(width * 0.5, 230), 330)); }

  options(width) {
    const { fig, colours } = this;
    const axis = (a, size) => ({
      stroke: colours.muted, font: "12px system-ui, sans-serif", size,
      grid: { stroke: colours.grid, width: 1 }, ticks: { stroke: colours.grid, width: 1, size: 5 },
      splits: (u, i, min, max) => ticksIn(fig[a], min, max, a === "x" ? Math.max(Math.floor(width / 80), 3) : 6),
      filter: (u, splits) => splits, values: (u, splits) => splits.map(tick),
    });
    const scale = (a, range) => ({ time: false, distr: fig[a].scale === "linear" ? 1 : 3, log: fig[a].scale === "log2" ? 2 : 10, range });
    const [low, high] = full(fig, "y");
    return {
      width, height: this.height(width), legend: { show: false }, padding: [8, this.margin(width), 0, 0],
      scales: { x: scale("x", () => this.view), y: scale("y", () => [low, high]) },
      axes: [{ ...axis("x", 32), label: fig.x.label, labelFont: "12px system-ui, sans-serif", labelSize: 18 }, axis("y", 52)],
      series: [{}, ...fig.lines.map((l) => ({ paths: () => null, points: { show: false }, stroke: look(colours, l.run).colour }))],
      cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 9 } },
      hooks: {
        drawClear: [(u) => drawBands(u, fig.bands || [], colours)],
        draw: [(u) => this.draw(u)],
        setCursor: [(u) => this.point(u.cursor.idx)],
        setSelect: [(u) => this.selected(u)],
      },
    };
  }

  // margin leaves room for the labels at the lines' ends, of at most two fifths of the width.
  margin(width) {
    if (this.narrow) return 12;
    if (this.axis !== null) return 70; // the same for all that share the axis
    const ctx = document.createElement("canvas").getContext("2d");
    ctx.font = "12px system-ui, sans-serif";
    return Math.min(16 + Math.max(0, ...this.named().map((l) => ctx.measureText(l.label).width)), 0.4 * width);
  }

  draw(u) {
    const before = timed(this.fig);
    u.voidAt = [];
    for (const l of [...this.fig.lines].sort((a, b) => (a.role === "data") - (b.role === "data"))) drawLine(u, l, this.colours, before);
    drawMarks(u, this.fig.marks || [], this.colours);
    const room = new Room(u, this.fig.lines);
    drawLimits(u, this.fig.limits || [], room, this.colours);
    if (!this.narrow) drawLabels(u, room, this.named(), this.colours);
    drawNames(u, room, this.fig.lines, this.colours);
  }

  selected(u) {
    const { left, width } = u.select;
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (width >= 4) this.zoom([u.posToVal(left, "x"), u.posToVal(left + width, "x")]);
  }

  // zoom shows a range of x, here and in the plots on the same axis.
  zoom(range) {
    const peers = this.page.plots.filter((p) => p.axis !== null && p.axis === this.axis);
    for (const p of new Set([this, ...peers])) {
      p.view = range;
      p.u.setScale("x", { min: range[0], max: range[1] });
    }
  }

  key(e) {
    const u = this.u, xs = u.data[0], step = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
    this.byKey = true;
    if (e.key === "Escape") this.zoom(this.start), this.point(null), u.setCursor({ left: -10, top: -10 });
    else if (step || e.key === "Home" || e.key === "End") {
      let at = e.key === "Home" ? 0 : e.key === "End" ? xs.length - 1 : (u.cursor.idx ?? (step > 0 ? -1 : xs.length)) + step;
      at = Math.min(Math.max(at, 0), xs.length - 1);
      u.setCursor({ left: u.valToPos(xs[at], "x"), top: 20 });
      say(this.text(at));
    } else return;
    e.preventDefault();
  }

  point(at) {
    const text = at == null || this.u?.cursor.left < 0 ? "" : this.text(at);
    if (!this.tip) return;
    this.tip.hidden = !text;
    this.tip.textContent = text;
    const left = this.u.cursor.left, room = this.u.over.clientWidth;
    this.tip.style.left = left > room / 2 ? "auto" : left + 12 + "px";
    this.tip.style.right = left > room / 2 ? room - left + 12 + "px" : "auto";
  }

  // text says what lies at one x: of each line its value with interval and count.
  text(at) {
    const x = this.u.data[0][at], out = [], bands = (this.fig.bands || []).filter((b) => b.from <= x && x <= b.to);
    this.fig.lines.forEach((l) => {
      const i = l.role === "step" ? stepAt(l, x) : l.x.indexOf(x);
      if (i < 0) return;
      const who = l.run >= 0 && !l.label.includes(this.page.data.runs[l.run]) ? this.page.data.runs[l.run] + ", " + (l.label || l.role) : l.label || l.role;
      let s = who + (l.names?.[i] ? ", " + l.names[i] : "") + ": " + number(l.y[i]);
      if (l.low?.[i] != null && l.high?.[i] != null) s += " [" + number(l.low[i]) + ", " + number(l.high[i]) + "]";
      if (l.n?.[i]) s += ", n=" + l.n[i];
      if (l.void?.[i]) s += ", void: " + l.void[i];
      out.push(s);
    });
    return [this.fig.x.label + ": " + (this.fig.x.ticks?.includes(x) ? tick(x) : number(x)), ...out, ...bands.map((b) => b.label)].join("\n");
  }
}

function stepAt(l, x) {
  let low = 0, high = l.x.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (l.x[mid] <= x) low = mid + 1;
    else high = mid;
  }
  return low - 1;
}

// key names lines under a plot that is too narrow for labels.
function key(lines, colours) {
  const list = document.createElement("ul");
  list.className = "key";
  for (const l of lines) {
    const item = document.createElement("li"), swatch = document.createElement("canvas"), k = devicePixelRatio;
    swatch.width = 28 * k, swatch.height = 12 * k;
    const ctx = swatch.getContext("2d"), mine = look(colours, l.run), role = ROLES[l.role] || ROLES.data;
    ctx.strokeStyle = ctx.fillStyle = role.muted ? colours.muted : mine.colour;
    ctx.lineWidth = role.width * k;
    ctx.setLineDash((role.dash || mine.dash).map((d) => d * k));
    if (!role.dots) ctx.beginPath(), ctx.moveTo(0, 6 * k), ctx.lineTo(28 * k, 6 * k), ctx.stroke();
    ctx.setLineDash([]);
    if (role.points || role.dots) marker(ctx, role.dots ? "open circle" : mine.shape, 14 * k, 6 * k, role.dots ? 3 * k : 4 * k);
    item.append(swatch, l.label);
    list.append(item);
  }
  return list;
}
