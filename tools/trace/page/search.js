// Finds events by words: "S2", "term 7", "apply 12", "lost", "S2 term 7".
//
// Called by main.js. All words must be there; a number belongs to the word
// before it and is meant whole: "term 7" is not term 70. The texts are made at
// the first search.

const ALIASES = {
  apply: (e) => `apply ${e.fields?.index}`,
  start: (e) => `start ${e.fields?.index}`,
  snapshot: (e) => `snapshot ${e.fields?.last_included_index}`,
  restore: (e) => `snapshot ${e.fields?.last_included_index}`,
  request: (e) => `commit ${e.fields?.leader_commit}`,
  history: () => 'not linearizable',
  config: (e) => `config ${e.config}`,
  life: (e) => `life ${e.life} ${e.up ? 'up' : 'crash down'}`,
  link: (e) => (e.connected ? 'connected' : 'disconnected partition'),
};

function searchText(event) {
  const alias = ALIASES[event.event]?.(event) ?? '';
  const term = event.term === undefined ? '' : `term ${event.term}`;
  return `${event.event} ${term} ${alias} ${sentence(event)} ` +
    `${event.fate || ''} ${event.where || ''} t=${event.t}`.toLowerCase();
}

// Regular expressions, each of which must match.
function searchTerms(query) {
  const words = query.toLowerCase().match(/\S+/g) || [];
  const terms = [];
  for (const word of words) {
    const isNumber = /^\d+$/.test(word);
    const before = lastOf(terms);
    if (isNumber && before && !/\d$/.test(before)) {
      terms[terms.length - 1] = `${before} ${word}`;
    } else {
      terms.push(word);
    }
  }
  return terms.map((term) => {
    const source = term.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const start = /^\w/.test(term) ? '\\b' : '';
    return new RegExp(start + source + (/\d$/.test(term) ? '(?!\\d)' : ''),
      'i');
  });
}

function makeSearch(model) {
  let texts = null;
  return (query) => {
    const terms = searchTerms(query);
    if (terms.length === 0) return [];
    texts = texts || model.events.map(searchText);
    const hits = [];
    texts.forEach((text, index) => {
      if (terms.every((term) => term.test(text))) hits.push(index);
    });
    return hits;
  };
}
