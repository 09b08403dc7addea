// Makes the page: reads the data, draws, and answers to clicks and keys.
//
// The last of the scripts. All drawing goes through draw(), at most once in a
// frame; what changes the view calls redraw(). window.traceView is for tests.

const model = buildModel(JSON.parse(byId('data').textContent));
const led = ledThere(model);
const search = makeSearch(model);
const filter = { kinds: KINDS.map(() => true), fates: [true, true, true],
  replies: true, led: true };
const SHORTEST = 20e-6;  // seconds that the lanes may show at least
const canvas = byId('lanes');
const padding = model.end * 0.01;

let look = readLook();
let place = null, base = null, view = null;
let drawn = null;       // the messages drawn as arrows; null: bars
let selected = -1, hits = [], waiting = false, lastDrawMs = 0;
let transform = d3.zoomIdentity;

const overview = makeOverview(byId('overview'), model,
  (t0, t1) => zoomTo(t0, t1));
const zoom = d3.zoom().on('zoom', () => {
  transform = d3.event.transform;
  redraw();
});

function currentScale() {
  return transform.rescaleX(base);
}

function domain() {
  return currentScale().domain();
}

function zoomTo(t0, t1) {
  const [first, last] = base.domain();
  const length = Math.min(last - first, Math.max(t1 - t0, SHORTEST));
  const start = Math.max(first, Math.min(last - length, t0));
  const k = (last - first) / length;
  zoom.transform(d3.select(canvas), d3.zoomIdentity
    .translate(place.left - k * base(start), 0).scale(k));
}

function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    draw();
  });
}

function makeView() {
  const x = currentScale();
  const [t0, t1] = x.domain();
  const context = fitCanvas(canvas, place.width, place.height);
  return { context, look, place, x, t0, t1, reached: [],
    fault: model.events[model.fault], faultTime: model.faultTime,
    hatch: makeHatch(context, look.cut) };
}

function visibleMessages() {
  const list = [];
  eachMessage(model.messages, filter, view.t0, view.t1, (i) => {
    list.push(i);
  });
  return list;
}

function drawMessages() {
  const list = visibleMessages();
  const most = ARROWS_A_PIXEL * (place.right - place.left);
  drawn = list.length <= most ? list : null;
  const isDimmed = filter.led &&
    led.some((i) => isInView(view, model.events[i]));
  view.context.globalAlpha = isDimmed ? 0.35 : 1;
  if (drawn) drawArrows(view, model.messages, drawn);
  else drawDensity(view, model, filter);
  view.context.globalAlpha = 1;
  if (isDimmed) drawLed(view, model, led);
  byId('density').hidden = drawn !== null;
  return list.length;
}

function draw() {
  const started = performance.now();
  view = makeView();
  const { context } = view;
  context.clearRect(0, 0, place.width, place.height);
  context.save();
  context.beginPath();
  context.rect(place.left, 0, place.right - place.left, place.height);
  drawAxis(view);
  context.clip();
  context.textBaseline = 'middle';
  drawRows(view, model.rows);
  drawShards(view, model);
  drawWindow(view, model);
  counts.visible = drawMessages();
  drawLanes(view, model);
  drawClients(view, model);
  counts.arrows = drawn ? drawn.length : 0;
  drawFault(view);
  view.reached.forEach((what, i) => drawReached(view, i, what));
  if (selected >= 0) drawHalos(view, model, [selected], look.choice, 3);
  context.restore();
  drawNames(view, model.servers);
  drawClientNames(view, model.clients);
  drawShardNames(view, model);
  overview.show(view.t0, view.t1);
  lastDrawMs = performance.now() - started;
}

function resize() {
  const shown = base && domain();
  const width = byId('lanes-box').clientWidth;
  const wanted = window.innerHeight - canvas.getBoundingClientRect().top -
    window.scrollY - 20;
  place = layout(model, width, wanted);
  const top = byId('panel').offsetTop;
  byId('panel').style.setProperty('--room',
    `${Math.max(360, window.innerHeight - top - 16)}px`);
  base = d3.scaleLinear().domain([-padding, model.end + padding])
    .range([place.left, place.right]);
  const extent = [[place.left, 0], [place.right, place.height]];
  zoom.extent(extent).translateExtent(extent)
    .scaleExtent([1, Math.max(1, (model.end + 2 * padding) / SHORTEST)]);
  overview.resize(width, base);
  overview.draw(look, width, hits);
  zoomTo(...(shown || openingSpan(model, led)));
}

function reveal(index) {
  const t = index === model.fault ? model.faultTime : model.events[index].t;
  const [t0, t1] = domain();
  if (t >= t0 && t <= t1) return;
  const half = (t1 - t0) / 2;
  zoomTo(t - half, t + half);
}

function select(index) {
  selected = index;
  showSelection(model, index, select);
  if (index >= 0) reveal(index);
  byId('hits').textContent = hitWords();
  redraw();
}

function hitWords() {
  if (!byId('query').value.trim()) return '';
  const at = hits.indexOf(selected);
  const count = hits.length.toLocaleString('en');
  return at >= 0 ? `${(at + 1).toLocaleString('en')} of ${count}` :
    `${count} found`;
}

function isShown(index) {
  const i = model.messages.ofEvent.get(index);
  if (i === undefined) return true;
  const { kind, fate, reply } = model.messages;
  return filter.kinds[kind[i]] && filter.fates[fate[i]] &&
    (filter.replies || !reply[i]);
}

// The next hit, or the next event that is shown; from the view, if nothing is
// selected.
function step(direction) {
  const isSearch = byId('query').value.trim() !== '';
  const from = selected >= 0 ? selected :
    d3.bisector((event) => event.t).left(model.events, domain()[0]) -
    (direction > 0 ? 1 : 0);
  if (isSearch) {
    const at = direction > 0 ? d3.bisectRight(hits, from) :
      d3.bisectLeft(hits, from) - 1;
    if (hits.length) select(hits[(at + hits.length) % hits.length]);
    return;
  }
  let index = from + direction;
  while (index >= 0 && index < model.events.length && !isShown(index)) {
    index += direction;
  }
  if (index >= 0 && index < model.events.length) select(index);
}

function find() {
  hits = search(byId('query').value);
  byId('hits').textContent = hitWords();
  overview.draw(look, place.width, hits);
  redraw();
}

const counts = { events: model.events.length, servers: model.servers,
  clients: model.clients.length, shards: model.shards.length,
  messages: model.messages.length, led: led.length, visible: 0, arrows: 0 };

function relook() {
  look = readLook();
  overview.draw(look, place.width, hits);
  redraw();
}

function open() {
  byId('legend').open = window.innerWidth > 760;
  showTitle(model);
  showBanner(model);
  fillHelp();
  byId('other').hidden = !model.messages.kind.includes(OTHER);
  document.querySelectorAll('[data-snapshots]').forEach(
    (element) => { element.hidden = !model.hasSnapshots; });
  document.querySelectorAll('[data-flushes]').forEach((element) => {
    element.hidden = model.lanes.every((lane) => lane.flushes.length === 0);
  });
  document.querySelectorAll('[data-clients]').forEach(
    (element) => { element.hidden = model.clients.length === 0; });
  document.querySelectorAll('[data-shards]').forEach(
    (element) => { element.hidden = model.shards.length === 0; });
  document.querySelectorAll('[data-unordered]').forEach(
    (element) => { element.hidden = !model.verdict; });
  document.querySelectorAll('[data-failing]').forEach(
    (element) => { element.hidden = model.fault < 0; });
  bindButtons();
  bindCanvas();
  bindKeys(actions);
  showLed(model, led, select);
  resize();
  select(model.fault);
  draw();
  new ResizeObserver(resize).observe(byId('lanes-box'));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change',
    relook);
}

open();
window.traceView = {
  domain, zoomTo, select, counts, draw,
  get lastDrawMs() { return lastDrawMs; },
  get selected() { return selected; },
  get hits() { return hits; },
  laneTop: (server) => place.laneTop(server),
  reached: (server) => view.reached[server],
  rowTop: (row) => place.rowTop(row),
  clientTop: (row) => place.clientTop(row),
  shardTop: (shard) => place.shardTop(shard),
  eventPoint: (index) => {
    const operation = model.ofEvent.get(index);
    if (operation) return operationPoint(view, model, operation);
    const i = model.messages.ofEvent.get(index);
    if (i === undefined) return eventPoint(view, model.events[index]);
    const { x0, y0, x1, y1 } = arrowEnds(view, model.messages, i);
    return [(x0 + x1) / 2, (y0 + y1) / 2];
  },
};
window.traceReady = true;
