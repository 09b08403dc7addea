// Draws the messages as bars, where there are more of them than arrows fit.
//
// Called by main.js at each redraw. A bar under a lane counts what its server
// sent in these pixels; what was dropped is its red end.

const COLUMN = 3;  // pixels

function countColumns(view, model, filter) {
  const { x, place, t0, t1 } = view;
  const { messages } = model;
  const columns = Math.ceil((place.right - place.left) / COLUMN) + 1;
  const sorts = KINDS.length + 1;  // the last: dropped
  const counts = new Uint32Array(model.servers * columns * sorts);
  const scale = (place.right - place.left) / COLUMN / (t1 - t0);
  eachMessage(messages, filter, t0, t1, (i) => {
    const column = Math.floor((messages.start[i] - t0) * scale);
    if (column < 0 || column >= columns) return;
    const sort = messages.fate[i] === DROPPED_FATE ? KINDS.length :
      messages.kind[i];
    ++counts[(messages.from[i] * columns + column) * sorts + sort];
  });
  return { counts, columns, sorts };
}

function highestColumn({ counts, sorts }) {
  let highest = 1;
  for (let at = 0; at < counts.length; at += sorts) {
    let sum = 0;
    for (let sort = 0; sort < sorts; ++sort) sum += counts[at + sort];
    highest = Math.max(highest, sum);
  }
  return highest;
}

function drawDensity(view, model, filter) {
  const { context, look, place } = view;
  const table = countColumns(view, model, filter);
  const { counts, columns, sorts } = table;
  const room = Math.min(48, place.pitch - BAR - STRIP - 26);
  const unit = room / highestColumn(table);
  const colors = [...KINDS.map((kind) => look[kind]), look.alarm];
  for (let server = 0; server < model.servers; ++server) {
    const depth = new Float64Array(columns);  // how far each bar is drawn
    colors.forEach((color, sort) => {
      context.fillStyle = color;
      for (let column = 0; column < columns; ++column) {
        const count = counts[(server * columns + column) * sorts + sort];
        if (count === 0) continue;
        const height = Math.max(0.75, count * unit);
        context.fillRect(place.left + column * COLUMN,
          place.laneBottom(server) + 2 + depth[column], COLUMN - 1, height);
        depth[column] += height;
      }
    });
  }
}
