// Draws the lanes and what is above them: axis, steps, roles, bands, progress.
//
// Called by main.js at each redraw. `view` is {context, look, place, x, t0, t1}:
// x maps seconds to pixels. Only what is in [t0, t1] is looked at, and what is
// narrower than a pixel is drawn once for that pixel.

// Calls visit(span, from, to) for each span in view, in pixels.
function eachSpan(view, spans, visit) {
  const { x, t0, t1, place } = view;
  const byStart = d3.bisector((span) => span.t0);
  const last = byStart.right(spans, t1);
  for (let i = Math.max(0, byStart.left(spans, t0) - 1); i < last; ++i) {
    const span = spans[i];
    if (span.t1 < t0) continue;
    visit(span, Math.max(place.left, x(span.t0)),
      Math.min(place.right, x(span.t1)));
  }
}

function drawAxis(view) {
  const { context, look, place, x } = view;
  const count = Math.max(2, Math.floor((place.right - place.left) / 110));
  const format = x.tickFormat(count);
  context.font = SMALL;
  context.textBaseline = 'middle';
  context.textAlign = 'center';
  const flag = faultFlag(view);
  for (const t of x.ticks(count)) {
    const at = Math.round(x(t)) + 0.5;
    context.fillStyle = look.line;
    context.fillRect(at - 0.5, AXIS - 4, 1, place.height - AXIS + 4);
    context.fillStyle = look.faint;
    const text = `${format(t)} s`;
    const half = context.measureText(text).width / 2;
    const middle = Math.max(half + 2, Math.min(place.width - half - 2, at));
    if (flag && middle + half + 4 > flag.left &&
        middle - half - 4 < flag.left + flag.width) continue;
    context.fillText(text, middle, AXIS / 2);
  }
}

function drawRows(view, rows) {
  const { context, look, place } = view;
  context.font = FONT;
  context.textAlign = 'left';
  rows.forEach((row, number) => {
    const top = place.rowTop(number);
    let drawn = -Infinity;  // up to which pixel
    eachSpan(view, row.spans, (span, from, to) => {
      if (to < drawn + 1) return;
      drawn = Math.max(to, from + 1);
      context.fillStyle = look[row.kind];
      context.fillRect(from, top, Math.max(1, to - from - 1), ROW - 3);
      context.fillStyle = look.text;
      context.fillText(fitText(context, span.label, to - from - 8), from + 4,
        top + (ROW - 3) / 2 + 0.5);
    });
  });
}

function drawBand(view, server, spans, label) {
  const { context, look, place } = view;
  const top = place.laneTop(server) - 7;
  const height = BAR + STRIP + 14;
  eachSpan(view, spans, (span, from, to) => {
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

// The lowest and highest that the lines of all lanes reach in view: all have
// one scale, and a step of one is to be seen in a short view.
function progressHeights(view, lanes) {
  const byTime = d3.bisector((point) => point.t);
  const values = [];
  for (const { applied, commit } of lanes) {
    for (const list of [applied, commit]) {
      const first = Math.max(0, byTime.right(list, view.t0) - 1);
      const last = byTime.right(list, view.t1);
      for (let i = first; i < last; ++i) values.push(list[i].value);
    }
  }
  const [low, high] = d3.extent(values);
  return { low: low ?? 0, high: high ?? 1 };
}

// A line that rises with what is committed or applied, up to the run's end.
// Returns its value at the right edge; null if there is none yet.
function drawSteps(view, server, points, end, colour, isArea) {
  const { context, place, x, t0, t1, heights: { low, high } } = view;
  const byTime = d3.bisector((point) => point.t);
  const last = byTime.right(points, t1);
  const floor = place.laneBottom(server) - 1;
  const y = (value) =>
    floor - 2 - (value - low) / (high - low || 1) * (STRIP - 5);
  let i = Math.max(0, byTime.right(points, t0) - 1);
  if (i >= last) return null;
  context.strokeStyle = colour;
  context.fillStyle = colour;
  context.lineWidth = 1.5;
  context.beginPath();
  const first = Math.max(place.left, x(points[i].t));
  let from = first;
  context.moveTo(from, y(points[i].value));
  for (++i; i < last; ++i) {
    const at = x(points[i].t);
    // Within a pixel, what it ends with.
    if (Math.floor(at) === Math.floor(from) && i < last - 1) continue;
    context.lineTo(from, y(points[i - 1].value));
    context.lineTo(at, y(points[i - 1].value));
    context.lineTo(at, y(points[i].value));
    from = at;
  }
  const stop = Math.min(place.right, x(end));
  context.lineTo(stop, y(points[last - 1].value));
  context.stroke();
  if (isArea) fillArea(context, first, stop, floor);
  return points[last - 1].value;
}

function fillArea(context, first, stop, floor) {
  context.lineTo(stop, floor);
  context.lineTo(first, floor);
  context.globalAlpha = 0.22;
  context.fill();
  context.globalAlpha = 1;
}

function drawProgress(view, server, lane, model) {
  const { context, look, place, x } = view;
  context.fillStyle = look.panel;
  const from = Math.max(place.left, x(0));
  context.fillRect(from, place.laneTop(server),
    Math.min(place.right, x(model.end)) - from, BAR + STRIP);
  const applied =
    drawSteps(view, server, lane.applied, model.end, look.applied, true);
  const commit = drawSteps(view, server, lane.commit, model.end, look.commit);
  return { commit, applied };
}

// What the lines have reached at the right edge, in words.
function drawReached(view, server, { commit, applied }) {
  const { context, look, place } = view;
  const words = place.width < 500 ? ['a', 'c'] : ['applied', 'commit'];
  const parts = [[`${words[0]} ${applied}`, applied, look.applied],
    [`${words[1]} ${commit}`, commit, look.commit]]
    .filter(([, value]) => value !== null);
  context.font = SMALL;
  context.textAlign = 'right';
  const middle = place.laneTop(server) + BAR + STRIP / 2 + 1;
  let right = place.right - 4;
  for (const [text, , colour] of parts) {
    const width = context.measureText(text).width;
    context.fillStyle = look.panel;
    context.globalAlpha = 0.85;
    context.fillRect(right - width - 4, middle - 7, width + 8, 14);
    context.globalAlpha = 1;
    context.fillStyle = colour;
    context.fillText(text, right, middle);
    right -= width + 8;
  }
  context.textAlign = 'left';
}

// Saves, starts and what this page does not know; where there is room.
function drawMarks(view, server, marks) {
  const { context, look, place, x, t0, t1 } = view;
  const byTime = d3.bisector((mark) => mark.t);
  const first = byTime.left(marks, t0), last = byTime.right(marks, t1);
  const top = place.laneTop(server);
  if ((last - first) * 4 > place.width) return;
  const drawn = {};  // of each kind: where the last is
  for (let i = first; i < last; ++i) {
    const at = x(marks[i].t), { kind } = marks[i];
    if (at - drawn[kind] < (kind === 'save' ? 3 : 9)) continue;
    drawn[kind] = at;
    drawMark(context, look, kind, at, top);
  }
}

function drawMark(context, look, kind, at, top) {
  context.fillStyle = kind === 'save' ? look.faint :
    kind === 'start' ? look.accent : look.other;
  if (kind === 'save') {
    context.fillRect(at - 1, top + BAR - 5, 2, 5);
    return;
  }
  context.beginPath();
  if (kind === 'start') {
    context.moveTo(at - 4, top - 6);
    context.lineTo(at + 4, top - 6);
    context.lineTo(at, top);
  } else {
    context.moveTo(at, top - 8);
    context.lineTo(at + 4, top - 4);
    context.lineTo(at, top);
    context.lineTo(at - 4, top - 4);
  }
  context.fill();
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
function makeHatch(context, colour) {
  const tile = document.createElement('canvas');
  tile.width = tile.height = 8;
  const stripe = tile.getContext('2d');
  stripe.globalAlpha = 0.35;
  stripe.strokeStyle = colour;
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
    drawMarks(view, server, lane.marks);
  });
}
