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
      // Throttling is a strip: under it the windows that it spoils stay in sight.
      if (b.kind !== "void") ctx.fillRect(from, bbox.top, width, b.kind === "throttled" ? 9 * pxRatio : bbox.height);
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

// drawLimits draws what the figure is held to, and names it over its line.
function drawLimits(u, limits, room, colours) {
  const { bbox } = u, k = devicePixelRatio;
  for (const l of limits) {
    const y = py(u, l.y), dashes = [10, 3];
    clipped(u, (ctx) => {
      ctx.strokeStyle = colours.text;
      ctx.lineWidth = 1.2 * k;
      ctx.setLineDash(dashes.map((d) => d * k));
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    });
    room.put(l.label, bbox.left, y - 9 * k, true, colours.text, colours.page) || room.put(l.label, bbox.left, y + 9 * k, true, colours.text, colours.page);
  }
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
  probe: { width: 1.2, dots: true },
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
    if (!role.dots) ctx.stroke();
    ctx.setLineDash([]);
    line.x.forEach((x, i) => {
      if (line.void?.[i]) voidPoint(u, ctx, px(u, x), colours);
      else if (role.dots) marker(ctx, "open circle", px(u, x), py(u, line.y[i]), 3 * k);
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

// voidPoint marks a level that proves nothing at the foot of the plot: it has
// no place on y. Of neighbours one is labelled.
function voidPoint(u, ctx, x, colours) {
  const k = devicePixelRatio, foot = u.bbox.top + u.bbox.height;
  ctx.save();
  ctx.strokeStyle = colours.muted;
  ctx.lineWidth = 1.5 * k;
  cross(ctx, x, foot - 8 * k, 4 * k);
  ctx.restore();
  if (u.voidAt.some((at) => Math.abs(at - x) < 28 * k)) return;
  u.voidAt.push(x);
  write(ctx, "void", x, foot - 20 * k, colours.muted, colours.page, "center");
}

// A Room is the plot's area with what is taken in it: texts stand on no point and on no other text.
class Room {
  constructor(u, lines) {
    const { left, top, width, height } = u.bbox, r = 6 * devicePixelRatio;
    Object.assign(this, { u, left, top: top - r, right: left + width, bottom: top + height, taken: [] });
    for (const l of lines) {
      if (l.role === "data" || l.role === "probe") l.x.forEach((x, i) => l.void?.[i] || this.taken.push({ x: px(u, x) - r, y: py(u, l.y[i]) - r, w: 2 * r, h: 2 * r }));
    }
  }

  free(a) {
    return a.x >= this.left && a.x + a.w <= this.right && a.y >= this.top && a.y + a.h <= this.bottom &&
      !this.taken.some((b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h);
  }

  // put writes text beside a point, the sides of a steep line first, and says whether there was room.
  put(text, x, y, steep, colour, ground) {
    const { ctx } = this.u, k = devicePixelRatio;
    ctx.font = labelFont(k);
    const w = ctx.measureText(text).width, h = 14 * k, gap = 7 * k;
    const beside = [[x + gap, y - h / 2], [x - gap - w, y - h / 2]], over = [[x - w / 2, y - gap - h], [x - w / 2, y + gap]];
    const corners = [[x + gap, y + gap], [x - gap - w, y - gap - h], [x + gap, y - gap - h], [x - gap - w, y + gap]];
    const places = steep ? [...beside, ...corners] : [...over, ...beside, ...corners];
    const at = places.map(([left, top]) => ({ x: left, y: top, w, h })).find((a) => this.free(a));
    if (!at) return false;
    this.taken.push(at);
    write(ctx, text, at.x, at.y + h / 2, colour, ground, "left");
    return true;
  }
}

// drawNames writes the levels beside their points, where there is room.
function drawNames(u, room, lines, colours) {
  for (const l of lines) {
    l.names?.forEach((name, i) => {
      if (name && !l.void?.[i]) room.put(name, px(u, l.x[i]), py(u, l.y[i]), l.role === "step", look(colours, l.run).colour, colours.page);
    });
  }
}

// drawLabels writes each line's label beside its end: where that is far from
// the area's edge, within it, else outside, moved apart where labels would meet.
function drawLabels(u, room, lines, colours) {
  const { ctx, bbox } = u, k = devicePixelRatio, apart = 15 * k, edge = bbox.left + bbox.width, bottom = bbox.top + bbox.height;
  const labels = lines.filter((l) => l.label && l.x.length).map((l) => {
    const end = endOf(u, l), muted = (ROLES[l.role] || {}).muted;
    return { text: l.label, inside: l.role === "data", x: px(u, l.x[end]), y: py(u, l.y[end]), colour: muted ? colours.muted : look(colours, l.run).colour };
  });
  const outside = labels.filter((l) => !l.inside || l.x > edge - 60 * k || !room.put(l.text, l.x, l.y, true, l.colour, colours.page)).sort((a, b) => a.y - b.y);
  outside.forEach((l, i) => (l.y = Math.max(Math.min(l.y, bottom), i ? outside[i - 1].y + apart : bbox.top)));
  for (let i = outside.length - 1, most = bottom; i >= 0; i--, most -= apart) outside[i].y = Math.min(outside[i].y, most);
  for (const l of outside) write(ctx, l.text, edge + 8 * k, l.y, l.colour, colours.page, "left");
}

// endOf is the index of the line's last valid point in sight.
function endOf(u, line) {
  for (let i = line.x.length - 1; i > 0; i--) {
    if (!line.void?.[i] && line.x[i] <= u.scales.x.max) return i;
  }
  return 0;
}
