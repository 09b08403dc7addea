// Draws what is above the lanes: the axis, the network's state, the steps.
//
// Called by main.js at each redraw; eachSpan by lanes.js too.

// Calls visit(span, from, to) for each span in view, in pixels.
function eachSpan(view, spans, visit) {
  const { x, t0, t1, place } = view;
  const byStart = d3.bisector((span) => span.t0);
  const last = byStart.right(spans, t1);
  for (let i = Math.max(0, byStart.left(spans, t0) - 1); i < last; ++i) {
    const span = spans[i];
    if (span.t1 < t0) continue;
    visit(span, Math.max(place.left, x(span.t0)),
      Math.min(place.right, x(span.t1)));
  }
}

function drawAxis(view) {
  const { context, look, place, x } = view;
  const count = Math.max(2, Math.floor((place.right - place.left) / 110));
  const format = x.tickFormat(count);
  context.font = SMALL;
  context.textBaseline = 'middle';
  context.textAlign = 'center';
  const flag = faultFlag(view);
  for (const t of x.ticks(count)) {
    const at = Math.round(x(t)) + 0.5;
    context.fillStyle = look.line;
    context.fillRect(at - 0.5, AXIS - 4, 1, place.height - AXIS + 4);
    context.fillStyle = look.faint;
    const text = `${format(t)} s`;
    const half = context.measureText(text).width / 2;
    const middle = Math.max(half + 2, Math.min(place.width - half - 2, at));
    if (flag && middle + half + 4 > flag.left &&
        middle - half - 4 < flag.left + flag.width) continue;
    context.fillText(text, middle, AXIS / 2);
  }
}

function drawRows(view, rows) {
  const { context, look, place } = view;
  context.font = FONT;
  context.textAlign = 'left';
  rows.forEach((row, number) => {
    const top = place.rowTop(number);
    let drawn = -Infinity;  // up to which pixel
    eachSpan(view, row.spans, (span, from, to) => {
      if (to < drawn + 1) return;
      drawn = Math.max(to, from + 1);
      context.fillStyle = look[row.kind];
      context.fillRect(from, top, Math.max(1, to - from - 1), ROW - 3);
      context.fillStyle = look.text;
      context.fillText(fitText(context, span.label, to - from - 8), from + 4,
        top + (ROW - 3) / 2 + 0.5);
    });
  });
}
