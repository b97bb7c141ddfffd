// Numbers and colours, as the tables and the style sheet have them.

const THIN = "\u202f";

// number prints three significant digits with thin grouping, as the tables do.
function number(v) {
  if (!Number.isFinite(v) || v === 0) return String(v);
  const rounded = Number(v.toPrecision(3));
  const decimals = 2 - Math.floor(Math.log10(Math.abs(rounded)));
  if (decimals > 6) return rounded.toExponential(2);
  return grouped(rounded.toFixed(Math.max(decimals, 0)));
}

// tick prints a number of an axis without the zeros that number adds.
function tick(v) {
  return grouped(String(Number(v.toPrecision(6))));
}

function grouped(text) {
  const [whole, fraction] = text.split(".");
  const digits = whole.replace(/\B(?=(\d{3})+(?!\d))/g, THIN);
  return fraction ? digits + "." + fraction : digits;
}

// theme reads the colours of the moment from the style sheet.
function theme() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  return {
    text: of("--text"), muted: of("--muted"), grid: of("--grid"), page: of("--page"), fault: of("--fault"),
    wait: of("--wait"), window: of("--window"), idle: of("--idle"), throttled: of("--throttled"),
    runs: [0, 1, 2, 3, 4, 5].map((i) => of("--run-" + i)),
  };
}

// A run has one colour, one dash and one shape everywhere.
const DASHES = [[], [9, 4], [2.5, 3.5], [12, 3, 2.5, 3], [5, 2.5]];
const SHAPES = ["circle", "open square", "open triangle", "cross", "plus", "open circle", "square"];

function look(colours, run) {
  if (run < 0) return { colour: colours.muted, dash: [], shape: "circle" };
  const of = (all) => all[run % all.length];
  return { colour: of(colours.runs), dash: of(DASHES), shape: of(SHAPES) };
}

// ticksIn chooses what an axis marks: of the set values those in sight, or
// round ones where there are none or a reader zoomed in between them.
function ticksIn(axis, min, max, most) {
  const set = (axis.ticks || []).filter((t) => t >= min && t <= max);
  if (set.length >= 2 || (axis.ticks && set.length === axis.ticks.length && set.length > 0)) return spread(set, most);
  if (axis.scale === "linear" || max / min < 5) return linearTicks(min, max, most);
  const out = [];
  for (let e = Math.floor(Math.log10(min)); e <= Math.ceil(Math.log10(max)); e++) {
    for (const m of [1, 2, 5]) out.push(m * 10 ** e);
  }
  const seen = out.map((t) => Number(t.toPrecision(6))).filter((t) => t >= min && t <= max);
  return seen.length <= most ? seen : seen.filter((t) => Number.isInteger(Math.round(Math.log10(t) * 1e6) / 1e6));
}

function spread(ticks, most) {
  const step = Math.ceil(ticks.length / most);
  return ticks.filter((_, i) => (ticks.length - 1 - i) % step === 0);
}

function linearTicks(min, max, most) {
  const raw = (max - min) / Math.max(most, 2);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const out = [];
  for (let i = Math.ceil(min / step - 1e-9); i * step <= max * (1 + 1e-9) + 1e-12; i++) out.push(Number((i * step).toPrecision(10)));
  return out;
}
