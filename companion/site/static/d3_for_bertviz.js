// What BertViz's head and model views use of d3; the whole of d3 is four times as large.
export { hsl, mouse, rgb, scaleLinear, scaleOrdinal, schemeCategory10, select, selectAll, version } from "d3";
