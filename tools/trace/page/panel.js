// The panel beside the lanes, and the banner above them: text that a reader, and
// any screen reader, can read.
//
// main.js calls it; choose(index) is called when an event is picked here.

const AROUND = 6;

const byId = (id) => document.getElementById(id);

function make(tag, text, parent, attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  Object.entries(attributes).forEach(
    ([name, value]) => element.setAttribute(name, value));
  parent?.append(element);
  return element;
}

// [name, value] of everything that an event holds, fields within fields too.
function flatten(event, prefix = '') {
  return Object.entries(event).flatMap(([key, value]) => (
    value !== null && typeof value === 'object' && !Array.isArray(value) ?
      flatten(value, key === 'fields' ? prefix : `${prefix}${key}.`) :
      [[prefix + key, JSON.stringify(value)]]));
}

// "role" and "term" are what the server had shown; a message has its own term.
function showFields(event, list) {
  list.replaceChildren();
  const { fields, ...rest } = event;
  for (const key of laneNames ? ['server', 'peer'] : []) {
    if (key in rest) rest[key] = serverName(rest[key]);
  }
  const rows = [...flatten(rest), ...(fields ? flatten(fields) : [])];
  const apart = flatten(rest).length;
  rows.forEach(([name, value], i) => {
    const style = fields && i === apart ? { class: 'apart' } : {};
    make('dt', name, list, style);
    make('dd', value.replace(/^"|"$/g, ''), list, style);
  });
}

// Of an operation both ends, as one.
function wholeEvent(model, index) {
  const operation = model.ofEvent.get(index);
  if (operation?.endIndex === undefined) return model.events[index];
  const { t: called } = model.events[operation.index];
  const { t: returned, ...rest } = model.events[operation.endIndex];
  return { called, returned, ...rest };
}

function eventButton(model, index, choose, parent) {
  const event = model.events[index];
  const item = make('li', '', parent);
  const button = make('button', '', item, { type: 'button' });
  button.dataset.index = index;
  make('time', event.t.toFixed(4), button);
  make('span', brief(event), button);
  button.addEventListener('click', () => choose(index));
  return button;
}

function showList(model, list, indexes, selected, choose) {
  list.replaceChildren();
  for (const index of indexes) {
    const button = eventButton(model, index, choose, list);
    if (index === selected) button.setAttribute('aria-current', 'true');
  }
}

function around(model, index) {
  return d3.range(Math.max(0, index - AROUND),
    Math.min(model.events.length, index + AROUND + 1));
}

function showSelection(model, index, choose) {
  const isChosen = index >= 0;
  byId('chosen').hidden = !isChosen;
  byId('nearby').hidden = !isChosen || index === model.fault;
  byId('unchosen').hidden = isChosen;
  if (!isChosen) {
    byId('said').textContent = '';
    return;
  }
  const event = model.events[index];
  byId('said').textContent = sentence(event);
  byId('kind').textContent = `${event.event} at ${seconds(event.t, 6)}`;
  showFields(wholeEvent(model, index), byId('fields'));
  showList(model, byId('around'), around(model, index), index, choose);
}

function showLed(model, led, choose) {
  byId('led').hidden = led.length === 0;
  showList(model, byId('led-list'), led, -1, choose);
}

function verdictWords(model) {
  const fault = model.events[model.fault];
  if (!fault) return null;
  if (fault.event === 'history') {
    return ['Not linearizable', fault.text, fault.key === undefined ? '' :
      `key ${quoted(fault.key)}`];
  }
  if (fault.event === 'failure') return ['Failed', fault.text, fault.where];
  return [`Rule “${fault.rule}” violated`, fault.text,
    `section ${fault.section} of the paper`];
}

function showBanner(model) {
  const banner = byId('banner');
  const words = verdictWords(model);
  if (words) {
    const [title, text, where] = words;
    make('strong', title, banner);
    make('p', text || '', banner);
    make('small', `${where ? `${where}, ` : ''}at ` +
      `${seconds(model.faultTime)}`, banner);
    banner.classList.add('bad');
  }
  model.notes.forEach((note) => make('p', note, banner));
  banner.hidden = !words && model.notes.length === 0;
}

function verdict(model) {
  const end = lastOf(model.events);
  if (end.event === 'end') return end.passed ? 'passed' : 'failed';
  return model.fault >= 0 ? 'failed' : 'no end';
}

function showTitle(model) {
  const run = model.events[0];
  const begin = model.events.find((event) => event.event === 'begin');
  byId('test').textContent = run.test || 'A run';
  const result = verdict(model);
  byId('verdict').textContent = result;
  byId('verdict').className = result === 'passed' ? 'good' : 'bad';
  byId('about').textContent = [begin?.title,
    run.seed !== undefined && `seed ${run.seed}`, run.mode,
    run.profile && `profile ${run.profile}`, `${model.servers} servers`,
    `${model.events.length.toLocaleString('en')} events in ` +
    `${model.end.toFixed(1)} s`].filter(Boolean).join(' · ');
}
