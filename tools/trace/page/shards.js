// The shards of a sharded service, above the lanes: whose each is by the newest
// configuration, in the color of that group, with stripes until it is served
// there.
//
// Built once by model.js and drawn by main.js at each redraw.

const SHARD_ROW = 13;
const GROUP_COLORS = d3.range(6).map((number) => `group-${number}`);

// [3, 4, 5, 8] is "3-5 8".
function rangesOf(numbers) {
  const ranges = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const range = lastOf(ranges);
    if (range && range[1] === number - 1) range[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? from : `${from}-${to}`))
    .join(' ');
}

function configWords({ config, shards }) {
  const owners = d3.nest().key((shard) => shards[shard])
    .entries(d3.range(shards.length))
    .map(({ key, values }) => (key === '0' ? `no group ${rangesOf(values)}` :
      `group ${key} ${rangesOf(values)}`));
  return `config ${config}: ${owners.join(', ')}`;
}

function shardsWords({ config, ...lists }) {
  const parts = Object.entries(lists)
    .filter(([, numbers]) => Array.isArray(numbers) && numbers.length)
    .map(([name, numbers]) =>
      `${name.replaceAll('_', ' ')} ${rangesOf(numbers)}`);
  return `config ${config}: ${parts.join(', ') || 'no shards'}`;
}

function configSpans(events, end) {
  const spans = [];
  events.forEach((event, index) => {
    if (event.event !== 'config') return;
    close(spans, event.t);
    spans.push({ t0: event.t, index, label: `config ${event.config}` });
  });
  close(spans, end);
  return spans;
}

function addConfig(shards, event, index) {
  event.shards.forEach((group, shard) => {
    shards[shard] ??= [];
    const span = lastOf(shards[shard]);
    if ((span && span.t1 === undefined ? span.group : 0) === group) return;
    close(shards[shard], event.t);
    if (group === 0) return;
    shards[shard].push({ t0: event.t, group, index, config: event.config });
  });
}

// The first server that serves it says when a shard has come.
function addServed(shards, event) {
  const { config, served = [], to_confirm: toConfirm = [] } = event.fields;
  for (const shard of [...served, ...toConfirm]) {
    const span = lastOf(shards[shard] ?? []);
    if (!span || span.group !== event.group || span.config > config) continue;
    span.served ??= event.t;
  }
}

// {shards: of each its spans {t0, served, t1, group, config, index},
// shardGroups: those that ever had one}; served is undefined if it never was.
function buildShards(events, end) {
  const shards = [];
  events.forEach((event, index) => {
    if (event.event === 'config') addConfig(shards, event, index);
    if (event.event === 'shards') addServed(shards, event);
  });
  shards.forEach((spans) => close(spans, end));
  const groups = new Set(shards.flatMap((spans) =>
    spans.map(({ group }) => group)));
  return { shards, shardGroups: [...groups].sort((a, b) => a - b) };
}

function drawShard(view, model, shard) {
  const { context, look, place, x } = view;
  const top = place.shardTop(shard);
  const stripes = makeHatch(context, look.text, 0.8);
  context.font = SMALL;
  eachSpan(view, model.shards[shard], (span, from, to) => {
    const number = model.shardGroups.indexOf(span.group);
    context.fillStyle = look[GROUP_COLORS[number % GROUP_COLORS.length]];
    context.fillRect(from, top, Math.max(1, to - from - 0.5), SHARD_ROW - 2);
    const come = Math.min(to, x(span.served ?? span.t1));
    context.fillStyle = stripes;
    if (come > from) context.fillRect(from, top, come - from, SHARD_ROW - 2);
    const left = Math.max(from, come);
    context.fillStyle = look['on-group'];
    context.fillText(fitText(context, `${span.group}`, to - left - 6),
      left + 4, top + SHARD_ROW / 2);
  });
}

function drawShards(view, model) {
  model.shards.forEach((spans, shard) => drawShard(view, model, shard));
}

function drawShardNames(view, { shards }) {
  const { context, look, place } = view;
  context.font = SMALL;
  context.fillStyle = look.text;
  shards.forEach((spans, shard) => context.fillText(`shard ${shard}`, 8,
    place.shardTop(shard) + SHARD_ROW / 2));
}

// The configuration that gave the shard under a point to its group.
function hitShards(view, model, px, py) {
  const spans = model.shards[
    Math.floor((py - view.place.shardTop(0)) / SHARD_ROW)];
  return spans ? hitSpan(spans, view.x.invert(px)) : null;
}
