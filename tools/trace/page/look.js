// Colors and measures of everything that is drawn.
//
// The colors are the style sheet's variables, so that legend and canvas cannot
// differ; they are read again when light turns to dark.

const ROLES = ['follower', 'candidate', 'leader', 'down'];
const GUTTER = 40;      // left of the lanes: the servers' names
const WIDE_GUTTER = 76; // with the groups' names
const AXIS = 26;        // the time axis on top
const ROW = 18;         // a row of steps
const BAR = 18;         // a server's role
const STRIP = 16;       // its progress, under the bar
const MIN_PITCH = 70;   // from lane to lane
const FONT = '11px system-ui, "DejaVu Sans", sans-serif';
const SMALL = '10px system-ui, "DejaVu Sans", sans-serif';
const BOLD = 'bold 13px system-ui, "DejaVu Sans", sans-serif';

const NAMES = ['ground', 'text', 'faint', 'line', 'panel', 'accent', 'alarm',
  'follower', 'candidate', 'leader', 'down', 'on-follower', 'on-candidate',
  'on-leader', 'done', 'refused', 'unknown', 'pending', 'on-done',
  'on-refused', 'on-unknown', 'on-pending', 'vote', 'entries', 'beat', 'snapshot', 'other', 'commit',
  'applied', 'flush', 'step', 'network', 'cut', 'choice', 'on-group', ...GROUP_COLORS];

function readLook() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(NAMES.map(
    (name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

// Sizes a canvas for the screen's pixels; returns its context in CSS pixels.
function fitCanvas(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext('2d');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

// Where the lanes are, for a canvas of this width.
function layout(model, width, wanted) {
  const shardsTop = AXIS + model.rows.length * ROW + 4;
  const top = shardsTop + model.shards.length * SHARD_ROW +
    (model.shards.length ? 16 : 8);
  const clients = model.clients.length ?
    model.clients.length * CLIENT_ROW + 10 : 0;
  const room = (wanted - top - clients) / model.servers;
  const pitch = Math.max(MIN_PITCH, Math.min(150, room));
  return {
    width, top, pitch, left: laneNames ? WIDE_GUTTER : GUTTER,
    right: width - 8,
    shardTop: (shard) => shardsTop + shard * SHARD_ROW,
    height: Math.ceil(top + pitch * model.servers + clients),
    rowTop: (row) => AXIS + row * ROW + 3,
    laneTop: (server) => top + server * pitch,
    clientTop: (row) => top + pitch * model.servers + row * CLIENT_ROW + 4,
    laneBottom: (server) => top + server * pitch + BAR + STRIP,
  };
}

// The end of a text that fits, or nothing.
function fitText(context, text, room) {
  if (room < 12) return '';
  if (context.measureText(text).width <= room) return text;
  let length = Math.floor(text.length * room /
    context.measureText(text).width);
  while (length > 2 &&
      context.measureText(`${text.slice(0, length)}…`).width > room) --length;
  return length > 2 ? `${text.slice(0, length)}…` : '';
}
