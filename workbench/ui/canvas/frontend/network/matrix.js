/**
 * Where everything stands in the matrix view: small multiples, one block a layer, a row a source, a column a slot.
 *
 * It stays legible where a graph would be a ball of wool. Cells keep a calm shape (at most 1.7 times as wide as high)
 * and blocks stand side by side. See `layout.js` for what comes back.
 */

const GAP = 44;
const HEADER = 20;

export function matrixLayout(drawing, size) {
  const layout = {
    boxes: new Map(), wires: new Map(), nodes: [], slots: [], stacks: [], labels: [], order: [],
    width: size.width, height: size.height,
  };
  const blocks = blocksOf(drawing, size.labelWidth);
  const cell = cellSize(blocks, size);
  const total = blocks.reduce((sum, block) => sum + block.label + cell.width * block.slots.length, 0);
  let x = Math.max(16, (size.width - total - GAP * (blocks.length - 1)) / 2);
  for (const block of blocks) {
    placeBlock(block, x + block.label, cell, size, layout);
    x += block.label + cell.width * block.slots.length + GAP;
  }
  return layout;
}

function blocksOf(drawing, labelWidth) {
  const rows = Math.max(...drawing.layers.slice(0, -1).map((layer) => layer.nodes.length)); // blocks share a top edge
  return drawing.layers.slice(0, -1).map((from, layer) => {
    const targets = drawing.layers[layer + 1].nodes;
    return {
      layer, rows, sources: from.nodes, label: Math.min(104, labelWidth(from.nodes) + 14),
      slots: targets.flatMap((node) => slotsOf(node)),
      edges: drawing.edges.filter((edge) => edge.layer === layer),
    };
  });
}

function slotsOf(node) {
  const factors = node.factors?.length ? node.factors : [node.id];
  const name = (k) => (factors.length > 1 ? `${node.label}·${k + 1}` : node.label);
  return factors.map((slot, k) => ({ slot, label: name(k) }));
}

function cellSize(blocks, size) {
  const labels = blocks.reduce((sum, block) => sum + block.label, 0);
  const columns = blocks.reduce((sum, block) => sum + block.slots.length, 0);
  const room = size.width - 32 - GAP * (blocks.length - 1) - labels;
  const height = Math.min(84, (size.height - 112 - HEADER) / blocks[0].rows);
  const width = Math.max(14, Math.min(132, room / columns, height * 1.7));
  return { width, height: Math.max(14, Math.min(height, width * 1.4)) };
}

function placeBlock(block, left, cell, size, layout) {
  const high = block.rows * cell.height;
  const top = 60 + HEADER + Math.max(0, (size.height - 112 - HEADER - high) / 2);
  const row = new Map(block.sources.map((node, k) => [node.id, k]));
  const column = new Map(block.slots.map(({ slot }, k) => [slot, k]));
  const edges = [...block.edges].sort((a, b) => column.get(a.target) - column.get(b.target) || row.get(a.source) - row.get(b.source));
  layout.order.push(edges.map((edge) => edge.id));
  for (const edge of edges) {
    layout.boxes.set(edge.id, {
      x: left + column.get(edge.target) * cell.width + 1.5, y: top + row.get(edge.source) * cell.height + 1.5,
      width: cell.width - 3, height: cell.height - 3,
    });
    layout.wires.set(edge.id, { path: "", bare: false });
  }
  block.sources.forEach((node, k) => layout.labels.push({
    text: node.label, x: left - 8, y: top + (k + 0.5) * cell.height + 3.5, anchor: "end", room: block.label - 10,
  }));
  block.slots.forEach(({ label }, k) => layout.labels.push({
    text: label, x: left + (k + 0.5) * cell.width, y: top - 9, anchor: "middle", room: cell.width + 3,
  }));
}
