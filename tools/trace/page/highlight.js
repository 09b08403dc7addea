// What led to the fault, and how it and a selected event are made to stand out.
//
// Called by main.js. The fault is the violation, or else the history that is
// not linearizable, or else the failure.

const LED_THERE = 32;
const LEADING = new Set(
  ['request', 'reply', 'save', 'apply', 'snapshot', 'restore']);

// The servers that the text names; all, if it names none.
function namedServers(text, servers) {
  const named = new Set();
  for (const match of String(text).matchAll(/\b(?:S|server )(\d+)\b/g)) {
    if (Number(match[1]) < servers) named.add(Number(match[1]));
  }
  return named.size ? named : new Set(d3.range(servers));
}

// The last messages, saves, applies and snapshots of those servers, oldest
// first; of a history the operations that cannot be put in order.
function ledThere(model) {
  if (model.fault < 0) return [];
  if (model.verdict?.index === model.fault) {
    return model.verdict.counterexample.map((each) => each.endIndex ??
      each.index);
  }
  const named = namedServers(model.events[model.fault].text, model.servers);
  const led = [];
  for (let i = model.fault - 1; i >= 0 && led.length < LED_THERE; --i) {
    const event = model.events[i];
    if (LEADING.has(event.event) &&
        (named.has(event.server) || named.has(event.peer))) led.push(i);
  }
  return led.reverse();
}

// The span of time to open at: the fault near the right, and what led there.
function openingSpan(model, led) {
  if (model.fault < 0) return [-Infinity, Infinity];
  const at = model.faultTime;
  const first = led.length ? model.events[led[0]] : model.events[model.fault];
  const start = model.verdict?.index === model.fault ? model.verdict.t0 :
    Math.min(first.t, first.sent ?? first.t);
  const length = Math.max(at - start, 0.01);
  return [start - 0.08 * length, at + 0.2 * length];
}

// Where an event that is no message is, in pixels.
function eventPoint(view, event) {
  const { place, x } = view;
  const at = x(event.t);
  if (event.server === undefined) return [at, AXIS + 2];
  const top = place.laneTop(event.server);
  if (event.event === 'apply') return [at, top + BAR + STRIP / 2];
  if (event.event === 'save') return [at, top + BAR - 3];
  if (event.event === 'start' || isSnapshot(event.event)) return [at, top - 4];
  return [at, top + BAR / 2];
}

// All of them in one path: where they overlap they grow no stronger.
function drawHalos(view, model, indexes, color, width) {
  const { context, place } = view;
  context.strokeStyle = color;
  context.lineWidth = width;
  context.beginPath();
  for (const index of indexes) {
    const message = model.messages.ofEvent.get(index);
    const operation = model.ofEvent.get(index);
    if (operation) {
      const outline = outlineOf(view, model, operation);
      if (outline) context.rect(...outline);
    } else if (message !== undefined) {
      const line = clipped(arrowEnds(view, model.messages, message),
        place.left - 200, place.right + 200);
      context.moveTo(line.x0, line.y0);
      context.lineTo(line.x1, line.y1);
    } else {
      const [px, py] = eventPoint(view, model.events[index]);
      context.moveTo(px + 5, py);
      context.arc(px, py, 5, 0, 2 * Math.PI);
    }
  }
  context.stroke();
}

function isInView(view, event) {
  const ends = [event.t, event.sent ?? event.t, event.arrives ?? event.t];
  return Math.min(...ends) <= view.t1 && Math.max(...ends) >= view.t0;
}

// The messages that led to the fault, over what else there is.
function drawLed(view, model, led) {
  const visible = led.filter((i) => isInView(view, model.events[i]));
  view.context.globalAlpha = 0.4;
  drawHalos(view, model, visible, view.look.choice, 6);
  view.context.globalAlpha = 1;
  drawArrows(view, model.messages, visible
    .map((i) => model.messages.ofEvent.get(i)).filter((i) => i !== undefined));
}

// Where the fault's flag is among the times of the axis; null: not in view.
function faultFlag(view) {
  const { context, place, x, fault, faultTime } = view;
  if (!fault) return null;
  const at = x(faultTime);
  if (at < place.left || at > place.right) return null;
  context.font = SMALL;
  const text = fault.event === 'history' ? 'no order' : fault.event;
  const width = context.measureText(text).width + 10;
  return { at, text, width, left: Math.min(at - 1, place.width - width) };
}

function drawFault(view) {
  const { context, look, place } = view;
  const flag = faultFlag(view);
  if (!flag) return;
  context.fillStyle = look.alarm;
  context.fillRect(flag.at - 1, AXIS - 4, 2, place.height);
  context.fillRect(flag.left, 4, flag.width, AXIS - 8);
  context.fillStyle = look.ground;
  context.textAlign = 'left';
  context.fillText(flag.text, flag.left + 5, AXIS / 2 + 1);
}
