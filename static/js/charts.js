// Draws the charts of a page from what their canvas carries; the tables below them are closed then.
(() => {
  "use strict";

  if (!window.ChartJs) return;
  const { Chart, BarController, BarElement, CategoryScale, LinearScale, Tooltip } = window.ChartJs;
  Chart.register(BarController, BarElement, CategoryScale, LinearScale, Tooltip);
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  const drawn = new Map();

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const draw = (canvas) => {
    const points = JSON.parse(canvas.dataset.chart);
    const bar = colour("--brand-text");
    const text = colour("--muted");
    const line = colour("--line");
    const { scale } = canvas.dataset;
    const isNarrow = canvas.parentElement.clientWidth < 420;
    // Ticks of two lines are as narrow as numbers, and all of them have room.
    const most = isNarrow ? 4 : 6;
    const step = points[0].tick.includes("\n") ? 1 : Math.ceil(points.length / most);
    drawn.get(canvas)?.destroy();
    const chart = new Chart(canvas, {
      type: "bar",
      data: {
        labels: points.map((point) => point.tick.split("\n")),
        datasets: [
          {
            data: points.map((point) => point.value),
            backgroundColor: bar,
            hoverBackgroundColor: bar,
            borderRadius: 3,
            maxBarThickness: 28,
          },
        ],
      },
      options: {
        animation: false,
        maintainAspectRatio: false,
        scales: {
          x: {
            grid: { display: false },
            border: { color: text },
            ticks: { color: text, autoSkip: false, maxRotation: 0 },
            // The last bar always has its tick: whoever reads the last one takes it for the end.
            afterBuildTicks: (axis) => {
              axis.ticks = axis.ticks.filter((_tick, at) => (points.length - 1 - at) % step === 0);
            },
          },
          y: {
            display: Boolean(scale),
            beginAtZero: true,
            max: scale === "percent" ? 100 : undefined,
            border: { display: false },
            grid: { color: line },
            ticks: {
              color: text,
              maxTicksLimit: 4,
              precision: 0,
              stepSize: scale === "percent" ? 50 : undefined,
              callback: (value) => (scale === "percent" ? `${value}%` : value),
            },
          },
        },
        plugins: {
          tooltip: {
            displayColors: false,
            callbacks: {
              title: ([item]) => points[item.dataIndex].label,
              label: (item) => points[item.dataIndex].text,
            },
          },
        },
      },
    });
    drawn.set(canvas, chart);
  };

  const canvases = document.querySelectorAll("canvas[data-chart]");
  for (const canvas of canvases) {
    canvas.parentElement.hidden = false;
    canvas.parentElement.nextElementSibling.open = false;
    draw(canvas);
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => canvases.forEach(draw));
})();
