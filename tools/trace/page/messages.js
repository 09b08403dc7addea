// The messages of a trace, in typed arrays sorted by the time they left.
//
// Built by model.js; read by arrows.js, density.js and hit.js. What is visible
// is found by binary search: `reach` is the latest arrival up to each message,
// so the first that can reach into a view is the first whose reach does.

const KINDS = ['vote', 'entries', 'beat', 'snapshot', 'other'];
const FATES = ['delivered', 'late', 'dropped'];
const VOTE = 0, ENTRIES = 1, BEAT = 2, SNAPSHOT = 3, OTHER = 4;
const DELIVERED = 0, LATE = 1, DROPPED_FATE = 2;

function requestKind(event) {
  if (event.rpc === 'RequestVote') return VOTE;
  if (event.rpc === 'InstallSnapshot') return SNAPSHOT;
  if (event.rpc !== 'AppendEntries') return OTHER;
  return event.fields?.entries === 0 ? BEAT : ENTRIES;
}

function fateOf(event) {
  if (DROPPED.has(event.fate)) return DROPPED_FATE;
  return event.fate === 'late' ? LATE : DELIVERED;
}

// One message as an object, before all go into arrays. A reply has the kind of
// its request.
function toMessage(event, index, kindOfCall) {
  const isReply = event.event === 'reply';
  const caller = isReply ? event.peer : event.server;
  const call = `${caller}:${event.call}`;
  let kind;
  if (isReply) {
    kind = kindOfCall.get(call) ?? requestKind({ ...event, fields: {} });
  } else {
    kind = requestKind(event);
    kindOfCall.set(call, kind);
  }
  const start = isReply ? event.t : event.sent ?? event.t;
  const end = isReply ? event.arrives ?? event.t : event.t;
  const no = event.fields?.granted === false || event.fields?.success === false;
  return { index, start: Math.min(start, end), end, from: event.server,
    to: event.peer, kind, reply: isReply, fate: fateOf(event), no,
    held: event.fate === 'late' && event.arrives === undefined };
}

function toColumns(list) {
  const column = (type, get) => type.from(list, get);
  const reach = new Float64Array(list.length);
  list.reduce((latest, m, i) => (reach[i] = Math.max(latest, m.end)),
    -Infinity);
  return {
    length: list.length, reach,
    start: column(Float64Array, (m) => m.start),
    end: column(Float64Array, (m) => m.end),
    from: column(Uint8Array, (m) => m.from),
    to: column(Uint8Array, (m) => m.to),
    kind: column(Uint8Array, (m) => m.kind),
    fate: column(Uint8Array, (m) => m.fate),
    reply: column(Uint8Array, (m) => m.reply),
    no: column(Uint8Array, (m) => m.no),
    held: column(Uint8Array, (m) => m.held),
    index: column(Uint32Array, (m) => m.index),
  };
}

function buildMessages(events) {
  const kindOfCall = new Map(), list = [];
  events.forEach((event, index) => {
    if (event.event !== 'request' && event.event !== 'reply') return;
    if (event.server === undefined || event.peer === undefined) return;
    list.push(toMessage(event, index, kindOfCall));
  });
  list.sort((a, b) => a.start - b.start || a.index - b.index);
  const columns = toColumns(list);
  columns.ofEvent = new Map(list.map((m, i) => [m.index, i]));
  return columns;
}

// Calls visit(i) for each message that is shown and in [t0, t1].
function eachMessage(messages, filter, t0, t1, visit) {
  const { start, end, kind, fate, reply } = messages;
  const last = d3.bisectRight(start, t1);
  for (let i = d3.bisectLeft(messages.reach, t0); i < last; ++i) {
    if (end[i] >= t0 && filter.kinds[kind[i]] && filter.fates[fate[i]] &&
        (filter.replies || !reply[i])) visit(i);
  }
}
