// What buttons, keys and pointers do.
//
// main.js binds them once the page is drawn; they change the view only through
// its zoomTo(), select() and find().

function goToFault() {
  if (model.fault < 0) return;
  zoomTo(...openingSpan(model, led));
  select(model.fault);
}

function escape() {
  if (selected >= 0) {
    select(-1);
  } else if (byId('query').value) {
    byId('query').value = '';
    find();
  }
  document.activeElement?.blur();
}

const actions = {
  pan(share) {
    const [t0, t1] = domain();
    zoomTo(t0 + share * (t1 - t0), t1 + share * (t1 - t0));
  },
  zoom(factor) {
    const [t0, t1] = domain();
    // Around the selected event, if it is in view.
    const t = model.events[selected]?.t;
    const share = t >= t0 && t <= t1 ? (t - t0) / (t1 - t0) : 0.5;
    const length = (t1 - t0) / factor;
    const start = t0 + share * (t1 - t0 - length);
    zoomTo(start, start + length);
  },
  all() { zoomTo(...base.domain()); },
  search() {
    byId('query').focus();
    byId('query').select();
  },
  fault: goToFault,
  help() {
    const help = byId('help');
    if (help.open) help.close();
    else help.showModal();
  },
  step, escape,
};

function bindButtons() {
  document.querySelectorAll('[data-do]').forEach((button) => {
    const [name, value] = button.dataset.do.split(' ');
    button.addEventListener('click', () => actions[name](Number(value)));
  });
  document.querySelectorAll('[data-filter]').forEach((button) => {
    const [group, number] = button.dataset.filter.split(' ');
    button.addEventListener('click', () => {
      const isOn = button.getAttribute('aria-pressed') !== 'true';
      button.setAttribute('aria-pressed', isOn);
      if (number === undefined) filter[group] = isOn;
      else filter[group][Number(number)] = isOn;
      redraw();
    });
  });
  byId('query').addEventListener('input', find);
}

function bindCanvas() {
  // Up and down stay the page's, for a finger; sideways and pinch are ours.
  d3.select(canvas).call(zoom).on('dblclick.zoom', null)
    .style('touch-action', 'pan-y');
  canvas.addEventListener('wheel', (event) => {
    if (!event.shiftKey && Math.abs(event.deltaX) <= Math.abs(event.deltaY)) {
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    actions.pan((event.deltaX || event.deltaY) / place.width);
  }, { capture: true, passive: false });
  canvas.addEventListener('click', (event) => {
    const box = canvas.getBoundingClientRect();
    const index = hit(view, model, filter, drawn, event.clientX - box.left,
      event.clientY - box.top);
    select(index ?? -1);
  });
}
