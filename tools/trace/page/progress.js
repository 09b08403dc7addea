// Draws how far each server has committed and applied, under its role, and the
// floor of its log: what a snapshot covers.
//
// Called by lanes.js at each redraw, and by main.js for what is written on top.

// The lowest and highest that the lines of all lanes reach in view: all have
// one scale, and a step of one is to be seen in a short view.
function progressHeights(view, lanes) {
  const byTime = d3.bisector((point) => point.t);
  const values = [];
  for (const { applied, commit, durable, floor } of lanes) {
    for (const list of [applied, commit, durable, floor]) {
      const first = Math.max(0, byTime.right(list, view.t0) - 1);
      const last = byTime.right(list, view.t1);
      for (let i = first; i < last; ++i) {
        // What a restart forgets stands apart, below all others.
        if (list[i].value > 0) values.push(list[i].value);
      }
    }
  }
  const [low, high] = d3.extent(values);
  return { low: low ?? 0, high: high ?? 1 };
}

// A line that rises with what is committed or applied, up to the run's end, and
// an area under it, as dense as `area` says. Returns its value at the right
// edge; null if there is none yet.
function drawSteps(view, server, points, end, color, area) {
  const { context, place, x, t0, t1, heights: { low, high } } = view;
  const byTime = d3.bisector((point) => point.t);
  const last = byTime.right(points, t1);
  const floor = place.laneBottom(server) - 1;
  const y = (value) =>
    floor - Math.max(0, 2 + (value - low) / (high - low || 1) * (STRIP - 5));
  let i = Math.max(0, byTime.right(points, t0) - 1);
  if (i >= last) return null;
  context.strokeStyle = color;
  context.fillStyle = color;
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
  if (area) fillArea(context, first, stop, floor, area);
  return points[last - 1].value;
}

function fillArea(context, first, stop, floor, alpha) {
  context.lineTo(stop, floor);
  context.lineTo(first, floor);
  context.globalAlpha = alpha;
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
    drawSteps(view, server, lane.applied, model.end, look.applied, 0.22);
  const commit = drawSteps(view, server, lane.commit, model.end, look.commit);
  const durable =
    drawSteps(view, server, lane.durable, model.end, look.flush);
  const discarded =
    drawSteps(view, server, lane.floor, model.end, look.snapshot, 0.35);
  return { commit, applied, durable, discarded };
}

// What the lines have reached at the right edge, in words.
function drawReached(view, server, { commit, applied, durable, discarded }) {
  const { context, look, place } = view;
  const words = place.width < 500 ? ['a', 'c', 'd', 's'] :
    ['applied', 'commit', 'durable', 'snapshot'];
  const parts = [[`${words[0]} ${applied}`, applied, look.applied],
    [`${words[1]} ${commit}`, commit, look.commit],
    [`${words[2]} ${durable}`, durable, look.flush],
    [`${words[3]} ${discarded}`, discarded, look.snapshot]]
    .filter(([, value]) => value !== null);
  context.font = SMALL;
  context.textAlign = 'right';
  const middle = place.laneTop(server) + BAR + STRIP / 2 + 1;
  let right = place.right - 4;
  for (const [text, , color] of parts) {
    const width = context.measureText(text).width;
    context.fillStyle = look.panel;
    context.globalAlpha = 0.85;
    context.fillRect(right - width - 4, middle - 7, width + 8, 14);
    context.globalAlpha = 1;
    context.fillStyle = color;
    context.fillText(text, right, middle);
    right -= width + 8;
  }
  context.textAlign = 'left';
}
