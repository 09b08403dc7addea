// Which event is under a point of the lanes.
//
// Called by main.js at a click. Small things win over what they lie
// on: a mark over an arrow, an arrow over a role.

const NEAR = 7;  // pixels, for a finger

function distanceToLine({ x0, y0, x1, y1 }, px, py) {
  const length = (x1 - x0) ** 2 + (y1 - y0) ** 2;
  const along = ((px - x0) * (x1 - x0) + (py - y0) * (y1 - y0)) /
    (length || 1);
  const share = Math.max(0, Math.min(1, along));
  return Math.hypot(px - x0 - share * (x1 - x0), py - y0 - share * (y1 - y0));
}

// The nearest of some events of this lane in time, if it is near enough.
function nearestPoint(view, list, px) {
  if (list.length === 0) return null;
  const at = d3.bisector((point) => point.t).left(list, view.x.invert(px));
  const near = [list[at - 1], list[at]].filter(Boolean);
  const best = near[d3.scan(near, (a, b) =>
    Math.abs(view.x(a.t) - px) - Math.abs(view.x(b.t) - px))];
  return Math.abs(view.x(best.t) - px) < NEAR ? best.index : null;
}

function hitMessage(view, model, list, px, py) {
  let best = null, least = NEAR;
  for (const i of list) {
    const ends = clipped(arrowEnds(view, model.messages, i), -200,
      view.place.width + 200);
    const distance = distanceToLine(ends, px, py);
    if (distance >= least) continue;
    least = distance;
    best = model.messages.index[i];
  }
  return best;
}

// Where bars stand for messages: the server's message that left nearest.
function hitBar(view, model, filter, server, px) {
  const { t0, t1, x } = view;
  const reach = COLUMN * 2 * (t1 - t0) / view.place.width;
  const t = x.invert(px);
  let best = null, least = Infinity;
  eachMessage(model.messages, filter, t - reach, t + reach, (i) => {
    const distance = Math.abs(model.messages.start[i] - t);
    if (model.messages.from[i] !== server || distance >= least) return;
    least = distance;
    best = model.messages.index[i];
  });
  return least <= reach ? best : null;
}

// The last is the deepest, or the latest.
function hitSpan(spans, t) {
  const found = spans.filter((span) => span.t0 <= t && t <= span.t1);
  return found.length ? lastOf(found).index : null;
}

function hitRows(view, model, px, py) {
  const row = Math.floor((py - view.place.rowTop(0)) / ROW);
  const spans = model.rows[row]?.spans;
  return spans ? hitSpan(spans, view.x.invert(px)) : null;
}

function hitLane(view, model, server, px, py) {
  const { place, x } = view;
  const lane = model.lanes[server];
  const below = py - place.laneTop(server);
  if (below >= -8 && below <= BAR) {
    const mark = nearestPoint(view, lane.marks, px);
    if (mark !== null && (below < 0 || below > BAR - 7)) return mark;
  }
  if (below > BAR && below <= BAR + STRIP) {
    const apply = nearestPoint(view, lane.applied, px);
    if (apply !== null) return apply;
  }
  if (below < 0 || below > BAR + STRIP) return null;
  const t = x.invert(px);
  return hitSpan(lane.downs, t) ?? hitSpan(lane.roles, t);
}

function hitCut(view, model, px, py) {
  const { place, x } = view;
  for (let server = 0; server < model.servers; ++server) {
    const below = py - place.laneTop(server);
    if (below < -7 || below > BAR + STRIP + 7) continue;
    return hitSpan(model.lanes[server].cuts, x.invert(px));
  }
  return null;
}

// Returns the event's index, or null.
function hit(view, model, filter, drawn, px, py) {
  const { place } = view;
  if (px < place.left || px > place.right) return null;
  if (py < place.top - 8) {
    return hitShards(view, model, px, py) ?? hitRows(view, model, px, py);
  }
  if (model.clients.length && py >= place.clientTop(0)) {
    return hitClients(view, model, px, py);
  }
  const server = Math.min(model.servers - 1,
    Math.max(0, Math.floor((py - place.top + 8) / place.pitch)));
  const onLane = hitLane(view, model, server, px, py);
  if (onLane !== null) return onLane;
  const message = drawn ? hitMessage(view, model, drawn, px, py) :
    hitBar(view, model, filter, server, px);
  return message ?? hitCut(view, model, px, py);
}
