// What uPlot does not draw: points with their intervals, bands, marks, labels
// at the ends of lines. Each function draws on uPlot's canvas in its pixels.

// clipped runs f with drawing confined to the plot's area.
function clipped(u, f) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  f(ctx);
  ctx.restore();
}

const px = (u, x) => u.valToPos(x, "x", true);
const py = (u, y) => u.valToPos(y, "y", true);

// hatch fills a rectangle with slanting lines, in place of a colour that says fault.
function hatch(ctx, x, y, w, h, colour, gap) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, w, h);
  ctx.clip();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (let at = x - h; at < x + w; at += gap) {
    ctx.moveTo(at, y + h);
    ctx.lineTo(at + h, y);
  }
  ctx.stroke();
  ctx.restore();
}

function drawBands(u, bands, colours) {
  const { bbox } = u, pxRatio = devicePixelRatio;
  clipped(u, (ctx) => {
    let odd = false;
    for (const b of bands) {
      const from = px(u, b.from), width = Math.max(px(u, b.to) - from, pxRatio);
      if (b.kind === "window") {
        odd = !odd;
        ctx.globalAlpha = odd ? 1 : 0.45;
      }
      ctx.fillStyle = colours[b.kind] || colours.window;
      if (b.kind !== "void") ctx.fillRect(from, bbox.top, width, bbox.height);
      else hatch(ctx, from, bbox.top, width, bbox.height, colours.muted, 7 * pxRatio);
      ctx.globalAlpha = 1;
    }
  });
}

function drawMarks(u, marks, colours) {
  const { ctx, bbox } = u, k = devicePixelRatio;
  marks.forEach((m, i) => {
    const { colour, dash } = look(colours, m.run), x = px(u, m.x);
    clipped(u, () => {
      ctx.strokeStyle = ctx.fillStyle = colour;
      if (m.low != null && m.high != null) {
        ctx.globalAlpha = 0.16;
        ctx.fillRect(px(u, m.low), bbox.top, Math.max(px(u, m.high) - px(u, m.low), k), bbox.height);
        ctx.globalAlpha = 1;
      }
      ctx.lineWidth = 1.5 * k;
      ctx.setLineDash(dash.map((d) => d * k));
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    });
    if (x < bbox.left || x > bbox.left + bbox.width) return;
    ctx.font = labelFont(k);
    const width = ctx.measureText(m.label).width, y = bbox.top + (10 + 15 * (i % 8)) * k, end = bbox.left + bbox.width;
    const beside = x + width + 6 * k <= end ? x + 5 * k : x - width - 5 * k;
    write(ctx, m.label, Math.max(Math.min(beside, end - width), bbox.left + 3 * k), y, colour, colours.page, "left");
  });
}

const labelFont = (k) => 12 * k + "px system-ui, sans-serif";

// write draws text on a ground of the page's colour, so that no line crosses it.
function write(ctx, text, x, y, colour, ground, align) {
  const k = devicePixelRatio;
  ctx.save();
  ctx.font = labelFont(k);
  ctx.textAlign = align;
  ctx.textBaseline = "middle";
  ctx.lineWidth = 4 * k;
  ctx.lineJoin = "round";
  ctx.strokeStyle = ground;
  ctx.strokeText(text, x, y);
  ctx.fillStyle = colour;
  ctx.fillText(text, x, y);
  ctx.restore();
}

// roles are how wide and how dashed a line is, and whether its levels show as points.
const ROLES = {
  data: { width: 2, points: true },
  step: { width: 1.6 },
  server: { width: 1, dash: [2, 2] },
  fit: { width: 1.2, dash: [10, 4] },
  ideal: { width: 1.2, dash: [4, 4], muted: true },
  floor: { width: 1.2, dash: [1, 3], muted: true },
};

function drawLine(u, line, colours, before) {
  const k = devicePixelRatio, role = ROLES[line.role] || ROLES.data, mine = look(colours, line.run);
  const colour = role.muted ? colours.muted : mine.colour;
  clipped(u, (ctx) => {
    ctx.strokeStyle = ctx.fillStyle = colour;
    ctx.lineWidth = role.width * k;
    ctx.setLineDash((role.dash || mine.dash).map((d) => d * k));
    ctx.beginPath();
    let last = null;
    line.x.forEach((x, i) => {
      if (line.void?.[i]) return;
      const at = [px(u, x), py(u, line.y[i])];
      if (last === null) ctx.moveTo(...at);
      else if (line.role === "step") ctx.lineTo(before ? last[0] : at[0], before ? at[1] : last[1]);
      if (last !== null) ctx.lineTo(...at);
      last = at;
    });
    ctx.stroke();
    ctx.setLineDash([]);
    line.x.forEach((x, i) => {
      if (line.void?.[i]) voidPoint(u, ctx, px(u, x), py(u, line.y[i]), colours);
      else if (role.points) point(u, ctx, line, i, mine.shape);
    });
  });
}

function point(u, ctx, line, i, shape) {
  const k = devicePixelRatio, x = px(u, line.x[i]), y = py(u, line.y[i]);
  const low = line.low?.[i], high = line.high?.[i];
  if (low != null && high != null) {
    const from = py(u, low), to = py(u, high), cap = 4 * k;
    ctx.lineWidth = 1.5 * k;
    ctx.beginPath();
    ctx.moveTo(x, from);
    ctx.lineTo(x, to);
    for (const end of [from, to]) {
      ctx.moveTo(x - cap, end);
      ctx.lineTo(x + cap, end);
    }
    ctx.stroke();
  }
  ctx.lineWidth = 2 * k;
  marker(ctx, shape, x, y, 4 * k);
}

// marker draws a shape of format.js's; open ones let what is below them be seen.
function marker(ctx, shape, x, y, r) {
  if (shape === "cross") return cross(ctx, x, y, r);
  ctx.beginPath();
  if (shape === "plus") ctx.moveTo(x - r, y), ctx.lineTo(x + r, y), ctx.moveTo(x, y - r), ctx.lineTo(x, y + r);
  else if (shape.endsWith("circle")) ctx.arc(x, y, r, 0, 2 * Math.PI);
  else if (shape.endsWith("square")) ctx.rect(x - r, y - r, 2 * r, 2 * r);
  else ctx.moveTo(x, y - r * 1.3), ctx.lineTo(x + r * 1.2, y + r), ctx.lineTo(x - r * 1.2, y + r), ctx.closePath();
  if (shape === "plus" || shape.startsWith("open")) ctx.stroke();
  else ctx.fill();
}

function cross(ctx, x, y, r) {
  ctx.beginPath();
  ctx.moveTo(x - r, y - r), ctx.lineTo(x + r, y + r), ctx.moveTo(x - r, y + r), ctx.lineTo(x + r, y - r);
  ctx.stroke();
}

// voidPoint stays in sight at the area's edge if it lies beyond: it has no part in the range.
function voidPoint(u, ctx, x, y, colours) {
  const k = devicePixelRatio, { bbox } = u, edge = 6 * k;
  ctx.strokeStyle = colours.muted;
  ctx.lineWidth = 1.5 * k;
  cross(ctx, x, Math.min(Math.max(Number.isFinite(y) ? y : 0, bbox.top + edge), bbox.top + bbox.height - edge), 4 * k);
}

// drawNames writes the levels beside their points, where there is room.
function drawNames(u, lines, colours) {
  const { ctx, bbox } = u, k = devicePixelRatio, taken = [];
  ctx.font = labelFont(k);
  const free = (r) => r.x >= bbox.left && r.x + r.w <= bbox.left + bbox.width && r.y >= bbox.top && r.y + r.h <= bbox.top + bbox.height &&
    !taken.some((o) => r.x < o.x + o.w && o.x < r.x + r.w && r.y < o.y + o.h && o.y < r.y + r.h);
  for (const l of lines) {
    l.names?.forEach((name, i) => {
      if (!name) return;
      const x = px(u, l.x[i]), y = py(u, l.y[i]), w = ctx.measureText(name).width, h = 14 * k, gap = 7 * k;
      const places = [[x - w / 2, y - gap - h], [x + gap, y - h / 2], [x - w / 2, y + gap], [x - gap - w, y - h / 2], [x + gap, y + gap / 2], [x - gap - w, y - gap / 2 - h]];
      const at = places.map(([left, top]) => ({ x: left, y: top, w, h })).find(free);
      if (!at) return;
      taken.push(at);
      write(ctx, name, at.x, at.y + h / 2, look(colours, l.run).colour, colours.page, "left");
    });
  }
}

// drawLabels writes each line's label beside its end, moved apart where they would meet.
function drawLabels(u, lines, colours) {
  const { ctx, bbox } = u, k = devicePixelRatio, apart = 15 * k;
  const labels = lines.filter((l) => l.label && l.x.length).map((l) => {
    const end = endOf(u, l), muted = (ROLES[l.role] || {}).muted;
    return { text: l.label, y: Math.min(Math.max(py(u, l.y[end]), bbox.top), bbox.top + bbox.height), colour: muted ? colours.muted : look(colours, l.run).colour };
  }).sort((a, b) => a.y - b.y);
  labels.forEach((l, i) => (l.y = Math.max(l.y, i ? labels[i - 1].y + apart : bbox.top)));
  const over = labels.length ? labels[labels.length - 1].y - (bbox.top + bbox.height) : 0;
  for (let i = labels.length - 1, most = bbox.top + bbox.height; over > 0 && i >= 0; i--, most -= apart) labels[i].y = Math.min(labels[i].y, most);
  for (const l of labels) write(ctx, l.text, bbox.left + bbox.width + 8 * k, l.y, l.colour, colours.page, "left");
}

// endOf is the index of the line's last valid point in sight.
function endOf(u, line) {
  for (let i = line.x.length - 1; i > 0; i--) {
    if (!line.void?.[i] && line.x[i] <= u.scales.x.max) return i;
  }
  return 0;
}
