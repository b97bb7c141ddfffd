// The requests of a run over time: a lane for each request in flight, on the
// same time axis as the plots of the GPU.

// spanOf is the stretch of time that all plots of one run show.
function spanOf(data, name) {
  const ends = data.figures.filter((f) => timed(f) && f.choice === name).flatMap((f) => full(f, "x"));
  for (const t of data.timelines || []) {
    if (t.name !== name) continue;
    for (const r of t.rows) ends.push(r.from, r.to, ...r.bars.map((b) => b.e));
  }
  let low = Infinity, high = -Infinity;
  for (const v of ends) low = Math.min(low, v), high = Math.max(high, v);
  return low < high ? [low, high] : [0, 1];
}

const timed = (fig) => (fig.group || "").startsWith("gpu-");

// lanes gives every bar the first lane that is free when it starts, and
// returns all bars by their start with how many lanes there are.
function lanes(rows) {
  const bars = [];
  let most = 1;
  for (const row of rows) {
    const until = [];
    for (const b of row.bars) {
      let lane = until.findIndex((t) => t <= b.s);
      if (lane < 0) lane = until.length;
      until[lane] = b.e;
      bars.push({ ...b, lane, row });
    }
    most = Math.max(most, until.length);
  }
  return { bars: bars.sort((a, b) => a.s - b.s), most };
}

class Timeline extends Plot {
  constructor(host, timeline, page) {
    const { bars, most } = lanes(timeline.rows);
    const bands = timeline.rows.map((r) => ({
      from: r.from, to: r.to, kind: r.void ? "void" : "window",
      label: r.cell + ", repetition " + r.repetition + (r.void ? ": void: " + r.void : ""),
    }));
    const fig = {
      id: "requests", choice: timeline.name, lines: [], bands,
      x: { label: "time (s since the run's epoch)", scale: "linear", min: 0, max: 0 },
      y: { label: "requests in flight, a lane each", scale: "linear", min: 0, max: most },
    };
    super(host, fig, page, { bars, most, run: timeline.run });
  }

  data() { return [this.bars.length ? this.bars.map((b) => b.s) : [0]]; }

  height(width) { return Math.min(Math.max(140 + this.most * 6, 220), width < NARROW ? 260 : 360); }

  draw(u) {
    const { colours } = this, k = devicePixelRatio, thick = (u.bbox.height / this.most) * 0.8;
    const mine = look(colours, this.run).colour;
    clipped(u, (ctx) => {
      for (const b of this.bars) {
        if (b.e < u.scales.x.min || b.s > u.scales.x.max) continue;
        const top = py(u, b.lane + 0.9), first = b.f || b.e;
        const fill = (from, to, colour) => {
          ctx.fillStyle = colour;
          ctx.fillRect(px(u, from), top, Math.max(px(u, to) - px(u, from), 0.5 * k), thick);
        };
        fill(b.s, first, colours.wait);
        if (b.f) fill(b.f, b.e, mine);
        for (const [from, to] of b.g || []) fill(from, to, colours.text);
        if (!b.x) continue;
        ctx.strokeStyle = colours.fault;
        ctx.lineWidth = 2 * k;
        cross(ctx, px(u, b.e), top + thick / 2, 4 * k);
      }
    });
  }

  // text describes the bar under the pointer, or that of the keys.
  text(at) {
    const u = this.u, x = u.posToVal(u.cursor.left, "x"), lane = Math.floor(u.posToVal(u.cursor.top, "y"));
    const under = this.byKey ? null : this.bars.find((b) => b.lane === lane && b.s <= x && x <= b.e);
    const b = this.byKey ? this.bars[at] : under;
    const band = this.fig.bands.find((w) => w.from <= x && x <= w.to);
    if (!b) return band ? band.label : "";
    const out = [b.row.cell + ", repetition " + b.row.repetition, "sent at " + number(b.s) + " s"];
    if (b.f) out.push("first token after " + number((b.f - b.s) * 1e3) + " ms");
    out.push((b.x ? "failed after " : "last token after ") + number((b.e - b.s) * 1e3) + " ms");
    for (const [from, to] of (b.g || []).slice(0, 3)) out.push("no token for " + number((to - from) * 1e3) + " ms");
    if (b.x) out.push(b.x);
    if (b.row.void) out.push("void: " + b.row.void);
    return out.join("\n");
  }
}
