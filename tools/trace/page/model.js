// The trace in the shape that drawing needs: sorted arrays for each lane.
//
// Built once, by main.js; then only read. All spans are
// [t0, t1, ...], sorted by t0 and without overlap within one array (but steps).

function emptyLane() {
  return {
    roles: [],   // {t0, t1, role, term, index}
    cuts: [],    // {t0, t1, index}: it is up, but the harness has cut it off
    downs: [],   // {t0, t1, index}
    applied: [], // {t, value, index}: value grows within an incarnation
    commit: [],  // {t, value, index}: the highest leader_commit seen
    floor: [],   // {t, value, index}: the last included index on its disk
    flushes: [], // {t0, t1, index}: of a slow disk
    durable: [], // {t, value, index}: the last index on its disk, after each
    marks: [],   // {t, kind, index}: save, start, snapshot, unknown events
  };
}

const isSnapshot = (kind) => kind === 'snapshot' || kind === 'restore';

const lastOf = (list) => list[list.length - 1];

// Ends the last span of the list, if it is open.
function close(list, t) {
  const span = lastOf(list);
  if (span && span.t1 === undefined) span.t1 = t;
}

function addRole(lane, role, term, t, index) {
  const span = lastOf(lane.roles);
  if (span && span.t1 === undefined && span.role === role &&
      span.term === term) return;
  close(lane.roles, t);
  lane.roles.push({ t0: t, role, term, index });
}

// Commit and apply indexes are volatile: a restart forgets them, and they are
// drawn as gone from the crash on. At the end of a test all servers go down:
// there they stay.
function forget(lane, index) {
  const down = lastOf(lane.downs);
  for (const list of [lane.applied, lane.commit]) {
    if (!down || list.length === 0) continue;
    list.push({ t: Math.max(down.t0, lastOf(list).t), value: 0, index });
  }
}

function addLife(lane, event, index) {
  close(lane.downs, event.t);
  if (event.up) {
    forget(lane, index);
    addRole(lane, 'follower', event.term ?? 0, event.t, index);
    return;
  }
  close(lane.roles, event.t);
  lane.downs.push({ t0: event.t, index });
}

function addCommit(lane, event, index) {
  const value = event.fields?.leader_commit;
  if (typeof value !== 'number') return;
  if (value > (lastOf(lane.commit)?.value ?? 0)) {
    lane.commit.push({ t: event.t, value, index });
  }
}

// On the disk, so a restart keeps it.
function addFloor(lane, event, index) {
  const value = event.fields?.last_included_index ?? 0;
  if (value > (lastOf(lane.floor)?.value ?? 0)) {
    lane.floor.push({ t: event.t, value, index });
  }
}

function addFlush(lane, event, index) {
  lane.flushes.push({ t0: event.began ?? event.t, t1: event.t, index });
  const value = event.fields?.durable ?? 0;
  if (value !== lastOf(lane.durable)?.value) {
    lane.durable.push({ t: event.t, value, index });
  }
}

function addLink(lane, event, index) {
  close(lane.cuts, event.t);
  if (!event.connected) lane.cuts.push({ t0: event.t, index });
}

// What an event of one server means for its lane.
function addToLane(lane, event, index) {
  switch (event.event) {
    case 'life': addLife(lane, event, index); break;
    case 'link': addLink(lane, event, index); break;
    case 'apply':
      lane.applied.push({ t: event.t, value: event.fields?.index ?? 0, index });
      break;
    case 'restore':
      lane.applied.push({ t: event.t, index,
        value: event.fields?.last_included_index ?? 0 });
      lane.marks.push({ t: event.t, kind: 'restore', index });
      break;
    case 'save':
      addFloor(lane, event, index);
      lane.marks.push({ t: event.t, kind: 'save', index });
      break;
    case 'flush': addFlush(lane, event, index); break;
    case 'request': case 'reply': break;
    case 'role':
      if (event.role === 'down') close(lane.roles, event.t);
      else addRole(lane, event.role, event.term, event.t, index);
      break;
    case 'start':
      lane.marks.push({ t: event.t, index,
        kind: event.fields?.is_leader === false ? 'refusal' : 'start' });
      break;
    default: lane.marks.push({ t: event.t, kind: event.event, index });
  }
}

// Steps nest; where threads mix them, an end ends the last of its name.
function stepRows(events, end) {
  const open = [], steps = [];
  events.forEach((event, index) => {
    if (event.event !== 'step') return;
    if (event.phase === 'begin') {
      const depth = open.length;
      open.push({ t0: event.t, depth, index, event });
      steps.push(lastOf(open));
      return;
    }
    const at = open.findLastIndex((step) => step.event.name === event.name &&
      step.event.step === event.step);
    if (at >= 0) open.splice(at, 1)[0].t1 = event.t;
  });
  open.forEach((step) => { step.t1 = end; });
  const label = (e) => [e.name, e.text].filter(Boolean).join(' ');
  return steps.map((step) => ({ ...step, label: label(step.event) }));
}

function networkSpans(events, end) {
  const spans = [];
  events.forEach((event, index) => {
    if (event.event !== 'network') return;
    close(spans, event.t);
    const troubles = [];
    if (event.reliable === false) troubles.push('unreliable');
    if (event.long_reordering) troubles.push('long reordering');
    if (troubles.length === 0) return;
    spans.push({ t0: event.t, index, label: `${troubles.join(', ')} network` });
  });
  close(spans, end);
  return spans;
}

function partitionSpans(events, end) {
  const spans = [];
  events.forEach((event, index) => {
    if (event.event !== 'partition') return;
    close(spans, event.t);
    if (event.parts.length === 0) return;
    spans.push({ t0: event.t, index, label: partsOf(event) });
  });
  close(spans, end);
  return spans;
}

// The rows above the lanes; depth 0 is on top, what is deeper than MAX_ROWS is
// left to the list of events.
const MAX_ROWS = 3;
function topRows(events, end) {
  const rows = [];
  const network = networkSpans(events, end);
  const partitions = partitionSpans(events, end);
  for (const spans of [network, partitions]) {
    if (spans.length) rows.push({ kind: 'network', spans });
  }
  const configs = configSpans(events, end);
  if (configs.length) rows.push({ kind: 'step', spans: configs });
  const steps = stepRows(events, end);
  for (let depth = 0; depth < MAX_ROWS; ++depth) {
    const spans = steps.filter((step) => step.depth === depth);
    if (spans.length) rows.push({ kind: 'step', spans });
  }
  return rows;
}

function buildLanes(events, servers, end) {
  const lanes = Array.from({ length: servers }, emptyLane);
  events.forEach((event, index) => {
    if (event.server === undefined) return;
    addToLane(lanes[event.server], event, index);
    if (event.event !== 'request') return;
    addCommit(lanes[event.server], event, index);
    if (event.fate === 'delivered' && event.peer !== undefined) {
      addCommit(lanes[event.peer], event, index);
    }
  });
  for (const lane of lanes) {
    for (const list of [lane.roles, lane.cuts, lane.downs]) close(list, end);
    lane.cuts = without(lane.cuts, lane.downs);
  }
  return lanes;
}

// What is left of the spans outside those others: who is down is no less down
// for being cut off.
function without(spans, others) {
  return others.reduce((left, { t0, t1 }) => left.flatMap((span) => {
    if (span.t1 <= t0 || span.t0 >= t1) return [span];
    return [{ ...span, t1: t0 }, { ...span, t0: t1 }]
      .filter((part) => part.t0 < part.t1);
  }), spans);
}

// The rightmost time that anything is drawn at.
function endOf(events) {
  let end = 0;
  for (const { t, event } of events) {
    if (event !== 'end') end = Math.max(end, t);
  }
  return Math.max(lastOf(events).t, end) || 1;
}

// Events whose servers are lanes: those of several groups follow each other.
function inLanes(events) {
  const groups = [{ group: 0, servers: events[0].servers },
    ...events.filter((event) => event.event === 'group')];
  const first = new Map(), names = [];
  for (const { group, servers } of groups) {
    if (first.has(group)) continue;  // is made again
    first.set(group, names.length);
    for (let i = 0; i < servers; ++i) {
      names.push(group ? `G${group}/S${i}` : `S${i}`);
    }
  }
  if (groups.length === 1) return { events, servers: names.length };
  laneNames = names;
  const laneOf = (event, server) => first.get(event.group ?? 0) + server;
  const moved = events.map((event) => {
    const copy = { ...event };
    for (const key of ['server', 'peer']) {
      if (key in event) copy[key] = laneOf(event, event[key]);
    }
    if (event.event === 'partition') {
      copy.parts = event.parts.map((part) =>
        part.map((server) => laneOf(event, server)));
    }
    return copy;
  });
  return { events: moved, servers: names.length };
}

function buildModel(data) {
  const { notes } = data;
  const { events, servers } = inLanes(data.events);
  const end = endOf(events);
  const fault = ['violation', 'history', 'failure']
    .map((name) => events.findIndex((e) => e.event === name))
    .find((index) => index >= 0) ?? -1;
  const history = buildHistory(events, end);
  const lanes = buildLanes(events, servers, end);
  const messages = buildMessages(events);
  return {
    events, servers, end, lanes, ...history,
    notes: [...notes, ...clientNotes(history)],
    fault,  // the event; -1: none
    faultTime: history.verdict?.index === fault ? history.verdict.t1 :
      events[fault]?.t,
    rows: topRows(events, end),
    ...buildShards(events, end),
    messages,
    hasSnapshots: messages.kind.includes(SNAPSHOT) || lanes.some((lane) =>
      lane.floor.length > 0 || lane.marks.some((mark) => isSnapshot(mark.kind))),
  };
}
