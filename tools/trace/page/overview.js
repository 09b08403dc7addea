// The strip over the whole run, with a brush that chooses what the lanes show.
//
// main.js makes one; it draws the roles of all servers, how many messages there
// were, the search's hits and the fault. The brush is d3's, in an SVG on top.

const OVERVIEW_LANE = 7;
const OVERVIEW_BARS = 22;

function overviewHeight(servers) {
  return servers * OVERVIEW_LANE + OVERVIEW_BARS + 4;
}

// In each pixel the rarest role of the server.
function overviewRoles(context, look, x, lanes) {
  lanes.forEach((lane, server) => {
    const top = OVERVIEW_BARS + server * OVERVIEW_LANE;
    for (const role of ROLES) {
      context.fillStyle = look[role];
      let drawn = -Infinity;
      for (const span of lane.roles) {
        if (span.role !== role) continue;
        const to = Math.max(x(span.t1), x(span.t0) + 1);
        if (to < drawn + 0.5) continue;
        drawn = to;
        context.fillRect(x(span.t0), top, to - x(span.t0), OVERVIEW_LANE - 2);
      }
    }
    context.fillStyle = look.cut;
    for (const { t0, t1 } of lane.cuts) {
      context.fillRect(x(t0), top + OVERVIEW_LANE - 3,
        Math.max(1, x(t1) - x(t0)), 1.5);
    }
  });
}

function overviewBars(context, look, x, messages) {
  const counts = new Map();
  for (let i = 0; i < messages.length; ++i) {
    const at = Math.floor(x(messages.start[i]));
    counts.set(at, (counts.get(at) || 0) + 1);
  }
  const highest = Math.max(1, ...counts.values());
  context.fillStyle = look.line;
  for (const [at, count] of counts) {
    const height = count / highest * (OVERVIEW_BARS - 4);
    context.fillRect(at, OVERVIEW_BARS - 2 - height, 1, height);
  }
}

function tick(context, x, height, color, width) {
  context.fillStyle = color;
  context.fillRect(x - width / 2, 0, width, height);
}

// onBrush(t0, t1) is called while the brush moves.
function makeOverview(element, model, onBrush) {
  const canvas = element.querySelector('canvas');
  const svg = d3.select(element.querySelector('svg'));
  const height = overviewHeight(model.servers);
  const brush = d3.brushX();
  const group = svg.append('g');
  let x = null, moving = false;

  brush.on('brush end', () => {
    if (moving || !d3.event.sourceEvent || !d3.event.selection) return;
    onBrush(...d3.event.selection.map(x.invert));
  });

  return {
    resize(width, base) {
      x = d3.scaleLinear().domain(base.domain()).range(base.range());
      element.style.height = `${height}px`;
      svg.attr('width', width).attr('height', height);
      brush.extent([[x.range()[0], 0], [x.range()[1], height]]);
      group.call(brush);
    },
    draw(look, width, hits) {
      const context = fitCanvas(canvas, width, height);
      context.clearRect(0, 0, width, height);
      overviewBars(context, look, x, model.messages);
      overviewRoles(context, look, x, model.lanes);
      const ticks = new Set(
        hits.map((i) => Math.floor(x(model.events[i].t))));
      ticks.forEach((at) => tick(context, at, height, look.choice, 1));
      if (model.fault >= 0) {
        tick(context, x(model.faultTime), height, look.alarm, 2);
      }
    },
    show(t0, t1) {
      moving = true;
      const [from, to] = [t0, t1].map(x);
      group.call(brush.move, [from, Math.max(to, from + 1)]);
      moving = false;
    },
  };
}
