// Draws the lanes: roles with their terms, bands of trouble, marks.
//
// Called by main.js at each redraw. `view` is {context, look, place, x, t0,
// t1}: x maps seconds to pixels. Only what is in [t0, t1] is looked at, and
// what is narrower than a pixel is drawn once for that pixel.

function drawBand(view, server, spans, label) {
  const { context, look, place } = view;
  const top = place.laneTop(server) - 7;
  const height = BAR + STRIP + 14;
  eachSpan(view, spans, (span, from, to) => {
    if (to - from < 0.3) return;  // on its way down
    const width = Math.max(1, to - from);
    context.fillStyle = view.hatch;
    context.fillRect(from, top, width, height);
    if (width < 6) return;
    context.strokeStyle = look.cut;
    context.lineWidth = 1;
    context.strokeRect(from + 0.5, top + 0.5, width - 1, height - 1);
    context.font = SMALL;
    const said = fitText(context, label, width - 20);
    if (said !== label) return;
    const wide = context.measureText(said).width + 8;
    context.fillStyle = look.ground;
    context.fillRect(from + 6, top + height - 6, wide, 13);
    context.fillStyle = look.cut;
    context.fillText(said, from + 10, top + height + 1);
  });
}

function roleLabel(span, width) {
  const term = `T${span.term}`;
  return width > 84 ? `${span.role} ${term}` : term;
}

function drawRoles(view, server, spans) {
  const { context, look, place } = view;
  const top = place.laneTop(server);
  context.font = FONT;
  // In one pixel the rarer role wins.
  let pixel = -1, shown = -1;
  eachSpan(view, spans, (span, from, to) => {
    const rank = ROLES.indexOf(span.role);
    if (to - from < 1 && Math.floor(from) === pixel && rank <= shown) return;
    pixel = Math.floor(from);
    shown = rank;
    context.fillStyle = look[span.role] || look.other;
    context.fillRect(from, top, Math.max(1, to - from - 0.5), BAR);
  });
}

// Apart from the roles, for the bands of what is cut off lie between.
function drawRoleLabels(view, server, spans) {
  const { context, look, place } = view;
  context.font = FONT;
  eachSpan(view, spans, (span, from, to) => {
    if (to - from < 18) return;
    const said = roleLabel(span, to - from);
    if (context.measureText(said).width > to - from - 6) return;
    context.fillStyle = look[`on-${span.role}`] || look.text;
    context.fillText(said, from + 4, place.laneTop(server) + BAR / 2 + 1);
  });
}

function drawDown(view, server, spans) {
  const { context, look, place } = view;
  const top = place.laneTop(server);
  context.font = FONT;
  eachSpan(view, spans, (span, from, to) => {
    context.strokeStyle = look.down;
    context.lineWidth = 1;
    context.setLineDash([3, 3]);
    context.strokeRect(from + 0.5, top + 0.5, Math.max(1, to - from - 1),
      BAR - 1);
    context.setLineDash([]);
    context.fillStyle = look.down;
    context.fillText(fitText(context, 'down', to - from - 8), from + 4,
      top + BAR / 2 + 1);
  });
}

// Each as long as it took.
function drawFlushes(view, server, spans) {
  const { context, look, place } = view;
  context.fillStyle = look.flush;
  eachSpan(view, spans, (span, from, to) => {
    if (to - from < 2) return;
    context.fillRect(from, place.laneTop(server) + BAR, to - from - 1, 2);
  });
}

// Saves, starts, snapshots and what this page does not know; where there is room.
function drawMarks(view, server, marks) {
  const { context, look, place, x, t0, t1 } = view;
  const byTime = d3.bisector((mark) => mark.t);
  const first = byTime.left(marks, t0), last = byTime.right(marks, t1);
  const top = place.laneTop(server);
  if ((last - first) * 3 > place.width) return;
  const drawn = {};  // of each kind: where the last is
  for (let i = first; i < last; ++i) {
    const at = x(marks[i].t), { kind } = marks[i];
    if (at - drawn[kind] < (kind === 'save' ? 3 : 9)) continue;
    drawn[kind] = at;
    drawMark(context, look, kind, at, top);
  }
}

// A square, hollow for a snapshot that was delivered.
function drawSnapshot(context, look, kind, at, top) {
  if (kind === 'snapshot') {
    context.fillStyle = look.snapshot;
    context.fillRect(at - 3.5, top - 8, 7, 7);
    return;
  }
  context.strokeStyle = look.snapshot;
  context.lineWidth = 1.5;
  context.strokeRect(at - 3, top - 7.5, 6, 6);
}

function drawMark(context, look, kind, at, top) {
  if (isSnapshot(kind)) {
    drawSnapshot(context, look, kind, at, top);
    return;
  }
  context.fillStyle = kind === 'save' ? look.faint :
    kind === 'start' ? look.accent : look.other;
  if (kind === 'save') {
    context.fillRect(at - 1, top + BAR - 5, 2, 5);
    return;
  }
  context.beginPath();
  if (kind === 'start' || kind === 'refusal') {
    context.moveTo(at - 4, top - 6);
    context.lineTo(at + 4, top - 6);
    context.lineTo(at, top);
  } else {
    context.moveTo(at, top - 8);
    context.lineTo(at + 4, top - 4);
    context.lineTo(at, top);
    context.lineTo(at - 4, top - 4);
  }
  if (kind !== 'refusal') {
    context.fill();
    return;
  }
  context.closePath();
  context.lineWidth = 1;
  context.strokeStyle = look.down;
  context.stroke();
}

function drawNames(view, servers) {
  const { context, look, place } = view;
  context.fillStyle = look.ground;
  context.fillRect(0, AXIS, place.left - 1, place.height - AXIS);
  context.font = BOLD;
  context.fillStyle = look.text;
  for (let server = 0; server < servers; ++server) {
    context.fillText(serverName(server), 8,
      place.laneTop(server) + BAR / 2 + 1);
  }
}

// Stripes for what is cut off.
function makeHatch(context, color, density = 0.35) {
  const tile = document.createElement('canvas');
  tile.width = tile.height = 8;
  const stripe = tile.getContext('2d');
  stripe.globalAlpha = density;
  stripe.strokeStyle = color;
  stripe.lineWidth = 1.5;
  stripe.beginPath();
  for (const shift of [-8, 0, 8]) {
    stripe.moveTo(shift, 8);
    stripe.lineTo(shift + 8, 0);
  }
  stripe.stroke();
  return context.createPattern(tile, 'repeat');
}

function drawLanes(view, model) {
  view.heights = progressHeights(view, model.lanes);
  model.lanes.forEach((lane, server) => {
    view.reached[server] = drawProgress(view, server, lane, model);
    drawRoles(view, server, lane.roles);
    drawBand(view, server, lane.cuts, 'cut off');
    drawRoleLabels(view, server, lane.roles);
    drawDown(view, server, lane.downs);
    drawFlushes(view, server, lane.flushes);
    drawMarks(view, server, lane.marks);
  });
}
