// What the views of BertViz use of d3; the whole of d3 is several times as large.
export { hsl, line, mouse, rgb, scaleLinear, scaleOrdinal, schemeCategory10, select, selectAll, version } from "d3";
