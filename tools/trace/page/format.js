// How events are said in words: for the panel, the lists and the search.
//
// Called by all other scripts. An event that this page does not know is shown
// with whatever it holds.

const DROPPED = new Set(['lost', 'undeliverable', 'refused']);

const seconds = (t, digits = 4) => `${t.toFixed(digits)} s`;

// Of several groups, by lane: model.js gives each server one.
let laneNames = null;
const serverName = (number) => laneNames?.[number] ?? `S${number}`;

// "index 5, command 107": values of any depth.
function fieldWords(fields) {
  return Object.entries(fields).map(([key, value]) => {
    const text = typeof value === 'object' ? JSON.stringify(value) : value;
    return `${key.replaceAll('_', ' ')} ${text}`;
  }).join(', ');
}

// The chunk of a snapshot that an InstallSnapshot carries; a small one is whole.
function chunkWords({ offset, bytes, done }) {
  if (offset === 0 && done) return `a snapshot of ${bytes} bytes`;
  return `${bytes} bytes at ${offset}${done ? ', the last chunk' : ''}`;
}

function messageName(event) {
  const rpc = event.rpc || 'message';
  if (event.event === 'reply') return `reply to ${rpc}`;
  if (rpc === 'InstallSnapshot' && event.fields?.bytes !== undefined) {
    return `InstallSnapshot with ${chunkWords(event.fields)}`;
  }
  if (rpc !== 'AppendEntries' || !event.fields) return rpc;
  const entries = event.fields.entries;
  if (entries === 0) return 'AppendEntries, a heartbeat';
  return `AppendEntries with ${entries} entr${entries === 1 ? 'y' : 'ies'}`;
}

function messageWords(event) {
  const fields = { ...event.fields };
  for (const said of ['entries', 'offset', 'bytes', 'done']) {
    delete fields[said];
  }
  const fate = !event.fate || event.fate === 'delivered' ? '' :
    `, ${event.fate}`;
  const to = event.peer === undefined ? '' : ` → ${serverName(event.peer)}`;
  return `${to} ${messageName(event)}${fate}: ${fieldWords(fields)}`;
}

// "S0 S2 | S1 S3 S4".
const partsOf = ({ parts }) =>
  parts.map((part) => part.map(serverName).join(' ')).join(' | ');

const WORDS = {
  run: (e) => `${e.test} on ${e.servers} servers, seed ${e.seed}, ${e.mode}`,
  begin: (e) => e.title,
  group: (e) => `group ${e.group} has ${e.servers} servers`,
  config: configWords,
  shards: (e) => ` is at ${shardsWords(e.fields || {})}`,
  life: (e) => (e.up ? ` starts life ${e.life}` : ` is down`),
  link: (e) => (e.connected ? ' is connected again' : ' is cut off'),
  partition: (e) => (e.parts.length ?
    `the network is divided: ${partsOf(e)}` : 'the network is whole again'),
  network: (e) => `the network: ${fieldWords(extras(e))}`,
  role: (e) => ` is ${e.role} in term ${e.term}`,
  request: messageWords,
  reply: messageWords,
  save: (e) => ` saves: ${fieldWords(e.fields || {})}`,
  flush: (e) => ` has flushed for ${(1000 * (e.t - e.began)).toFixed(1)} ms: ` +
    fieldWords(e.fields || {}),
  start: (e) => (e.fields?.is_leader === false ?
    ` is no leader and refuses command ${e.fields.command}` :
    ` is given a command: ${fieldWords(e.fields || {})}`),
  apply: (e) => ` applies ${fieldWords(e.fields || {})}`,
  snapshot: (e) => ` takes a snapshot: ${fieldWords(e.fields || {})}`,
  restore: (e) => ` applies a snapshot: ${fieldWords(e.fields || {})}`,
  operation: operationWords,
  history: (e) => `not linearizable: ${e.text}`,
  step: (e) => `${e.phase === 'end' ? 'end of ' : ''}${e.name} ${e.text || ''}`,
  violation: (e) => `violation of “${e.rule}” (${e.section}): ${e.text}`,
  failure: (e) => `failure: ${e.text}`,
  end: (e) => (e.passed ? 'the test passed' : 'the test failed'),
};

// What an event holds beside what all have.
function extras(event) {
  const { t, event: name, server, term, role, ...rest } = event;
  return rest;
}

// A message in a few words, for lists.
function briefMessage(event) {
  const fields = event.fields || {};
  let what = event.rpc || 'message';
  if (event.event === 'reply') {
    const answer = fields.granted ?? fields.success;
    what += ' reply';
    if (answer !== undefined) what += `: ${answer ? 'yes' : 'no'}`;
    if (fields.installed) what += ': installed';
    if (fields.next_offset) what += `: next at ${fields.next_offset}`;
  } else if (event.rpc === 'InstallSnapshot' && fields.bytes !== undefined) {
    what += ` ${fields.last_included_index}, ${chunkWords(fields)},`;
  } else if (fields.entries === 0) {
    what = 'heartbeat';
  } else if (fields.entries) {
    what += ` +${fields.entries}`;
  }
  const fate = event.fate === 'delivered' ? '' : ` (${event.fate})`;
  return `${serverName(event.server)} → ${serverName(event.peer)} ${what}` +
    `${fields.term === undefined ? '' : ` T${fields.term}`}${fate}`;
}

// As a sentence, but shorter where there are many like it.
function brief(event) {
  const isMessage = event.event === 'request' || event.event === 'reply';
  return isMessage ? briefMessage(event) : sentence(event);
}

// One sentence about any event.
function sentence(event) {
  const who = event.server === undefined ? '' : serverName(event.server);
  const known = Object.hasOwn(WORDS, event.event);
  return who + (known ? WORDS[event.event](event) :
    `${who && ' '}${event.event}: ${fieldWords(extras(event))}`);
}
