// What of Chart.js the charts of the dashboard use, as one file.
export { BarController, BarElement, CategoryScale, Chart, LinearScale, Tooltip } from "chart.js";
