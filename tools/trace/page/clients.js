// The clients' lanes, under those of the servers: a box for each operation,
// from its call to its return, at the times that the history was checked by.
//
// Built once by model.js and drawn by main.js at each redraw. An operation that
// never returned reaches to the run's end, and is open there.

const CLIENT_ROW = 22;    // from lane to lane
const CLIENT_BOX = 17;
const MAX_CLIENTS = 48;   // lanes; more are left to the list of events
const OUTCOMES = ['done', 'refused', 'unknown', 'pending'];
const ANSWERS = { OK: 'done', ErrMaybe: 'unknown' };

const clientName = (number) => `C${number}`;

// A value is long in the middle: what tells two apart is at its ends.
function shortened(text, most = 24) {
  if (text.length <= most) return text;
  const head = Math.ceil((most - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - most + 1 + head)}`;
}

const quoted = (text, most) => `"${shortened(String(text ?? ''), most)}"`;

// `append("0", "x 0 3 y")`; a versioned call is known by its versions.
function callWords(event, most) {
  const parts = [quoted(event.key, most)];
  if (event.value !== undefined) parts.push(quoted(event.value, most));
  if (event.version !== undefined) parts.push(`version ${event.version}`);
  return `${String(event.kind).replace('versioned_', '')}(${parts.join(', ')})`;
}

// ` → "x 0 3 y"`; nothing before it has returned.
function answerWords(event, most) {
  if (event.phase !== 'end') return '';
  const parts = [];
  if (event.result !== undefined) parts.push(quoted(event.result, most));
  if (event.result_version !== undefined) {
    parts.push(`version ${event.result_version}`);
  }
  if (parts.length === 0 || event.answer !== 'OK') parts.push(event.answer);
  return ` → ${parts.join(', ')}`;
}

function operationWords(event) {
  const verb = event.phase === 'end' ? 'returns from' : 'calls';
  return `${clientName(event.client)} ${verb} ` +
    `${callWords(event, 60)}${answerWords(event, 60)}`;
}

// {t0, t1, client, number, outcome, index: of its begin, endIndex, label}, by
// t0; those of one client do not overlap.
function buildOperations(events, end) {
  const list = [], open = new Map();
  events.forEach((event, index) => {
    if (event.event !== 'operation') return;
    const { client, operation: number } = event;
    const key = `${client}:${number}`;
    if (event.phase === 'begin') {
      const operation = { t0: event.t, t1: end, client, number, index,
        outcome: 'pending', label: callWords(event) };
      open.set(key, operation);
      list.push(operation);
    } else if (open.has(key)) {
      Object.assign(open.get(key), { t1: event.t, endIndex: index,
        outcome: ANSWERS[event.answer] ?? 'refused',
        label: callWords(event) + answerWords(event) });
      open.delete(key);
    }
  });
  return list;
}

// What of the operations the event `history` speaks of; none: null.
function buildVerdict(events, operations) {
  const index = events.findIndex((event) => event.event === 'history');
  if (index < 0) return null;
  const event = events[index];
  const byNumber = new Map(operations.map((each) => [each.number, each]));
  const named = (numbers) => (numbers ?? [])
    .map((number) => byNumber.get(number)).filter(Boolean);
  const counterexample = named(event.counterexample);
  const window = [...named(event.window), ...counterexample];
  const [impossible] = named([event.first_impossible]);
  return { index, counterexample,
    t0: d3.min(window, (each) => each.t0) ?? event.t,
    t1: impossible?.t1 ?? d3.max(window, (each) => each.t1) ?? event.t };
}

// The lanes, by client: {client, operations}. Those of the counterexample are
// on top, next to the servers, and never among those left out.
function buildClients(operations, verdict) {
  const accused = new Set(verdict?.counterexample.map((each) => each.client));
  return d3.nest().key((each) => each.client).entries(operations)
    .map(({ key, values }) => ({ client: Number(key), operations: values }))
    .sort((a, b) => accused.has(b.client) - accused.has(a.client) ||
      a.client - b.client)
    .slice(0, Math.max(MAX_CLIENTS, accused.size));
}

function buildHistory(events, end) {
  const operations = buildOperations(events, end);
  const verdict = buildVerdict(events, operations);
  const ofEvent = new Map();
  for (const each of operations) {
    ofEvent.set(each.index, each);
    if (each.endIndex !== undefined) ofEvent.set(each.endIndex, each);
  }
  const clients = buildClients(operations, verdict);
  const named = new Set(operations.map((each) => each.client));
  return { clients, verdict, ofEvent, leftOut: named.size - clients.length };
}

function clientNotes({ leftOut }) {
  return leftOut === 0 ? [] :
    [`${leftOut} clients have no lane here: find them by their names.`];
}

// In one pixel the rarer outcome wins.
function drawOperations(view, lane, top) {
  const { context, look, place } = view;
  context.font = SMALL;
  let pixel = -1, shown = -1;
  eachSpan(view, lane.operations, (each, from, to) => {
    const rank = OUTCOMES.indexOf(each.outcome);
    if (to - from < 1 && Math.floor(from) === pixel && rank <= shown) return;
    pixel = Math.floor(from);
    shown = rank;
    const width = Math.max(1, to - from - 0.5);
    context.fillStyle = look[each.outcome];
    context.fillRect(from, top, width, CLIENT_BOX);
    if (each.outcome === 'pending') {
      context.fillStyle = view.hatch;
      context.fillRect(from, top, Math.min(width, place.right - from),
        CLIENT_BOX);
    }
    if (width < 24) return;
    context.fillStyle = look[`on-${each.outcome}`];
    context.fillText(fitText(context, each.label, width - 6), from + 3,
      top + CLIENT_BOX / 2 + 1);
  });
}

// [x, y, width, height] of what outlines an operation; null: it is out of view
// or has no lane.
function outlineOf(view, model, each) {
  const { place, x } = view;
  const row = model.clients.findIndex(({ client }) => client === each.client);
  const from = Math.max(place.left - 4, x(each.t0));
  const to = Math.min(place.right + 4, x(each.t1));
  if (row < 0 || to < from) return null;
  return [from - 1, place.clientTop(row) - 1, Math.max(3, to - from + 2),
    CLIENT_BOX + 2];
}

// The window in which no order was found, over servers and clients.
function drawWindow(view, model) {
  if (!model.verdict) return;
  const { context, look, place, x } = view;
  const from = Math.max(place.left, x(model.verdict.t0));
  const to = Math.min(place.right, x(model.verdict.t1));
  if (to < from) return;
  context.globalAlpha = 0.1;
  context.fillStyle = look.alarm;
  context.fillRect(from, AXIS, Math.max(2, to - from), place.height - AXIS);
  context.globalAlpha = 1;
}

function drawClients(view, model) {
  model.clients.forEach((lane, row) =>
    drawOperations(view, lane, view.place.clientTop(row)));
  view.context.strokeStyle = view.look.alarm;
  view.context.lineWidth = 2;
  for (const each of model.verdict?.counterexample ?? []) {
    const outline = outlineOf(view, model, each);
    if (outline) view.context.strokeRect(...outline);
  }
}

function drawClientNames(view, clients) {
  const { context, look, place } = view;
  context.font = FONT;
  context.fillStyle = look.text;
  clients.forEach(({ client }, row) => context.fillText(clientName(client), 8,
    place.clientTop(row) + CLIENT_BOX / 2 + 1));
}

// Where an operation is, in pixels; null as of outlineOf().
function operationPoint(view, model, each) {
  const outline = outlineOf(view, model, each);
  if (!outline) return null;
  const [left, top, width, height] = outline;
  return [left + width / 2, top + height / 2];
}

// The operation under a point, or the nearest one of its lane.
function hitClients(view, model, px, py) {
  const lane = model.clients[
    Math.floor((py - view.place.clientTop(0)) / CLIENT_ROW)];
  if (!lane) return null;
  const t = view.x.invert(px);
  const inside = hitSpan(lane.operations, t);
  if (inside !== null) return inside;
  const distance = (each) =>
    Math.min(Math.abs(view.x(each.t0) - px), Math.abs(view.x(each.t1) - px));
  const nearest = lane.operations[
    d3.scan(lane.operations, (a, b) => distance(a) - distance(b))];
  return distance(nearest) < NEAR ? nearest.index : null;
}
