// The keyboard: what each key does, and the help that says so.
//
// main.js calls bindKeys once, with the page's actions. Keys typed into a field
// are left alone, but for Enter and Escape in the search.

const KEYS = [
  ['← →', 'pan'], ['+ −', 'zoom in, out'], ['0', 'the whole run'],
  ['n  p', 'next, previous search hit; without a search, event'],
  ['/', 'search'], ['v', 'go to the violation or failure'],
  ['Esc', 'let go of the event, the search, this help'], ['?', 'this help'],
];

function actionsByKey(actions) {
  return {
    ArrowLeft: () => actions.pan(-0.2), ArrowRight: () => actions.pan(0.2),
    '+': () => actions.zoom(2), '=': () => actions.zoom(2),
    '-': () => actions.zoom(0.5), _: () => actions.zoom(0.5),
    0: actions.all, n: () => actions.step(1), p: () => actions.step(-1),
    '/': actions.search, v: actions.fault, '?': actions.help,
    Escape: actions.escape,
  };
}

function bindKeys(actions) {
  const table = actionsByKey(actions);
  window.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isTyping = event.target.matches('input');
    if (isTyping && event.key === 'Enter') {
      event.preventDefault();
      actions.step(event.shiftKey ? -1 : 1);
      return;
    }
    if (isTyping && event.key !== 'Escape') return;
    if (!Object.hasOwn(table, event.key)) return;
    if (byId('help').open && event.key !== '?') return;
    event.preventDefault();
    table[event.key]();
  });
}

function fillHelp() {
  const list = byId('keys');
  for (const [keys, what] of KEYS) {
    make('dt', keys, list);
    make('dd', what, list);
  }
}
