// The page's only script: it shows the numbers under the pointer. The page says everything that matters without it.

/** JavaScript for a browser. It reads the page's data and writes text only, never markup. */
export const hover = `
const data = JSON.parse(document.getElementById("data").textContent);
const tip = document.getElementById("tip");
function show(event) {
  const svg = event.currentTarget;
  const chart = data.charts[Number(svg.dataset.chart)];
  const box = svg.getBoundingClientRect();
  const { left, right, width } = data.frame;
  const part = ((event.clientX - box.left) / box.width * width - left) / (width - left - right);
  const first = data.xs[0], span = data.xs[data.xs.length - 1] - first || 1;
  const wanted = first + part * span;
  let at = 0;
  data.xs.forEach((x, index) => { if (Math.abs(x - wanted) < Math.abs(data.xs[at] - wanted)) at = index; });
  const x = left + (data.xs[at] - first) / span * (width - left - right);
  const cursor = svg.querySelector(".cursor");
  cursor.setAttribute("x1", x); cursor.setAttribute("x2", x); cursor.setAttribute("visibility", "visible");
  const head = "round " + data.rounds[at] + ", " + data.xs[at].toLocaleString("en-US") + " " + data.unit + "s";
  tip.textContent = [head, ...chart.map(([name, values]) => name + "  " + values[at].toLocaleString("en-US"))].join("\\n");
  tip.hidden = false;
  const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
  tip.style.left = Math.max(4, Math.min(room, event.clientX + 14)) + "px";
  tip.style.top = Math.max(4, event.clientY - tip.offsetHeight - 12) + "px";
}
function hide(event) {
  tip.hidden = true;
  event.currentTarget.querySelector(".cursor").setAttribute("visibility", "hidden");
}
for (const svg of document.querySelectorAll("svg.plot")) {
  svg.addEventListener("pointermove", show);
  svg.addEventListener("pointerleave", hide);
}
`;
