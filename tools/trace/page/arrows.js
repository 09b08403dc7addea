// Draws the messages as arrows, if there are not too many of them to see.
//
// Called by main.js at each redraw. Arrows of one look are one path. Delivered:
// a line with a head (hollow: the answer was no); late: dashed to where it
// really arrived; dropped: a cross short of the receiver. The lanes are drawn
// over them, so that what they say stays legible.

const ARROWS_A_PIXEL = 0.6;  // more are drawn as bars
const SHORT_OF = 12;         // pixels from the lane that it never reaches

// The two ends of message i in pixels: from the sender's lane, at the side
// that faces the receiver, to the receiver's.
function arrowEnds(view, messages, i) {
  const { x, place } = view;
  const from = messages.from[i], to = messages.to[i];
  const down = to > from;
  const y0 = down ? place.laneBottom(from) : place.laneTop(from);
  const y1 = down ? place.laneTop(to) : place.laneBottom(to);
  const x0 = x(messages.start[i]);
  let x1 = x(messages.end[i]), y = y1;
  if (messages.fate[i] === DROPPED_FATE) y += down ? -SHORT_OF : SHORT_OF;
  if (messages.held[i]) {
    x1 = x0 + 20;
    y = y0 + (y1 - y0) * 0.3;
  }
  return { x0, y0, x1, y1: y };
}

// Only the part near the view is given to the canvas: at deep zoom the ends
// are millions of pixels away.
function clipped({ x0, y0, x1, y1 }, left, right) {
  const y = (x) => y0 + (y1 - y0) * (x - x0) / (x1 - x0);
  const a = Math.max(x0, left), b = Math.min(x1, right);
  return { x0: a, y0: a === x0 ? y0 : y(a), x1: b, y1: b === x1 ? y1 : y(b) };
}

function strokeLines(context, lines) {
  context.beginPath();
  for (const { x0, y0, x1, y1 } of lines) {
    context.moveTo(x0, y0);
    context.lineTo(x1, y1);
  }
  context.stroke();
}

function addHead(context, { x0, y0, x1, y1 }) {
  const angle = Math.atan2(y1 - y0, x1 - x0);
  const wing = (turn) => [x1 - 7 * Math.cos(angle + turn),
    y1 - 7 * Math.sin(angle + turn)];
  context.moveTo(...wing(0.4));
  context.lineTo(x1, y1);
  context.lineTo(...wing(-0.4));
  context.closePath();
}

function addCross(context, { x1, y1 }) {
  context.moveTo(x1 - 3.5, y1 - 3.5);
  context.lineTo(x1 + 3.5, y1 + 3.5);
  context.moveTo(x1 - 3.5, y1 + 3.5);
  context.lineTo(x1 + 3.5, y1 - 3.5);
}

function drawHeads(view, group, color) {
  const { context, look } = view;
  const filled = group.filter((line) => !line.no);
  const hollow = group.filter((line) => line.no);
  context.setLineDash([]);
  context.beginPath();
  filled.forEach((line) => addHead(context, line));
  context.fillStyle = color;
  context.fill();
  context.beginPath();
  hollow.forEach((line) => addHead(context, line));
  context.fillStyle = look.ground;
  context.fill();
  context.lineWidth = 1;
  context.stroke();
}

// All arrows of one kind and fate.
function drawGroup(view, group, kind, fate) {
  const { context, look } = view;
  const color = look[KINDS[kind]];
  context.strokeStyle = color;
  context.lineWidth = kind === BEAT ? 1 : 1.3;
  for (const reply of [false, true]) {
    context.setLineDash(fate === LATE ? [6, 4] : reply ? [1.5, 2.5] : []);
    strokeLines(context, group.filter((line) => line.reply === reply));
  }
  context.setLineDash([]);
  if (fate !== DROPPED_FATE) {
    drawHeads(view, group.filter((line) => !line.cut), color);
    return;
  }
  context.strokeStyle = look.alarm;
  context.lineWidth = 1.6;
  context.beginPath();
  group.forEach((line) => addCross(context, line));
  context.stroke();
}

function toLine(view, messages, i) {
  const { place } = view;
  const ends = arrowEnds(view, messages, i);
  const line = clipped(ends, place.left - 200, place.right + 200);
  line.cut = line.x1 !== ends.x1 || Boolean(messages.held[i]);
  line.no = Boolean(messages.no[i]);
  line.reply = Boolean(messages.reply[i]);
  return line;
}

function drawArrows(view, messages, list) {
  const groups = new Map();
  for (const i of list) {
    const key = messages.kind[i] * 4 + messages.fate[i];
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(toLine(view, messages, i));
  }
  // Heartbeats first, so that what is rarer lies on top.
  const keys = [...groups.keys()].sort(
    (a, b) => (b >> 2 === BEAT) - (a >> 2 === BEAT) || a % 4 - b % 4);
  for (const key of keys) {
    drawGroup(view, groups.get(key), key >> 2, key % 4);
  }
}
