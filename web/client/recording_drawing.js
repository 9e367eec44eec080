/** Draws the members of a call side by side: their pictures, or their names where they send none. */
import { SIZE, fitted, layout } from '../core/recording.js';

/**
 * @typedef {{name: string, weight: number, picture: {source: any, width: number, height: number}|null|undefined}} Tile
 * @param {CanvasRenderingContext2D|OffscreenCanvasRenderingContext2D} context
 * @param {Tile[]} tiles
 */
export function draw(context, tiles) {
  context.fillStyle = '#161512';
  context.fillRect(0, 0, SIZE.width, SIZE.height);
  const boxes = layout(tiles, SIZE);
  tiles.forEach(({ name, picture }, at) => {
    const box = boxes[at];
    if (picture?.width && picture.height) {
      const { x, y, width, height } = fitted(picture, box);
      context.drawImage(picture.source, x, y, width, height);
    }
    label(context, name, box, !picture);
  });
}

/**
 * @param {CanvasRenderingContext2D|OffscreenCanvasRenderingContext2D} context
 * @param {string} name
 * @param {import('../core/recording.js').Box} box
 * @param {boolean} isAlone nothing else is seen there
 */
function label(context, name, box, isAlone) {
  context.font = isAlone ? '28px sans-serif' : '18px sans-serif';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  const [x, y] = [box.x + box.width / 2, isAlone ? box.height / 2 : box.height - 24];
  const width = Math.min(box.width - 24, context.measureText(name).width + 24);
  if (!isAlone) {
    context.fillStyle = 'rgb(0 0 0 / 0.6)';
    context.fillRect(x - width / 2, y - 15, width, 30);
  }
  context.fillStyle = '#ece7dc';
  context.fillText(name, x, y, box.width - 32);
}
